import Foundation
import Testing

@testable import mkstore

/// Directories that Kafka wrote and that somebody mixed up: nothing whole is withheld, nothing is
/// passed over in silence, and a store opened for writing loses nothing.
struct MixedUpDirectoryTests {
  private let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  /// A writable copy of a fixture's log.
  private func copy(_ name: String) throws -> String {
    let source = TestData.kafka(name)
    let path = directory.path("store/" + URL(filePath: source).lastPathComponent)
    try FileManager.default.createDirectory(
      atPath: directory.path("store"), withIntermediateDirectories: true)
    try Tool.bash("cp -r '\(source)' '\(path)' && chmod -R u+w '\(path)'")
    return path
  }

  private func segments(_ log: String) -> [String] {
    TestData.names(in: log).filter { $0.hasSuffix(".log") }.sorted()
  }

  private func offsets(_ log: String) throws -> (offsets: [Int], status: Int32, messages: String) {
    let outcome = try Tool.run(["fetch", log, "--format", "%o\\n", "--include-control"])
    return (outcome.lines.compactMap { Int($0) }, outcome.status, outcome.messages)
  }

  // MARK: Files that are no log

  @Test(arguments: ["hello, world\n", "\u{89}PNG\r\n\u{1A}\n", "root:x:0:0:root:/root:/bin/bash\n"])
  func aFileThatIsNoLogIsNotOk(_ text: String) throws {
    let bytes = Array(text.utf8) + Array(repeating: UInt8(ascii: "x"), count: 100)
    let file = try directory.file("file", bytes)
    let outcome = try Tool.run(["verify", file])
    #expect(outcome.status == 3)
    #expect(outcome.text.contains("no batch was found in it; move it away"), "\(outcome.text)")
  }

  @Test func anAlienLastSegmentIsDamageAndATornFirstAppendIsNone() throws {
    let log = try copy("codec-lz4")
    let last = log + "/" + segments(log).last!
    let whole = try TestData.content(last)
    let name = Int64(segments(log).last!.dropLast(4))!
    for count in [1, 7, 8, 11, 16, 17, 60, 61, whole.count - 1] {
      try whole.prefix(count).write(to: URL(filePath: last))
      let outcome = try Tool.run(["verify", "--quick", log])
      #expect(outcome.status == 0, "\(count): \(outcome.text)")
      #expect(outcome.text.contains("unfinished write: "), "\(count)")
    }
    try Data(repeating: UInt8(ascii: "x"), count: 500).write(to: URL(filePath: last))
    #expect(try Tool.run(["verify", "--quick", log]).status == 3)
    let found = try offsets(log)
    #expect(found.status == 3)
    #expect(found.offsets == Array(0..<Int(name)))
    // Kept where it is, and nothing is given its offsets.
    #expect(try Tool.run(["recover", log]).status == 3)
    #expect(try TestData.content(last).count == 500)
  }

  // MARK: Names that lie

  /// Under a number in the middle of a segment, each of these hid what stood behind that number,
  /// and `recover` cut it off.
  @Test(arguments: ["empty", "text", "copy", "zeros"], ["3", "761"])
  func aFileUnderTheNumberOfNoSegmentHidesNothing(_ what: String, _ number: String) throws {
    let log = try copy("codec-lz4")
    let before = try offsets(log)
    let content: Data =
      switch what {
      case "empty": Data()
      case "text": Data(repeating: UInt8(ascii: "x"), count: 3000)
      case "zeros": Data(count: 4096)
      default: try TestData.content(log + "/" + segments(log)[0])
      }
    let name = String(repeating: "0", count: 20 - number.count) + number + ".log"
    try content.write(to: URL(filePath: log + "/" + name))
    #expect(try offsets(log).offsets == before.offsets)
    let verified = try Tool.run(["verify", log])
    // Opening puts it right by itself.
    #expect(verified.status == 0)
    #expect(verified.text.contains("\(name): is not a segment of the log"), "\(verified.text)")
    #expect(try Tool.run(["recover", log]).status == 0)
    #expect(try offsets(log).offsets == before.offsets)
    #expect(!segments(log).contains(name))
    if !content.isEmpty {
      #expect(TestData.names(in: log + "/.bad").contains { $0.hasPrefix(name) })
    }
  }

