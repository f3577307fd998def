import Foundation
import Testing

/// A rotten `mkstore.producer-ids`: told by `verify`, mended by `recover`, no hindrance to either.
struct ProducerIdsFileTests {
  private let directory: TemporaryDirectory
  private let name = "mkstore.producer-ids"

  init() throws {
    directory = try TemporaryDirectory()
    _ = try directory.copy(TestData.kafka("codec-lz4"), to: "codec-lz4-0")
    #expect(try Tool.run(["recover", directory.path]).status == 0)
  }

  private func verify() throws -> Tool.Outcome { try Tool.run(["verify", directory.path]) }

  /// Told, and mended by `recover` alone.
  private func expectMended() throws {
    let found = try verify()
    #expect(found.status == 0, "\(found)")
    #expect(found.text.contains(name) && found.text.contains("mkstore recover"), "\(found.text)")
    let planned = try Tool.run(["recover", "--dry-run", directory.path])
    #expect(planned.status == 0 && planned.text.contains("would be rebuilt: "), "\(planned)")
    #expect(try verify().text.contains("to be repaired: "))
    let mended = try Tool.run(["recover", directory.path])
    #expect(mended.lines.contains("rebuilt \(directory.path(name))"), "\(mended)")
    #expect(mended.status == 0 && planned.text.contains("rebuilt: \(directory.path(name))"))
    let after = try verify()
    #expect(after.status == 0, "\(after)")
    let lines = try String(contentsOfFile: directory.path(name), encoding: .utf8)
      .split(separator: "\n")
    #expect(lines.count == 3 && lines[1] == "version: 1")
    let next = try #require(Int64(lines[2].dropFirst("next_producer_id: ".count)))
    #expect(next >= 1 << 52)
  }

  @Test(arguments: [
    "", "\0\0\0\0", "version: 0\nnext_producer_id: x\n", "version: 0\nnext_producer_id: -1\n",
    "version: 1\nnext_producer_id: 5123456789012345\n",
    "version: 2\nnext_producer_id: 5123456789012345\n",
  ])
  func aRottenFileIsToldAndMended(_ text: String) throws {
    _ = try directory.file(name, text.utf8)
    try expectMended()
  }

  @Test func aDirectoryOfTheNameIsToldAndSetAside() throws {
    try FileManager.default.createDirectory(
      atPath: directory.path(name), withIntermediateDirectories: true)
    _ = try directory.file("\(name)/kept", [1])
    try expectMended()
    #expect(FileManager.default.fileExists(atPath: directory.path("\(name).unreadable/kept")))
  }

  @Test func theOldFormIsSound() throws {
    _ = try directory.file(name, "version: 0\nnext_producer_id: 3000\n".utf8)
    #expect(try verify().status == 0)
    #expect(try !Tool.run(["recover", directory.path]).messages.contains(name))
  }
}
