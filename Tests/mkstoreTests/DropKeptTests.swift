import Foundation
import LogStore
import Testing

@testable import mkstore

/// `info` shows what recovery kept of each log, and `recover --drop-kept` removes it, and only it.
struct DropKeptTests {
  private let directory: TemporaryDirectory
  private var store: String { directory.path("store") }
  private func log(_ name: String) -> String { "\(store)/\(name)" }

  /// A store with two torn logs of a broker (2796 bytes are cut of each) and a log of ours.
  init() throws {
    directory = try TemporaryDirectory()
    let made = try Tool.run(
      ["append", directory.path("store/orders-0"), "--create"], input: Data("a\nb\n".utf8))
    try #require(made.status == 0, "\(made.messages)")
    let source = TestData.fixtures + "/kafka/unclean-torn/unclean-0"
    for name in ["unclean-0", "unclean-1"] {
      _ = try directory.copy(source, to: "store/\(name)")
    }
    try FileManager.default.removeItem(atPath: directory.path("store/.kafka_cleanshutdown"))
  }

  private func recover() throws {
    let outcome = try Tool.run(["recover", store])
    try #require(outcome.status == 0, "\(outcome.messages)")
  }

  private func keptNames(_ name: String) -> [String] { TestData.names(in: log(name) + "/.bad") }
  private func drop(_ arguments: String...) throws -> Tool.Outcome {
    try Tool.run(["recover", "--drop-kept"] + arguments)
  }

  private func content() throws -> [String: Data] {
    var found: [String: Data] = [:]
    for name in TestData.names(in: store) where name.hasSuffix("-0") || name.hasSuffix("-1") {
      for file in TestData.names(in: log(name)) where file != ".bad" && file != "mkstore.history" {
        found["\(name)/\(file)"] = try TestData.content("\(log(name))/\(file)")
      }
    }
    return found
  }

  // MARK: info

  @Test func infoCountsWhatIsKept() throws {
    let clean = try #require(try Tool.run(["info", log("orders-0"), "--json"]).objects.first)
    #expect(clean["keptFiles"] as? Int == 0 && clean["historyBytes"] as? Int == 0)
    #expect(clean["oldestKeptMs"] is NSNull)
    let before = Int(Date().timeIntervalSince1970 * 1000)
    try recover()
    let found = try #require(try Tool.run(["info", log("unclean-0"), "--json"]).objects.first)
    #expect(found["keptFiles"] as? Int == 1 && found["keptBytes"] as? Int == 2796)
    let history = try TestData.content(log("unclean-0") + "/mkstore.history").count
    #expect(found["historyBytes"] as? Int == history)
    let kept = try #require(found["oldestKeptMs"] as? Int)
    // The clock of a file's times may be a few milliseconds behind.
    #expect(kept >= before - 100 && kept <= before + 600_000)
    let text = try Tool.run(["info", log("unclean-0")]).lines
    #expect(text.contains { $0.hasPrefix("kept       1 file, 2796 bytes, the oldest of 20") })
    #expect(text.contains { $0.hasPrefix("history    ") && $0.contains(" lines, ") })
  }

  @Test func infoSumsUpAStore() throws {
    try recover()
    let objects = try Tool.run(["info", store, "--json"]).objects
    let sum = try #require(objects.first)
    #expect(sum["type"] as? String == "store")
    #expect(sum["keptFiles"] as? Int == 2 && sum["keptBytes"] as? Int == 2 * 2796)
    let histories = objects.dropFirst().compactMap { $0["historyBytes"] as? Int }.reduce(0, +)
    #expect(histories > 0 && sum["historyBytes"] as? Int == histories)
    let lines = try Tool.run(["info", store]).lines
    #expect(lines.contains { $0.hasPrefix("kept       2 files, 5592 bytes") }, "\(lines)")
  }

  // MARK: recover --drop-kept

  @Test func aDryRunTellsWhatTheRunRemoves() throws {
    try recover()
    let before = try content()
    let foreseen = try drop(store, "--dry-run", "--json")
    #expect(foreseen.status == 0 && keptNames("unclean-0").count == 1)
    let text = try drop(store, "--dry-run")
    #expect(text.text.contains("would be removed"))
    let done = try drop(store, "--json")
    #expect(done.status == 0, "\(done.messages)")
    let expected = foreseen.text.replacingOccurrences(of: "Run\":true", with: "Run\":false")
    #expect(done.text == expected)
    let sum = try #require(try done.objects.last)
    #expect(sum["keptFiles"] as? Int == 2 && sum["keptBytes"] as? Int == 5592)
    #expect(sum["histories"] as? Int == 2 && sum["logs"] as? Int == 3)
    for name in ["unclean-0", "unclean-1"] {
      #expect(!TestData.names(in: log(name)).contains { [".bad", "mkstore.history"].contains($0) })
    }
    #expect(try content() == before)
    let again = try drop(store)
    #expect(again.status == 0 && again.text.contains("0 kept files with 0 bytes"))
    #expect(try Tool.run(["info", log("unclean-0")]).lines.contains("history    empty"))
  }

