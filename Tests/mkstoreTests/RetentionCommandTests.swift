import Foundation
import LogStore
import Testing

@testable import mkstore

/// `mkstore retention` and `mkstore topics` on stores of ours and of a broker.
struct RetentionCommandTests {
  private let directory: TemporaryDirectory
  private var store: String { directory.path("store") }

  init() throws {
    directory = try TemporaryDirectory()
  }

  private func run(_ arguments: String...) throws -> Tool.Outcome { try Tool.run(arguments) }

  /// A topic of ours with a few segments, whose records are of 2023.
  private func fill(_ settings: String...) throws {
    let made = try Tool.run(
      ["append", "\(store)/orders-0", "--create"], input: Data("first\n".utf8))
    try #require(made.status == 0, "\(made.messages)")
    let altered = try Tool.run(
      ["topics", "alter", store, "orders", "--set", "segment.bytes=300"]
        + settings.flatMap { ["--set", $0] })
    try #require(altered.status == 0, "\(altered.messages)")
    for number in 0..<6 {
      let time = 1_700_000_000_000 + number
      let value = String(repeating: "x", count: 200)
      let record = #"{"value":"\#(value)","timestamp":\#(time)}"# + "\n"
      let outcome = try Tool.run(
        ["append", "\(store)/orders-0", "--input", "ndjson"], input: Data(record.utf8))
      try #require(outcome.status == 0, "\(outcome.messages)")
    }
  }

  @Test func eachSegmentIsExplained() throws {
    try fill("retention.ms=86400000", "cleanup.policy=delete")
    let outcome = try run("retention", "\(store)/orders-0", "--explain", "--json")
    #expect(outcome.status == 0, "\(outcome.messages)")
    let segments = try outcome.objects.filter { $0["type"] as? String == "retentionSegment" }
    #expect(segments.count > 3)
    // The first one holds a record of today.
    #expect(segments.first?["goes"] as? Bool == false)
    let bySize = try run("topics", "alter", store, "orders", "--set", "retention.bytes=0")
    #expect(bySize.status == 0)
    let all = try run("retention", store, "--json")
    let going = try all.objects.filter { $0["type"] as? String == "retentionSegment" }
    #expect(going.allSatisfy { $0["goes"] as? Bool == true }, "\(going)")
    #expect(going.allSatisfy { $0["reason"] as? String == "size" }, "\(going)")
    let text = try run("retention", store)
    #expect(text.lines.first?.contains("retention.ms=86400000 retention.bytes=0") == true)
    #expect(text.lines.dropFirst().allSatisfy { $0.hasSuffix("goes: size") }, "\(text.lines)")
  }

  @Test func aBrokersTopicStaysUntilItIsConfirmed() throws {
    let (log, topic) = ("log-append-time-0", "log-append-time")
    _ = try directory.copy(TestData.fixtures + "/kafka/log-append-time/\(log)", to: "store/\(log)")
    let before = try run(
      "retention", "\(store)/\(log)", "--default", "retention.ms=1")
    #expect(before.status == 0, "\(before.messages)")
    #expect(before.lines.first?.contains("not confirmed: nothing is deleted") == true)
    let told = try run("topics", "describe", store, topic, "--json").objects.first
    #expect(told?["isConfirmed"] as? Bool == false)
    let confirmed = try run("topics", "alter", store, topic, "--confirm")
    #expect(confirmed.status == 0, "\(confirmed.messages)")
    let after = try run("retention", "\(store)/\(log)", "--default", "retention.ms=1")
    #expect(after.lines.first?.contains("not confirmed") == false)
    let then = try run("topics", "describe", store, topic, "--json").objects.first
    #expect(then?["isConfirmed"] as? Bool == true)
  }

  @Test func aStoreAndABrokerAreToldApart() throws {
    try fill()
    #expect(try run("topics", "list").status == 2)
    #expect(try run("topics", "describe", store).status == 2)
    #expect(try run("topics", "list", store, "--broker", "127.0.0.1:1").status == 2)
    #expect(try run("topics", "describe", store, "orders", "--broker", "127.0.0.1:1").status == 2)
    #expect(try run("topics", "list", "--broker", "127.0.0.1").status == 2)
    let refused = try run("topics", "list", "--broker", "127.0.0.1:1")
    #expect(refused.status == 1)
    #expect(refused.messages.contains("cannot connect to 127.0.0.1:1"), "\(refused.messages)")
  }

  @Test func topicsAreMadeListedChangedAndDeleted() throws {
    try FileManager.default.createDirectory(
      atPath: store, withIntermediateDirectories: true)
    try fill()
    let made = try run(
      "topics", "create", store, "events", "--partitions", "3", "--set", "retention.ms=60000")
    #expect(made.status == 0, "\(made.messages)")
    let list = try run("topics", "list", store).lines
    #expect(list == ["events  3 partitions", "orders  1 partition"])
    #expect(try run("topics", "create", store, "events").status == 1)
    let told = try run("topics", "describe", store, "events").lines
    #expect(told.contains("setting     retention.ms=60000") && told.contains("confirmed   yes"))
    let unset = try run("topics", "alter", store, "events", "--unset", "retention.ms")
    #expect(unset.status == 0)
    let left = try run("topics", "describe", store, "events").lines
    #expect(!left.contains { $0.contains("setting") })
    #expect(try run("topics", "delete", store, "events").status == 0)
    #expect(try run("topics", "list", store).lines == ["orders  1 partition"])
  }

  @Test func wrongArgumentsAreToldAndChangeNothing() throws {
    try fill()
    #expect(try run("topics", "alter", store, "orders").status == 2)
    #expect(try run("topics", "alter", store, "orders", "--set", "retention.ms=soon").status == 2)
    #expect(try run("topics", "alter", store, "orders", "--set", "retention=1").status == 2)
    #expect(try run("topics", "alter", store, "orders", "--set", "x").status == 2)
    #expect(try run("topics", "alter", store, "orders", "--unset", "x").status == 2)
    #expect(try run("topics", "alter", store, "missing", "--confirm").status == 1)
    #expect(try run("topics", "describe", store, "missing").status == 1)
    #expect(try run("topics", "delete", store, "missing").status == 1)
    #expect(try run("topics", "create", store, "a/b").status == 2)
    #expect(try run("topics", "create", store, "t", "--partitions", "0").status == 2)
    #expect(try run("retention", "\(store)/missing-0").status == 1)
    #expect(try run("retention", store, "--default", "retention.ms=x").status == 2)
    #expect(try run("topics", "list", directory.path("nowhere")).status == 1)
    #expect(try run("topics", "describe", store, "orders").lines.contains("confirmed   yes"))
  }

  @Test func theClockIsConfirmedInTheStoresFile() throws {
    #expect(try run("retention", store, "--confirm-clock").status == 1, "there is no store")
    try fill("retention.ms=1000")
    let path = "\(store)/mkstore.session"
    let before = try TestData.content(path)
    let outcome = try run("retention", store, "--confirm-clock")
    #expect(outcome.status == 0, "\(outcome.messages)")
    #expect(try TestData.content(path) != before)
    #expect(try run("verify", store).status == 0)
  }
}
