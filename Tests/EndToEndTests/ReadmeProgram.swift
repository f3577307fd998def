import LogStore

/// The program of the README's section about the library, but for the path of its store.
enum ReadmeProgram {
  /// Runs it and returns how many records the log has got then.
  static func run(_ path: String) async throws -> Int64 {
    let store = try await Store.open(path, .createIfMissing)
    let orders = try await store.log("orders", partition: 0, .createIfMissing)
    let receipt = try await orders.append([
      NewRecord(key: "anna", value: "2 apples"),  // time: now
      NewRecord(key: "ben", value: "1 pear", headers: ["currency": "EUR"]),
    ])  // durable when it returns
    for try await record in orders.records(from: .earliest, through: .currentEnd) {
      print(record.offset, record.keyText ?? "", record.text ?? "")
    }
    let tail = Task {
      for try await record in orders.records(from: .offset(receipt.lastOffset + 1)) {
        print(record.offset, record.text ?? "")
        break  // without it: until the task is cancelled
      }
    }
    // Only if the log still ends where it did: else another writer was faster.
    try await orders.append(
      [NewRecord(key: "anna", value: "1 lemon")], expectedEndOffset: receipt.lastOffset + 1)
    try await tail.value
    let recent = try await orders.firstRecord(since: .now - .seconds(60))
    try await orders.deleteRecords(before: recent?.offset ?? 0)
    try await store.close()
    return orders.logEndOffset
  }
}