  @Test func aTornSwapTakesNoPlaceOfASegmentThatStands() throws {
    let log = try copy("codec-lz4")
    let before = try offsets(log)
    let first = segments(log)[0]
    let half = try TestData.content(log + "/" + first).prefix(10_000)
    try half.write(to: URL(filePath: log + "/" + first + ".swap"))
    #expect(try offsets(log).offsets == before.offsets)
    #expect(try Tool.run(["verify", log]).text.contains("to be repaired: "))
    #expect(try Tool.run(["recover", log]).status == 0)
    #expect(try offsets(log).offsets == before.offsets)
    // Out of the way, so that it does not come back once the segment it stood beside is gone.
    #expect(!TestData.names(in: log).contains { $0.hasSuffix(".swap") })
    #expect(TestData.names(in: log + "/.bad").contains { $0.hasPrefix(first + ".swap@0+10000") })
    try FileManager.default.removeItem(atPath: log + "/" + first)
    #expect(try offsets(log).offsets == before.offsets.filter { $0 >= second(log) })
  }

  /// A broker that dies between two names leaves only the replacement.
  @Test func aSwapWhoseSegmentIsGoneIsVerifiedAsTheSegment() throws {
    let log = try copy("codec-lz4")
    let before = try offsets(log)
    let first = segments(log)[0]
    try Tool.bash("cd '\(log)' && mv \(first) \(first).swap")
    #expect(try Tool.run(["verify", log]).status == 0)
    #expect(try offsets(log).offsets == before.offsets)
    var bytes = try TestData.content(log + "/" + first + ".swap")
    bytes[bytes.count / 2] ^= 1
    try bytes.write(to: URL(filePath: log + "/" + first + ".swap"))
    let verified = try Tool.run(["verify", log])
    #expect(verified.status == 3)
    // By the name that the opening gives it.
    #expect(verified.text.contains("\(log)/\(first) at position"), "\(verified.text)")
    let served = try offsets(log).offsets
    #expect(served.count < before.offsets.count && served.last == before.offsets.last)
    #expect(try Tool.run(["recover", log]).status == 3)
    #expect(try offsets(log).offsets == served)
  }

  @Test(arguments: [0, 10_000])
  func aDamagedSwapRemovesNoSegmentThatItOverlaps(_ byteCount: Int) throws {
    let log = try copy("codec-lz4")
    let before = try offsets(log)
    // What a cleaner would have made of the first two, and rotten behind the second's first batch.
    let names = segments(log)
    var merged = try TestData.content(log + "/" + names[0])
    merged.append(try TestData.content(log + "/" + names[1]).prefix(byteCount))
    if byteCount > 0 { merged.append(Data(repeating: 0x55, count: 200)) } else { merged = Data() }
    try merged.write(to: URL(filePath: log + "/" + names[0] + ".swap"))
    try Tool.bash("cd '\(log)' && mv \(names[0]) \(directory.path("away"))")
    let served = byteCount > 0 ? before.offsets : before.offsets.filter { $0 >= second(log) }
    #expect(try offsets(log).offsets == served)
    _ = try Tool.run(["recover", log])
    #expect(segments(log) == Array(names.suffix(byteCount > 0 ? 2 : 1)))
    #expect(try offsets(log).offsets == served)
  }

  /// Base offset of the second segment of the fixture as it came.
  private func second(_ log: String) -> Int {
    segments(log).map { Int($0.dropLast(4))! }.first { $0 > 0 }!
  }

  @Test func aSegmentBehindALinkIsReadAndNotWrittenAround() throws {
    let log = try copy("codec-lz4")
    let before = try offsets(log)
    let last = segments(log).last!
    try Tool.bash("mv '\(log)/\(last)' '\(directory.path("moved"))'")
    try Tool.bash("ln -s '\(directory.path("moved"))' '\(log)/\(last)'")
    #expect(try offsets(log).offsets == before.offsets)
    let outcome = try Tool.run(["append", log], input: Data("x\n".utf8))
    #expect(outcome.status == 1, "its offsets would be given out again")
    #expect(outcome.messages.contains(last), "\(outcome.messages)")
    #expect(try offsets(log).offsets == before.offsets)
  }

  @Test(arguments: ["mkfifo", "mkdir"])
  func whatIsNoFileIsToldAndTheRestIsLookedAt(_ command: String) throws {
    let log = try copy("codec-lz4")
    let before = try offsets(log)
    try Tool.bash("cd '\(log)' && \(command) 00000000000000000007.log")
    let outcome = try Tool.run(["verify", log])
    #expect(outcome.status == 3, "\(outcome.messages)")
    #expect(outcome.text.contains("damage: \(before.offsets.count) records"), "\(outcome.text)")
    #expect(try offsets(log).offsets == before.offsets)
  }

