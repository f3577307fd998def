import Foundation
import Testing

@testable import mkstore

/// `mkstore trim` and `mkstore truncate`.
struct RemovalTests {
  private let directory: TemporaryDirectory
  private let log: String
  private var store: String { directory.path("store") }

  /// Sixty records in twelve batches of five, over several segments; a record's time is its number
  /// in seconds.
  init() throws {
    directory = try TemporaryDirectory()
    log = directory.path("store/orders-0")
    let input = (0..<60).map { #"{"value":"v\#($0)","timestamp":\#($0 * 1000)}"# + "\n" }
    let made = try Tool.run(
      [
        "append", log, "--create", "--input", "ndjson", "--batch-records", "5",
        "--segment-bytes", "400",
      ], input: Data(input.joined().utf8))
    try #require(made.status == 0, "\(made.messages)")
    try #require(names(".log").count >= 4)
  }

  private func names(_ ending: String) -> [String] {
    TestData.names(in: log).filter { $0.hasSuffix(ending) }.sorted()
  }

  private func values() throws -> [String] {
    let outcome = try Tool.run(["fetch", log, "--format", "%s\\n"])
    #expect(outcome.status == 0, "\(outcome.messages)")
    return outcome.lines
  }

  private func expectValues(_ range: Range<Int>) throws {
    #expect(try values() == range.map { "v\($0)" })
    #expect(try Tool.run(["verify", store]).status == 0)
  }

  // MARK: Trim

  @Test func recordsBeforeAnOffsetAreDeleted() throws {
    let outcome = try Tool.run(["trim", log, "--before-offset", "33"])
    #expect(outcome.status == 0, "\(outcome.messages)")
    let line = try #require(outcome.lines.first)
    #expect(line.hasPrefix("orders-0: deleted offsets 0 to 32, "), "\(line)")
    let rest = "to be unlinked by the next opening; it holds offsets 33 to 60 (exclusive)"
    #expect(line.hasSuffix(rest), "\(line)")
    #expect(!names(".deleted").isEmpty)
    try expectValues(33..<60)
    // Durable in a file of ours, whatever becomes of Kafka's checkpoint.
    try FileManager.default.removeItem(atPath: "\(store)/log-start-offset-checkpoint")
    try expectValues(33..<60)
    let again = try Tool.run(["trim", log, "--before-offset", "12"])
    #expect(again.lines == ["orders-0: nothing to delete; it holds offsets 33 to 60 (exclusive)"])
    #expect(names(".deleted").isEmpty, "the opening unlinked them")
    try expectValues(33..<60)
  }

  @Test func filesAreUnlinkedAtOnceWhereThatIsAsked() throws {
    let before = names(".log")
    let outcome = try Tool.run(["trim", log, "--before-offset", "end", "--now", "--json"])
    #expect(outcome.status == 0, "\(outcome.messages)")
    let object = try #require(try outcome.objects.first)
    #expect(object["type"] as? String == "trimmed")
    #expect(object["logStartOffset"] as? Int == 60 && object["logEndOffset"] as? Int == 60)
    #expect(object["removedSegments"] as? Int == before.count - 1, "the last one stays")
    #expect(names(".deleted").isEmpty)
    #expect(names(".log") == [try #require(before.last)])
    try expectValues(60..<60)
  }

  @Test(arguments: [("1970-01-01T00:00:41Z", 41), ("40500", 41), ("0", 0), ("now", 60)])
  func recordsBeforeATimeAreDeleted(_ time: String, _ first: Int) throws {
    let outcome = try Tool.run(["trim", log, "--before-time", time])
    #expect(outcome.status == 0, "\(outcome.messages)")
    try expectValues(first..<60)
  }

  // MARK: Truncate

  private func logs() throws -> [String: Data] {
    var files: [String: Data] = [:]
    for name in names(".log") { files[name] = try TestData.content("\(log)/\(name)") }
    return files
  }

  @Test(arguments: [0, 5, 30, 55])
  func recordsFromAnOffsetOnAreRemovedAndPutBackByTheCommandThatIsNamed(_ offset: Int) throws {
    let before = try logs()
    let outcome = try Tool.run(["truncate", log, "--from-offset", "\(offset)"])
    #expect(outcome.status == 0, "\(outcome.messages)")
    #expect(
      outcome.lines.first
        == "orders-0: removed offsets \(offset) to 59; the log ends at offset \(offset), "
        + "leader epoch 1", "\(outcome.lines)")
    for line in outcome.lines where line.hasPrefix("  kept ") {
      let path = String(line.dropFirst("  kept ".count))
      let name = try #require(path.split(separator: "/").last?.split(separator: "@").first)
      #expect(try TestData.content(path) == before[String(name)])
    }
    try expectValues(0..<offset)
    let undo = try #require(outcome.lines.last)
    #expect(undo.hasPrefix("  undo: mkstore truncate "))
    let command = undo.dropFirst("  undo: mkstore ".count).split(separator: " ").map(String.init)
    let undone = try Tool.run(command)
    #expect(undone.status == 0, "\(undone.messages)")
    let end = "the log ends at offset 60, leader epoch 1"
    #expect(undone.lines == ["orders-0: put back offsets \(offset) to 59; \(end)"])
    #expect(try logs() == before)
    try expectValues(0..<60)
    // And the log goes on.
    let more = try Tool.run(["append", log], input: Data("v60\n".utf8))
    #expect(more.status == 0)
    try expectValues(0..<61)
  }

