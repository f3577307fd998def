import LogStore
import RecordFormat

/// A log inside a process of one's own: append durably, follow the tail, look up by time.
///
///     swift run Embedding /tmp/example
@main struct Embedding {
  static func main() async throws {
    let path = CommandLine.arguments.dropFirst().first ?? "example-data"

    // A store is a directory with logs in it, owned by one process at a time. Opening recovers what
    // a crash left behind and says what it did.
    var config = StoreConfig()
    config.createsStore = true
    let store = try Store.open(path, config: config)
    print(store.report.wasClean ? "stopped in order last time" : "new, or recovered")

    // A log is one partition of a topic, as Kafka names them.
    let orders = try TopicPartition(topic: "orders", partition: 0)
    let log = try store.log(orders) ?? store.createLog(orders)

    // Appending waits until the records would survive a power cut, which is the default.
    let first = try await log.append([
      Record(offset: 0, timestamp: 1_700_000_000_000, key: text("anna"), value: text("2 apples")),
      Record(
        offset: 0, timestamp: 1_700_000_060_000, key: text("ben"), value: text("1 pear"),
        headers: [RecordHeader(name: "currency", value: text("EUR"))]),
    ])
    let range = "\(first.baseOffset) to \(first.lastOffset)"
    print("appended offsets \(range), durable: \(first.isDurable)")

    // A stream gives what is there, and then each record as it is acknowledged.
    let following = Task {
      for try await record in log.records(from: first.baseOffset) {
        print("\(record.offset): \(show(record.key)) \(show(record.value))")
        if record.offset == first.lastOffset + 1 { break }
      }
    }
    try await log.append([
      Record(offset: 0, timestamp: 1_700_000_120_000, key: text("anna"), value: nil)
    ])
    try await following.value

    // By time, and back to the record itself.
    if let found = try log.offset(forTimestamp: 1_700_000_030_000) {
      let record = try LogReader(log).record(at: found.offset)
      print("first after the half minute: offset \(found.offset), \(show(record?.value))")
    }

    // In order: flushed, indexes trimmed, the clean marker written, the lock given back.
    try store.close()
  }

  static func text(_ string: String) -> [UInt8] { Array(string.utf8) }

  static func show(_ bytes: [UInt8]?) -> String {
    bytes.map { String(decoding: $0, as: UTF8.self) } ?? "null"
  }
}