  /// What a `.log` behind it holds is not known: a file without access, and no loss. Every command
  /// says so, and the rest is looked at.
  @Test(arguments: ["/nonexistent", "00000000000000000007.log"])
  func aLogBehindALinkThatLeadsNowhereIsAnAccessFailure(_ target: String) throws {
    let log = try copy("codec-lz4")
    let before = try offsets(log)
    try Tool.bash("cd '\(log)' && ln -s \(target) 00000000000000000007.log")
    let outcome = try Tool.run(["verify", log])
    #expect(outcome.status == 1, "\(outcome.messages)")
    #expect(outcome.text.contains("incomplete: \(before.offsets.count) records"), "\(outcome.text)")
    #expect(outcome.messages.contains("is a link that leads nowhere"), "\(outcome.messages)")
    #expect(try Tool.run(["recover", log, "--dry-run"]).status == 1)
    #expect(try Tool.run(["recover", log]).status == 1)
    #expect(try Tool.run(["verify", log]).text == outcome.text)
    #expect(try offsets(log).offsets == before.offsets)
  }

  /// In the place of a segment of ours, of which the mark and the other segments tell.
  @Test(arguments: [0, 1, -1]) func whatIsBehindALinkIsNotLost(_ index: Int) throws {
    let log = directory.path("store/t-0")
    let options = ["append", log, "--create", "--segment-bytes", "300", "--linger", "0"]
    for _ in 0..<6 {
      let line = String(repeating: "x", count: 100) + "\n"
      #expect(try Tool.run(options, input: Data(line.utf8)).status == 0)
    }
    let names = segments(log)
    try #require(names.count > 2)
    let name = names[index < 0 ? names.count - 1 : index]
    try Tool.bash("cd '\(log)' && rm \(name) && ln -s /nonexistent \(name)")
    for command in [["verify"], ["recover", "--dry-run"], ["recover"], ["verify"]] {
      let outcome = try Tool.run(command + [log])
      #expect(outcome.status == 1, "\(command): \(outcome)")
      #expect(!outcome.text.contains("lost"), "\(command): \(outcome)")
    }
  }

  /// An index is made anew.
  @Test(arguments: ["index", "timeindex"]) func anIndexBehindALinkThatLeadsNowhereIsRebuilt(
    _ kind: String
  ) throws {
    let log = try copy("codec-lz4")
    let name = segments(log)[0].dropLast(4) + ".\(kind)"
    try Tool.bash("cd '\(log)' && rm \(name) && ln -s /nonexistent \(name)")
    for command in [["verify"], ["recover", "--dry-run"], ["recover"], ["verify"]] {
      let outcome = try Tool.run(command + [log])
      #expect(outcome.status == 0, "\(command): \(outcome)")
    }
    #expect(try !TestData.content("\(log)/\(name)").isEmpty)
    #expect(try !Tool.run(["verify", log]).text.contains("to be repaired"))
  }

  @Test func anIndexThatCannotBeOpenedCostsNoRecord() throws {
    let log = try copy("codec-lz4")
    let before = try offsets(log)
    try Tool.bash("cd '\(log)' && for i in *.index *.timeindex; do rm $i; mkdir $i; done")
    let after = try offsets(log)
    #expect(after.offsets == before.offsets && after.status == 0, "\(after.messages)")
    #expect(try Tool.run(["info", log]).status == 0)
    let verified = try Tool.run(["verify", log])
    #expect(verified.status == 0)
    #expect(verified.text.contains("ok: \(before.offsets.count) records"), "\(verified.text)")
    #expect(try Tool.run(["recover", log]).status == 0)
    #expect(try Tool.run(["verify", log]).text.contains("no damage"))
  }

  // MARK: What is lost

  @Test func aSegmentThatWasTakenAwayIsToldByItsIndex() throws {
    let log = try copy("txn-commit-abort")
    let names = segments(log)
    let (lost, next) = (Int(names[1].dropLast(4))!, Int(names[2].dropLast(4))!)
    let before = try offsets(log)
    try FileManager.default.removeItem(atPath: log + "/" + names[1])
    let verified = try Tool.run(["verify", log])
    #expect(verified.status == 3)
    #expect(verified.text.contains("offsets \(lost) to \(next - 1) lost"), "\(verified.text)")
    let found = try offsets(log)
    #expect(found.status == 3 && found.messages.contains("offsets \(lost) to \(next - 1) lost"))
    #expect(found.offsets == before.offsets.filter { !(lost..<next).contains($0) })
    #expect(try Tool.run(["recover", log, "--dry-run"]).status == 3)
    #expect(try Tool.run(["recover", log]).status == 3)
    // Nothing of it is forgotten by that.
    #expect(try offsets(log).messages == found.messages)
    #expect(try Tool.run(["verify", log]).text == verified.text)
  }

