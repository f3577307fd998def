import Foundation
import Testing

@testable import mkstore

/// `recover --accept-loss` and `--undo-accept` on a broker's directory.
struct AcceptLossTests {
  private let directory: TemporaryDirectory
  private let log: String
  private var store: String { directory.path("store") }
  private let first = "00000000000000000000.log"
  /// Of the batch that is damaged.
  private let lost: Range<Int>
  private let damaged: Data

  /// A copy of a broker's log with one bit flipped in the second batch.
  init() throws {
    directory = try TemporaryDirectory()
    let source = TestData.kafka("codec-lz4")
    log = directory.path("store/codec-lz4-0")
    try FileManager.default.createDirectory(
      atPath: directory.path("store"), withIntermediateDirectories: true)
    try Tool.bash("cp -r '\(source)' '\(log)' && chmod -R u+w '\(log)'")
    var bytes = try TestData.content("\(log)/\(first)")
    func number(_ position: Int, _ count: Int) -> Int {
      bytes[position..<position + count].reduce(0) { $0 << 8 | Int($1) }
    }
    let start = 12 + number(8, 4)
    let base = number(start, 8)
    lost = base..<base + number(start + 23, 4) + 1
    bytes[start + 80] ^= 0x10
    damaged = bytes
    try bytes.write(to: URL(filePath: "\(log)/\(first)"))
  }

  private func offsets() throws -> [Int] {
    let outcome = try Tool.run(["fetch", log, "--format", "%o\\n", "--include-control"])
    #expect(outcome.status == 0)
    return outcome.lines.compactMap { Int($0) }
  }

  @Test func whatWasAcceptedIsPassedOverAndCanBeUndone() throws {
    let range = "offsets \(lost.lowerBound) to \(lost.upperBound - 1)"
    #expect(try Tool.run(["verify", log]).status == 3)
    let dry = try Tool.run(["recover", "--accept-loss", "--dry-run", store])
    #expect(dry.status == 3)
    #expect(dry.lines.contains("  would be accepted: 1 damaged range"), "\(dry.lines)")
    #expect(try TestData.content("\(log)/\(first)") == damaged)

    let accepted = try Tool.run(["recover", "--accept-loss", store])
    #expect(accepted.status == 0, "\(accepted.lines) \(accepted.messages)")
    #expect(
      accepted.lines.contains { $0.hasPrefix("  accepted the loss of \(range) (") },
      "\(accepted.lines)")
    let verified = try Tool.run(["verify", log])
    #expect(verified.status == 0, "\(verified.lines)")
    #expect(
      (verified.lines + [verified.messages]).contains {
        $0.contains("accepted: the loss of \(range)")
      }, "\(verified.lines) \(verified.messages)")
    #expect(try offsets() == Array(0..<1000).filter { !lost.contains($0) })
    #expect(try Tool.run(["recover", store]).status == 0)

    let undone = try Tool.run(["recover", "--undo-accept", log])
    #expect(undone.status == 3)
    #expect(undone.lines.contains { $0.hasPrefix("  undone: the loss of \(range) (") })
    #expect(try TestData.content("\(log)/\(first)") == damaged)
    #expect(try Tool.run(["verify", log]).status == 3)
  }

  @Test func onlyTheLogThatIsNamedIsChanged() throws {
    let other = directory.path("store/codec-lz4-1")
    try Tool.bash("cp -r '\(log)' '\(other)'")
    let outcome = try Tool.run(["recover", "--accept-loss", other, "--json"])
    #expect(outcome.status == 3, "the other one stays damaged")
    let accepted = try outcome.objects.compactMap { $0["accepted"] as? [String] }.map(\.count)
    #expect(accepted == [0, 1])
    #expect(try Tool.run(["verify", other]).status == 0)
    #expect(try Tool.run(["verify", log]).status == 3)
    #expect(try TestData.content("\(log)/\(first)") == damaged)
  }

  @Test func oneThingAtATime() throws {
    for flags in [["--accept-loss", "--undo-accept"], ["--drop-kept", "--accept-loss"]] {
      let outcome = try Tool.run(["recover"] + flags + [store])
      #expect(outcome.status == 2)
      #expect(outcome.messages.contains("give one of them"))
    }
    #expect(try TestData.content("\(log)/\(first)") == damaged)
  }
}
