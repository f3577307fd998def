import Foundation
import MkstoreProcessTesting
import Testing

@testable import mkstore

/// Following, stopping and being killed.
struct ProcessTests {
  private let directory: TemporaryDirectory
  private var log: String { directory.path("store/orders-0") }

  init() throws { directory = try TemporaryDirectory() }

  @Test func followPrintsWhatIsAppended() throws {
    #expect(try Tool.run(["append", log, "--create"], input: Data("a\n".utf8)).status == 0)
    let files = try TemporaryDirectory()
    let reader = try Running(
      ["fetch", log, "--follow", "--max-records", "6"], files: files, input: Data())
    #expect(try reader.waitForLines(1))
    for text in ["b\n", "c\nd\n"] {
      // Small segments: following goes on in the next one.
      let outcome = try Tool.run(
        ["append", log, "--segment-bytes", "100"], input: Data(text.utf8))
      #expect(outcome.status == 0)
    }
    #expect(try reader.waitForLines(4))
    #expect(reader.process.isRunning)
    #expect(try Tool.run(["append", log], input: Data("e\nf\ng\n".utf8)).status == 0)
    let outcome = try reader.outcome()
    #expect(outcome.text == "a\nb\nc\nd\ne\nf\n")
    #expect(outcome.status == 0)
  }

  @Test func followFromTheEndPrintsOnlyWhatIsNew() throws {
    #expect(try Tool.run(["append", log, "--create"], input: Data("old\n".utf8)).status == 0)
    let files = try TemporaryDirectory()
    let reader = try Running(
      ["fetch", log, "--follow", "--offset", "end"], files: files, input: Data())
    var appended = 0
    while try reader.output.isEmpty, appended < 500 {
      // However long the reader takes to start, one of these comes after it looked for the end.
      #expect(try Tool.run(["append", log], input: Data("new\n".utf8)).status == 0)
      appended += 1
    }
    reader.process.signal(SIGINT)
    let outcome = try reader.outcome()
    #expect(outcome.status == 130)
    #expect(Set(outcome.lines) == ["new"])
    #expect(outcome.messages.isEmpty, "\(outcome.messages)")
  }

  @Test(arguments: [SIGINT, SIGTERM])
  func aStoppedAppendKeepsAndCountsWhatItRead(_ signal: Int32) throws {
    let files = try TemporaryDirectory()
    let writer = try Running(
      ["append", log, "--create", "--json", "--acks", "--linger", "1h"], files: files, input: nil)
    // A full batch is acknowledged; what follows waits for its linger when the signal comes.
    try writer.input?.write(contentsOf: Data(repeating: 0x0A, count: 300_000))
    #expect(try writer.waitForLines(1))
    writer.process.signal(signal)
    let outcome = try writer.outcome()
    #expect(outcome.status == 130)
    let records = try #require(try outcome.objects.last?["records"] as? Int)
    #expect(records > 100_000)
    #expect(try Tool.run(["fetch", log]).output == Data(repeating: 0x0A, count: records))
    // It was closed in order: nothing is left to mend.
    let dryRun = try Tool.run(["recover", directory.path("store"), "--dry-run", "--json"])
    #expect(try dryRun.objects.first?["cleanStop"] as? Bool == true)
    try writer.input?.close()
  }

  @Test(arguments: ["flushed", "os", "interval:10"])
  func whatWasAcknowledgedSurvivesAKill(_ durability: String) throws {
    var acknowledged = 0
    for round in 0..<4 {
      let files = try TemporaryDirectory()
      let input = try files.file(
        "input", (0..<400_000).map { "round \(round) line \($0)\n" }.joined().utf8)
      let writer = try Running(
        [
          "append", log, "--create", "--json", "--acks", "--batch-records", "500",
          "--segment-bytes", "1M", "--durability", durability, input,
        ], files: files, input: Data())
      #expect(try writer.waitForLines(3 + round * 5))
      writer.process.signal(SIGKILL)
      _ = try writer.outcome()
      // The last line may be torn.
      let lines = String(decoding: try writer.output, as: UTF8.self).split(
        separator: "\n", omittingEmptySubsequences: false
      ).dropLast()
      let acks = try lines.compactMap { line -> Int? in
        let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
        return object?["type"] as? String == "ack" ? object?["lastOffset"] as? Int : nil
      }
      let last = try #require(acks.last)
      #expect(last >= acknowledged)
      acknowledged = last
      let fetched = try Tool.run(["fetch", log, "--format", "%o %s\\n"])
      #expect(fetched.status == 0, "\(fetched.messages)")
      #expect(fetched.lines.count > acknowledged)
      #expect(fetched.lines.enumerated().allSatisfy { $1.hasPrefix("\($0) round ") })
      let verified = try Tool.run(["verify", log])
      #expect(verified.status == 0, "\(verified.text)")
    }
    let recovered = try Tool.run(["recover", log, "--json"])
    #expect(recovered.status == 0, "\(recovered.messages)")
    let end = try #require(try recovered.objects.first?["logEndOffset"] as? Int)
    #expect(end > acknowledged)
  }

  @Test func recoverMendsATornEndAndTellsOfIt() throws {
    _ = try Tool.run(["append", log, "--create"], input: Data("a\nb\n".utf8))
    let source = TestData.fixtures + "/kafka/unclean-torn/unclean-0"
    _ = try directory.copy(source, to: "store/unclean-0")
    try FileManager.default.removeItem(atPath: directory.path("store/.kafka_cleanshutdown"))
    let plan = try Tool.run(["recover", directory.path("store"), "--dry-run"])
    #expect(plan.status == 0, "\(plan.messages)")
    #expect(plan.text.contains("-0/00000000000000000360.log at position 5016"), "\(plan.text)")
    let recovered = try Tool.run(["recover", directory.path("store"), "--json"])
    #expect(recovered.status == 0, "\(recovered.messages)")
    let report = try #require(
      try recovered.objects.first { $0["log"] as? String == "unclean-0" })
    #expect(report["logEndOffset"] as? Int == 420)
    let cut = try #require((report["cuts"] as? [[String: Any]])?.first)
    #expect(cut["position"] as? Int == 5016)
    #expect(cut["bytes"] as? Int == 2796)
    let kept = try #require(cut["keptAs"] as? String)
    #expect(try TestData.content(kept).count == 2796)
    // It stands in the log's history.
    let info = try Tool.run(["info", directory.path("store/unclean-0")])
    #expect(info.text.contains("cut 2796 bytes"), "\(info.text)")
    let again = try Tool.run(["recover", directory.path("store"), "--json"])
    #expect(try again.objects.last?["eventful"] as? Int == 0)
  }
}