  /// Where the last segment is gone, what is appended goes on behind its offsets.
  @Test func offsetsOfALastSegmentThatWasTakenAwayAreNotGivenOutAgain() throws {
    let log = try copy("txn-commit-abort")
    let names = segments(log).map { String($0.dropLast(4)) }
    let indexed = try names.lastIndex { try !TestData.content("\(log)/\($0).index").isEmpty }
    let last = try #require(indexed)
    for name in names[(last + 1)...] { try Tool.bash("rm '\(log)/\(name)'.*") }
    let given = try offsets(log).offsets
    try FileManager.default.removeItem(atPath: "\(log)/\(names[last]).log")
    for _ in 0..<2 { #expect(try Tool.run(["recover", log]).status == 3) }
    let told = try Tool.run(["append", log], input: Data("x\n".utf8))
    #expect(told.status == 0, "\(told.messages)")
    // An index does not know of the batches behind its last entry.
    let appended = try #require(try offsets(log).offsets.last)
    #expect(appended > Int(names[last])! && appended <= given.last! + 1, "\(appended)")
  }

  /// An empty segment behind it says that the offsets were given out: nothing is cut.
  @Test func damageBeforeAnEmptySegmentIsNoUnfinishedWrite() throws {
    let log = try copy("txn-commit-abort")
    let names = segments(log)
    try Data().write(to: URL(filePath: log + "/" + names[3]))
    let path = log + "/" + names[2]
    var bytes = try TestData.content(path)
    bytes[bytes.count - 3] ^= 1
    try bytes.write(to: URL(filePath: path))
    #expect(try offsets(log).status == 3)
    #expect(try Tool.run(["recover", log]).status == 3)
    #expect(try TestData.content(path) == bytes)
    #expect(try offsets(log).status == 3)
  }

  // MARK: recover

  /// Opening looks at the unsynced end alone: `recover` is asked about all of the store.
  @Test func recoverMendsAndReportsWhatVerifyFinds() throws {
    let log = try copy("txn-commit-abort")
    let store = directory.path("store")
    try Data().write(to: URL(filePath: store + "/.kafka_cleanshutdown"))
    let names = segments(log)
    let index = log + "/" + names[0].dropLast(4) + ".index"
    var entries = try TestData.content(index)
    entries[7] ^= 1
    try entries.write(to: URL(filePath: index))
    let wrong = try Tool.run(["verify", store])
    #expect(wrong.status == 0 && wrong.text.contains("to be repaired: \(index)"), "\(wrong.text)")
    let planned = try Tool.run(["recover", store, "--dry-run"])
    #expect(planned.status == 0 && planned.text.contains("would be rebuilt: \(index)"))
    #expect(try TestData.content(index) == entries)
    let mended = try Tool.run(["recover", store])
    #expect(mended.status == 0 && mended.text.contains("rebuilt \(index)"), "\(mended.text)")
    #expect(try Tool.run(["verify", store]).status == 0)

    let path = log + "/" + names[1]
    var bytes = try TestData.content(path)
    bytes[bytes.count / 2] ^= 1
    try bytes.write(to: URL(filePath: path))
    let verified = try Tool.run(["verify", store])
    for arguments in [["recover", store, "--dry-run"], ["recover", store]] {
      let outcome = try Tool.run(arguments)
      #expect(outcome.status == 3, "\(arguments)")
      let range = try #require(verified.lines.first).dropFirst("damaged: ".count)
      #expect(outcome.text.contains(range), "\(outcome.text)")
    }
  }

  /// A batch that stands twice takes no offset away, but it is damage, and `fetch` says so as well.
  @Test func fetchTellsOfDamageThatCostsNoOffset() throws {
    let log = try copy("codec-lz4")
    let path = log + "/" + segments(log)[0]
    let before = try offsets(log)
    let bytes = try TestData.content(path)
    let length = bytes[8..<12].reduce(0) { $0 << 8 | Int($1) } + 12
    try (bytes.prefix(length) + bytes).write(to: URL(filePath: path))
    let found = try offsets(log)
    #expect(found.offsets == before.offsets)
    #expect(found.status == 3 && found.messages.contains("no offsets lost"), "\(found.messages)")
  }
}
