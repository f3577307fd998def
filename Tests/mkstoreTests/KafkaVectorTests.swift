import Foundation
import Testing

@testable import mkstore

/// The built command on directories that Kafka wrote.
struct KafkaVectorTests {
  /// A record as records.jsonl and `fetch --json` have it, brought to one form.
  private func record(_ object: [String: Any]) throws -> String {
    let fields = ["offset", "timestamp", "key", "value", "headers"].map { object[$0] ?? "missing" }
    let data = try JSONSerialization.data(withJSONObject: fields)
    return String(decoding: data, as: UTF8.self)
  }

  private func expected(_ directory: String) throws -> [[String: Any]] {
    try TestData.lines(directory + "/records.jsonl").map { line in
      let value = try JSONSerialization.jsonObject(with: Data(line.utf8))
      return try #require(value as? [String: Any])
    }
  }

  @Test(arguments: TestData.kafkaDirectories)
  func fetchGivesExactlyTheRecords(_ directory: String) throws {
    let lines = try expected(directory)
    let records = lines.filter { $0["offset"] != nil }
    let damaged = lines.filter { $0["valid"] as? Bool == false && $0["size"] != nil }
    let isTorn = directory.hasSuffix("unclean-torn")
    let outcome = try Tool.run([
      "fetch", TestData.log(in: directory), "--json", "--encoding", "hex", "--include-control",
    ])
    let objects = try outcome.objects
    let found = objects.filter { $0["type"] as? String == "record" }
    #expect(try found.map(record) == records.map(record))
    // Who is a control record, and which.
    let controls = found.map { ($0["control"] as? [String: Any])?["type"] as? String }
    #expect(controls == records.map { $0["controlType"] as? String })
    // Times: each record's type is that of its batch.
    let types = Set(lines.compactMap { $0["tsType"] as? String })
    #expect(Set(found.compactMap { $0["timestampType"] as? String }).isSubset(of: types))

    let damage = objects.filter { $0["type"] as? String == "damage" }
    #expect(damage.count == (isTorn ? 0 : damaged.count))
    #expect(outcome.status == (damage.isEmpty ? 0 : 3))
    for (found, batch) in zip(damage, damaged) {
      #expect(found["position"] as? Int == batch["position"] as? Int)
      #expect(found["bytes"] as? Int == batch["size"] as? Int)
      #expect(found["firstOffset"] as? Int == batch["baseOffset"] as? Int)
      #expect(found["endOffset"] as? Int == (batch["lastOffset"] as? Int).map { $0 + 1 })
      #expect(outcome.messages.contains("damaged: "))
    }
  }

