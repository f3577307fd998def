import LogStore

/// A log inside a process of one's own: append durably, read, follow the tail, look up by time.
///
///     swift run MkstoreEmbedding /tmp/example
@main struct Embedding {
  static func main() async throws {
    let path = CommandLine.arguments.dropFirst().first ?? "example-data"

    // A store is a directory of logs that one process owns. Opening recovers what a crash left.
    let store = try await Store.open(path, .createIfMissing)
    print("the store is \(store.report.found)")

    // A log is one partition of a topic, as in Kafka.
    let orders = try await store.log("orders", partition: 0, .createIfMissing)
    let receipt = try await orders.append([
      NewRecord(key: "anna", value: "2 apples"),  // time: now
      NewRecord(key: "ben", value: "1 pear", headers: ["currency": "EUR"]),
    ])  // durable when it returns
    print("appended offsets \(receipt.baseOffset) to \(receipt.lastOffset)")

    for try await record in orders.records(from: .earliest, through: .currentEnd) {
      print("\(record.offset): \(record.keyText ?? "null") \(record.text ?? "null")")
    }

    // A stream without an end waits for what is appended.
    let next = receipt.lastOffset + 1
    let tail = Task {
      for try await record in orders.records(from: .offset(next)) {
        print("\(record.offset): \(record.keyText ?? "null") \(record.text ?? "null")")
        break
      }
    }
    try await orders.append([NewRecord(key: "anna", value: nil)], expectedEndOffset: next)
    try await tail.value

    if let recent = try await orders.firstRecord(since: .now - .seconds(60)) {
      try await orders.deleteRecords(before: recent.offset + 1)
      print("the log begins at offset \(orders.logStartOffset)")
    }
    try await store.close()
  }
}