  @Test func whatCannotBeDoneIsSaid() throws {
    let before = try logs()
    let inside = try Tool.run(["truncate", log, "--from-offset", "32"])
    #expect(inside.status == 1)
    #expect(
      inside.messages.contains(
        "offset 32 is within the batch of the offsets 30 to 34; give 30 or 35"),
      "\(inside.messages)")
    for (command, text) in [
      (["truncate", "--from-offset", "61"], "offset 61 is out of range"),
      (["truncate", "--undo"], "there is nothing to put back"),
      (["trim", "--before-offset", "61"], "offset 61 is out of range"),
    ] {
      let outcome = try Tool.run([command[0], log] + command.dropFirst())
      #expect(outcome.status == 1 && outcome.messages.contains(text), "\(outcome.messages)")
    }
    for command in [
      ["truncate"], ["truncate", "--undo", "--from-offset", "5"], ["trim"],
      ["trim", "--before-offset", "1", "--before-time", "0"],
    ] {
      #expect(try Tool.run([command[0], log] + command.dropFirst()).status == 2)
    }
    #expect(try Tool.run(["trim", store, "--before-offset", "1"]).status == 2)
    let none = try Tool.run(["truncate", "\(store)/none-0", "--from-offset", "0"])
    #expect(none.status == 1 && none.messages.contains("does not exist"), "\(none.messages)")
    let nothing = try Tool.run(["truncate", log, "--from-offset", "60"])
    #expect(nothing.status == 0)
    #expect(
      nothing.lines
        == ["orders-0: nothing to remove; the log ends at offset 60, leader epoch 0"])
    #expect(try logs() == before)
  }

  @Test func recordsThatWereAppendedSinceAreNotOverwritten() throws {
    #expect(try Tool.run(["truncate", log, "--from-offset", "40"]).status == 0)
    #expect(try Tool.run(["append", log], input: Data("new\n".utf8)).status == 0)
    let undone = try Tool.run(["truncate", log, "--undo"])
    #expect(undone.status == 1)
    #expect(
      undone.messages.contains("records were appended since the truncation, at offsets 40 to 40"),
      "\(undone.messages)")
    #expect(try values() == (0..<40).map { "v\($0)" } + ["new"])
    #expect(try Tool.run(["recover", "--drop-kept", store]).status == 0)
    #expect(try Tool.run(["truncate", log, "--from-offset", "40"]).status == 0)
    #expect(try Tool.run(["recover", "--drop-kept", store]).status == 0)
    let gone = try Tool.run(["truncate", log, "--undo"])
    #expect(gone.status == 1 && gone.messages.contains("/.bad/"), "\(gone.messages)")
    try expectValues(0..<40)
  }
}
