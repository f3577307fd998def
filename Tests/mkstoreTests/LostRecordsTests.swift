import Foundation
import Testing

@testable import mkstore

/// Records that are gone from a broker's directory without a damaged byte: what is left beside the
/// log tells which, and nothing that holds the last copy of a record is removed.
struct LostRecordsTests {
  private let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  /// A writable copy of a fixture's log, in a store of its own.
  private func copy(_ name: String, _ store: String = "store") throws -> String {
    let source = TestData.kafka(name)
    let path = directory.path("\(store)/" + URL(filePath: source).lastPathComponent)
    try FileManager.default.createDirectory(
      atPath: directory.path(store), withIntermediateDirectories: true)
    try Tool.bash("cp -r '\(source)' '\(path)' && chmod -R u+w '\(path)'")
    return path
  }

  private func offsets(_ log: String) throws -> [Int] {
    let outcome = try Tool.run(["fetch", log, "--format", "%o\\n", "--include-control"])
    return outcome.lines.compactMap { Int($0) }
  }

  /// Positions and base offsets of a segment's batches, by the lengths they state.
  private func batches(_ path: String) throws -> [(position: Int, offset: Int)] {
    let bytes = Array(try TestData.content(path))
    func number(_ position: Int, _ count: Int) -> Int {
      bytes[position..<position + count].reduce(0) { $0 << 8 | Int($1) }
    }
    var found: [(position: Int, offset: Int)] = []
    var position = 0
    while position < bytes.count {
      found.append((position, number(position, 8)))
      position += 12 + number(position + 8, 4)
    }
    return found
  }

  private func truncate(_ path: String, to size: Int) throws {
    try TestData.content(path).prefix(size).write(to: URL(filePath: path))
  }

  private func remove(_ names: String, in log: String) throws {
    try Tool.bash("cd '\(log)' && rm -f \(names)")
  }

  private let first = "00000000000000000000.log"
  private let last = "00000000000000000720.log"

  // MARK: The log's end