  @Test(arguments: TestData.kafkaDirectories)
  func verifyAgrees(_ directory: String) throws {
    let lines = try expected(directory)
    let records = lines.count { $0["offset"] != nil }
    let isDamaged = directory.contains("bitflip")
    let outcome = try Tool.run(["verify", TestData.log(in: directory)])
    #expect(outcome.status == (isDamaged ? 3 : 0))
    let last = try #require(outcome.lines.last)
    let log = TestData.log(in: directory)
    let segments = TestData.names(in: log).count { $0.hasSuffix(".log") }
    #expect(
      last.hasPrefix(
        (isDamaged ? "damage" : "ok") + ": \(records) records, \(segments) segments, "))
    #expect(last.contains("no damage") == !isDamaged)
    #expect(outcome.lines.contains { $0.hasPrefix("damaged: ") } == isDamaged)
  }

  /// Kafka's own tool printed dump.txt; its findings at the end went to standard error.
  @Test(arguments: TestData.dumpedDirectories)
  func dumpPrintsWhatKafkasToolPrints(_ directory: String) throws {
    let dump = String(decoding: try TestData.content(directory + "/dump.txt"), as: UTF8.self)
    let findings = ["Mismatches in :", "  Index offset: ", "Non-consecutive offsets in "]
    let expected = dump.components(separatedBy: "\n").filter { line in
      !findings.contains { line.hasPrefix($0) } && !line.hasSuffix("is followed by")
        && !line.contains(" is followed by ")
    }
    let prefix = "Dumping "
    let files = expected.filter { $0.hasPrefix(prefix) }.map { String($0.dropFirst(prefix.count)) }
    #expect(!files.isEmpty)
    let outcome = try Tool.run(
      ["dump", "--format", "kafka", "--deep"] + files, directory: TestData.log(in: directory))
    let found = outcome.text.components(separatedBy: "\n")
    #expect(found.count == expected.count)
    let different = zip(found, expected).first { $0 != $1 }
    #expect(different == nil, "\(different.map { "\($0)\n\($1)" } ?? "")")
    let isTorn = directory.hasSuffix("unclean-torn")
    #expect(outcome.status == (isTorn ? 3 : 0))
    // What is wrong is told beside the lines, which are Kafka's.
    #expect(outcome.messages.contains("does not fit in the") == isTorn, "\(outcome.messages)")
    #expect(outcome.messages.isEmpty == !isTorn)
  }

  @Test(arguments: TestData.kafkaDirectories)
  func dumpedBatchesAreAsTheirRecordsSay(_ directory: String) throws {
    let batches = try expected(directory).filter { $0["file"] != nil && $0["size"] != nil }
    let log = TestData.log(in: directory)
    let files = TestData.names(in: log).filter { $0.hasSuffix(".log") }
    let outcome = try Tool.run(["dump", "--json"] + files, directory: log)
    let found = try outcome.objects.filter { $0["type"] as? String == "batch" }
    #expect(found.count == batches.count)
    for (found, batch) in zip(found, batches) {
      let pairs = [
        ("file", "file"), ("position", "position"), ("bytes", "size"), ("magic", "magic"),
        ("lastOffset", "lastOffset"), ("codec", "codec"), ("valid", "valid"),
        ("timestampType", "tsType"), ("maxTimestamp", "maxTimestamp"),
        ("leaderEpoch", "leaderEpoch"), ("producerId", "producerId"),
        ("producerEpoch", "producerEpoch"), ("baseSequence", "baseSequence"),
        ("transactional", "transactional"), ("control", "control"),
        ("deleteHorizon", "deleteHorizon"),
      ]
      for (name, theirs) in pairs where batch[theirs] != nil {
        #expect("\(found[name] ?? "none")" == "\(batch[theirs] ?? "none")", "\(name) of \(batch)")
      }
    }
  }

  @Test func controlRecordsAreShownOnlyWhenAsked() throws {
    let log = TestData.kafka("txn-commit-abort")
    let all = try Tool.run(["fetch", log, "--include-control", "--format", "%o\\n"]).lines
    let plain = try Tool.run(["fetch", log, "--format", "%o\\n"]).lines
    let controls = try expected(TestData.fixtures + "/kafka/txn-commit-abort").filter {
      $0["controlType"] != nil
    }.compactMap { $0["offset"] as? Int }
    #expect(!controls.isEmpty)
    #expect(all.count - plain.count == controls.count)
    #expect(Set(all).subtracting(plain) == Set(controls.map { "\($0)" }))
  }

  @Test func infoTellsOfABrokersLog() throws {
    let outcome = try Tool.run(["info", TestData.kafka("compacted"), "--json"])
    #expect(outcome.status == 0, "\(outcome.messages)")
    let log = try #require(try outcome.objects.first)
    #expect(log["type"] as? String == "log")
    #expect(log["segmentCount"] as? Int == 13)
    #expect(log["durableOffset"] is NSNull)
    #expect((log["segments"] as? [Any])?.count == 13)
  }

  @Test func nothingIsChangedByReading() throws {
    let directory = try TemporaryDirectory()
    let log = try directory.copy(TestData.kafka("unclean-bitflip-mid"), to: "unclean-0")
    let before = try Tool.bash("sha256sum \(log)/*; stat -c '%n %s %Y' \(log) \(log)/*").text
    _ = try Tool.run(["fetch", log])
    _ = try Tool.run(["verify", log])
    _ = try Tool.run(["info", log])
    _ = try Tool.run(["recover", directory.path, "--dry-run"])
    _ = try Tool.bash("$MKSTORE dump --deep \(log)/*")
    #expect(
      try Tool.bash("sha256sum \(log)/*; stat -c '%n %s %Y' \(log) \(log)/*").text == before)
  }
}