  @Test func oneLogIsDroppedAlone() throws {
    try recover()
    let other = keptNames("unclean-1")
    let outcome = try drop(log("unclean-0") + "/")
    #expect(outcome.status == 0 && outcome.lines.count == 3, "\(outcome)")
    #expect(outcome.lines.last?.hasPrefix("1 log looked at: 1 kept file with 2796 bytes") == true)
    #expect(keptNames("unclean-0").isEmpty && keptNames("unclean-1") == other)
    // The shell's "here".
    let here = try Tool.run(["recover", "--drop-kept", "."], directory: log("unclean-1"))
    #expect(here.status == 0 && keptNames("unclean-1").isEmpty, "\(here)")
  }

  @Test func aStoreInUseIsFive() throws {
    try recover()
    let files = try TemporaryDirectory()
    let writer = try Running(
      ["append", log("orders-0"), "--acks", "--linger", "0"], files: files, input: nil)
    try #require(writer.input).write(contentsOf: Data("c\n".utf8))
    #expect(try writer.waitForLines(1))
    #expect(try drop(store).status == 5)
    #expect(try drop(log("unclean-0")).status == 5)
    #expect(try drop(store, "--dry-run").status == 0)
    #expect(keptNames("unclean-0").count == 1)
    try writer.input?.close()
    _ = try writer.outcome()
    #expect(try drop(store).status == 0 && keptNames("unclean-0").isEmpty)
  }

  @Test func whatRecoveryDidNotKeepIsOne() throws {
    try recover()
    let foreign = log("unclean-0") + "/.bad/copies"
    try FileManager.default.createDirectory(
      atPath: foreign, withIntermediateDirectories: false)
    for arguments in [[store, "--dry-run"], [store]] {
      let outcome = try Tool.run(["recover", "--drop-kept"] + arguments)
      #expect(outcome.status == 1 && outcome.messages.contains(foreign), "\(outcome)")
    }
    #expect(keptNames("unclean-0") == ["copies"] && keptNames("unclean-1").isEmpty)
  }

  @Test func aDirectoryOfOtherThingsIsTwo() throws {
    _ = try directory.file("notes.txt", "x".utf8)
    try FileManager.default.createDirectory(
      atPath: directory.path("a/.bad"), withIntermediateDirectories: true)
    _ = try directory.file("a/.bad/x", "x".utf8)
    #expect(try drop(directory.path("a")).status == 2)
    #expect(try drop(directory.path("missing")).status == 1)
    #expect(TestData.names(in: directory.path("a/.bad")) == ["x"])
  }

  /// What is lost is noted in `mkstore.lost`, and what is damaged is in the segments.
  @Test func damageIsToldAsBefore() throws {
    let lost = log("codec-lz4-0")
    _ = try directory.copy(TestData.kafka("codec-lz4"), to: "store/codec-lz4-0")
    let first = lost + "/00000000000000000000.log"
    var bytes = try TestData.content(first)
    bytes[100] ^= 1
    try bytes.write(to: URL(filePath: first))
    // Records at the end are gone, which only the indexes tell of until the opening trims them.
    let last = lost + "/00000000000000000720.log"
    let whole = Array(try TestData.content(last))
    let length = whole[8..<12].reduce(0) { $0 << 8 | Int($1) }
    try Data(whole.prefix(12 + length)).write(to: URL(filePath: last))
    #expect(try Tool.run(["recover", store]).status == 3)
    let before = try Tool.run(["verify", store])
    #expect(before.status == 3 && before.text.contains("damaged"))
    #expect(keptNames("unclean-0").count == 1)
    #expect(try drop(store).status == 0)
    let after = try Tool.run(["verify", store])
    let notKept = before.lines.filter { !$0.contains("bytes that recovery kept aside") }
    #expect(after.status == 3 && after.lines == notKept)
    #expect(keptNames("unclean-0").isEmpty)
  }

  // MARK: serve

  @Test func servesBoundsAreRead() throws {
    func config(_ pairs: [(name: String, value: String)]) throws -> LogConfigBounds {
      let found = try ServeSettings(commandLine: [("data", "d")] + pairs, file: nil).store.log
      return LogConfigBounds(keptBytesMax: found.keptBytesMax, lines: found.historyLinesMax)
    }
    #expect(try config([]) == LogConfigBounds(keptBytesMax: nil, lines: 200))
    #expect(try config([("kept.bytes.max", "-1")]).keptBytesMax == nil)
    #expect(try config([("kept.bytes.max", "0")]).keptBytesMax == 0)
    #expect(try config([("kept.bytes.max", "1048576")]).keptBytesMax == 1_048_576)
    #expect(try config([("history.lines.max", "1")]).lines == 1)
    #expect(try config([("history.lines.max", "10000")]).lines == 10_000)
    for (name, value) in [
      ("kept.bytes.max", "-2"), ("kept.bytes.max", "1M"), ("history.lines.max", "0"),
      ("history.lines.max", "10001"),
    ] {
      let error = #expect(throws: CommandFailure.self) { try config([(name, value)]) }
      #expect(error?.status == .usage && error?.message?.contains(name) == true)
    }
  }

  private struct LogConfigBounds: Equatable {
    var keptBytesMax: Int?
    var lines: Int
  }
}