  /// Kafka's files say 1000 by the snapshot of its clean stop, 1000 by the last entry of the time
  /// index, 960 by that of the offset index.
  @Test(arguments: [(kept: "all", end: 1000), ("no snapshot", 1000), ("offset index", 960)])
  func aLogCutBetweenTwoBatchesTellsWhatIsLost(_ beside: (kept: String, end: Int)) throws {
    for (position, offset) in try batches(TestData.kafka("codec-lz4") + "/" + last) {
      let log = try copy("codec-lz4", "cut-\(position)")
      try truncate(log + "/" + last, to: position)
      if beside.kept != "all" { try remove("*.snapshot", in: log) }
      if beside.kept == "offset index" { try remove("*720.timeindex", in: log) }
      let range = "offsets \(offset) to \(beside.end - 1) lost"
      // Behind the last entry of the offset index nothing is known.
      guard offset < beside.end else { continue }
      let verified = try Tool.run(["verify", log])
      #expect(verified.status == 3)
      #expect(verified.text.contains(range), "\(position): \(verified.text)")
      #expect(verified.text.contains("whether more followed is not known"))
      #expect(try offsets(log) == Array(0..<offset))
      let recovered = try Tool.run(["recover", log])
      #expect(recovered.status == 3)
      #expect(recovered.text.contains(range), "\(recovered.text)")
      #expect(
        try String(decoding: TestData.content(log + "/mkstore.history"), as: UTF8.self)
          .contains(range))
      #expect(try offsets(log) == Array(0..<offset))
    }
  }

  @Test func aTornEndWhoseIndexGoesFurtherTellsWhatIsLost() throws {
    let log = try copy("codec-lz4")
    // In the middle of the batch of the offsets 780 to 833; the time index ends at 999.
    try truncate(log + "/" + last, to: 3000)
    let verified = try Tool.run(["verify", log])
    #expect(verified.status == 3)
    #expect(verified.text.contains("unfinished write: "), "\(verified.text)")
    #expect(verified.text.contains("offsets 780 to 999 lost"), "\(verified.text)")
    let recovered = try Tool.run(["recover", log])
    #expect(recovered.status == 3 && recovered.text.contains("offsets 780 to 999 lost"))
    #expect(try offsets(log) == Array(0..<780))
  }

  @Test func aRottenIndexTellsOfNoLoss() throws {
    let log = try copy("codec-lz4")
    try remove("*.snapshot *720.timeindex", in: log)
    // Beyond the end by its offset, before it by its position; and then entries that do not rise.
    for bytes in [[0, 0, 9, 0, 0, 0, 1, 0], [0, 0, 9, 0, 0, 1, 0, 0, 0, 0, 8, 0, 0, 1, 1, 0]] {
      try Data(bytes.map { UInt8($0) } + [0, 0, 10, 0, 0, 0, 2, 0])
        .write(to: URL(filePath: log + "/00000000000000000720.index"))
      let verified = try Tool.run(["verify", log])
      #expect(verified.status == 0 && verified.text.contains("to be repaired: "))
      #expect(!verified.text.contains("lost"), "\(verified.text)")
    }
  }

  @Test func aLogWithoutASegmentTellsHowFarItHadCome() throws {
    let log = try copy("codec-lz4")
    try remove("*.log *.index *.timeindex", in: log)
    let verified = try Tool.run(["verify", log])
    #expect(verified.status == 3)
    #expect(verified.text.contains("offsets 0 to 999 lost"), "\(verified.text)")
    let recovered = try Tool.run(["recover", log])
    #expect(recovered.status == 3 && recovered.text.contains("offsets 0 to 999 lost"))
    // A consumer has seen them: they are not given out again.
    #expect(try Tool.run(["info", log]).text.contains(" to 1000 (exclusive)"))
  }

  // MARK: Between two segments

  @Test func aSealedSegmentThatLostItsEndTellsTheHole() throws {
    for (position, offset) in try batches(TestData.kafka("codec-lz4") + "/" + first) {
      let log = try copy("codec-lz4", "sealed-\(position)")
      try truncate(log + "/" + first, to: position)
      let range = "offsets \(offset) to 719 lost"
      let verified = try Tool.run(["verify", log])
      #expect(verified.status == 3 && verified.text.contains(range), "\(verified.text)")
      let left = Array(0..<offset) + Array(720..<1000)
      #expect(try offsets(log) == (offset == 0 ? Array(720..<1000) : left))
      let recovered = try Tool.run(["recover", log])
      #expect(recovered.status == 3 && recovered.text.contains(range), "\(recovered.text)")
      #expect(try offsets(log) == (offset == 0 ? Array(720..<1000) : left))
    }
  }

  /// Removing it as an empty one took away all that told of the loss.
  @Test func anEmptiedSegmentIsTellingForGood() throws {
    let log = try copy("codec-lz4")
    try truncate(log + "/" + first, to: 0)
    #expect(try Tool.run(["recover", log]).status == 3)
    for _ in 0..<2 {
      let verified = try Tool.run(["verify", log])
      #expect(verified.status == 3)
      #expect(verified.text.contains("offsets 0 to 719 lost"), "\(verified.text)")
      #expect(try Tool.run(["recover", log]).status == 3)
    }
    #expect(try offsets(log) == Array(720..<1000))
  }

  @Test func aCutSegmentBeforeALostOneTellsOfBoth() throws {
    let log = try copy("codec-lz4")
    try truncate(log + "/" + first, to: 29043)
    try remove(last, in: log)
    for command in ["verify", "recover"] {
      let outcome = try Tool.run([command, log])
      #expect(outcome.status == 3)
      #expect(outcome.text.contains("offsets 660 to 719 lost"), "\(outcome.text)")
      #expect(outcome.text.contains("offsets 720 to 999 lost"), "\(outcome.text)")
    }
  }

  @Test func anIndexInTheMiddleOfASegmentIsNoLostSegment() throws {
    let log = try copy("codec-lz4")
    try Tool.bash("cd '\(log)' && cp *720.index 00000000000000000017.index")
    let verified = try Tool.run(["verify", log])
    #expect(!verified.text.contains("lost"), "\(verified.text)")
    #expect(try Tool.run(["recover", log]).status == 0)
    #expect(try offsets(log) == Array(0..<1000))
  }

  /// Going on behind damage that reaches up to the name of a file with the last offset there is
  /// ended the process.
  @Test func theLastOffsetThereIsEndsNoFetch() throws {
    let log = try copy("codec-lz4")
    let whole = try TestData.content(log + "/" + last)
    try (whole + Data(repeating: 1, count: 40)).write(to: URL(filePath: log + "/" + last))
    try Tool.bash("cd '\(log)' && touch ../.kafka_cleanshutdown 09223372036854775807.log")
    let outcome = try Tool.run(["fetch", log, "--format", "%o\\n"])
    #expect(outcome.status == 3)
    #expect(outcome.lines.compactMap { Int($0) } == Array(0..<1000))
  }

  // MARK: Last copies

  @Test(arguments: ["cleaned", "swap"])
  func unfinishedWorkOfACleanerIsKeptWhereItIsTheLastCopy(_ stage: String) throws {
    let log = try copy("codec-lz4")
    let bytes = try TestData.content(log + "/" + last)
    try Tool.bash("cd '\(log)' && mv \(last) \(last).\(stage)")
    try remove("*720.index *720.timeindex *.snapshot", in: log)
    // Of a split, whose files all are unfinished while one of them is.
    if stage == "swap" { try Tool.bash("cd '\(log)' && touch 00000000000000000300.log.cleaned") }
    let verified = try Tool.run(["verify", log])
    #expect(verified.status == 3)
    #expect(verified.text.contains("offsets 720 to 999 lost"), "\(verified.text)")
    let recovered = try Tool.run(["recover", log])
    #expect(recovered.status == 3 && recovered.text.contains("offsets 720 to 999 lost"))
    #expect(try offsets(log) == Array(0..<720))
    let kept = "\(log)/.bad/\(last).\(stage)@0+\(bytes.count)"
    #expect(try TestData.content(kept) == bytes)
  }

  @Test func unfinishedWorkBesideWhatItIsMadeOfIsRemoved() throws {
    let log = try copy("codec-lz4")
    try Tool.bash("cd '\(log)' && cp \(first) \(first).cleaned")
    #expect(try Tool.run(["verify", log]).status == 0)
    #expect(try Tool.run(["recover", log]).status == 0)
    #expect(!TestData.names(in: log).contains { $0.hasSuffix(".cleaned") })
    #expect(!TestData.names(in: log).contains(".bad"))
    #expect(try offsets(log) == Array(0..<1000))
  }

  /// Damage in the segment; the unfinished copy has those records whole.
  @Test func unfinishedWorkThatHoldsWhatIsDamagedIsKept() throws {
    let log = try copy("codec-lz4")
    try Tool.bash("cd '\(log)' && cp \(first) \(first).cleaned")
    var bytes = try TestData.content(log + "/" + first)
    bytes[5000] ^= 1
    try bytes.write(to: URL(filePath: log + "/" + first))
    #expect(try Tool.run(["recover", log]).status == 3)
    #expect(TestData.names(in: log + "/.bad").contains { $0.hasPrefix(first + ".cleaned@0+") })
  }

  /// Only the indexes of a replacement are left: they were to be removed and renamed both.
  @Test func indexesOfAReplacementThatIsGoneKeepNoLogClosed() throws {
    let log = try copy("codec-lz4")
    try Tool.bash(
      "cd '\(log)' && mv \(first) \(first).gone && mv *000.index 00000000000000000000.index.swap"
        + " && cp \(last) \(last).swap")
    #expect(try Tool.run(["recover", log]).status != 1)
    #expect(try offsets(log) == Array(720..<1000))
  }

  @Test func twoCutsAtOnePlaceAreBothKept() throws {
    let log = try copy("codec-lz4")
    let whole = try TestData.content(log + "/" + last)
    for byte in [UInt8(ascii: "x"), UInt8(ascii: "y"), UInt8(ascii: "x")] {
      try remove("mkstore.mark ../.kafka_cleanshutdown", in: log)
      try (whole + Data(repeating: byte, count: 100)).write(to: URL(filePath: log + "/" + last))
      #expect(try Tool.run(["recover", log]).status == 0)
      #expect(try TestData.content(log + "/" + last) == whole)
    }
    let kept = TestData.names(in: log + "/.bad").map { "\(log)/.bad/\($0)" }
    #expect(try Set(kept.map { try TestData.content($0).first }) == [120, 121])
    #expect(kept.count == 2)
  }

  // MARK: Nothing to mend

  /// Opened with nothing to mend and nothing to append, a log keeps its indexes to the last entry.
  @Test(arguments: ["codec-lz4", "log-append-time"])
  func openingAgainLeavesTheIndexesAsTheyAre(_ name: String) throws {
    let log = try copy(name)
    #expect(try Tool.run(["recover", log]).status == 0)
    let names = TestData.names(in: log).filter { $0.hasSuffix("index") }
    #expect(!names.isEmpty)
    let before = try names.map { try TestData.content(log + "/" + $0) }
    for _ in 0..<2 {
      #expect(try Tool.run(["recover", log]).status == 0)
      #expect(try names.map { try TestData.content(log + "/" + $0) } == before)
    }
  }
}
