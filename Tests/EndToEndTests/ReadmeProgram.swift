import LogStore
import RecordFormat

/// The program of the README's section about the library, but for the path of its store.
enum ReadmeProgram {
  /// Runs it and returns how many records the log holds then.
  static func run(_ path: String) async throws -> Int64 {
    var config = StoreConfig()
    config.createsStore = true
    let store = try Store.open(path, config: config)
    let orders = try TopicPartition(topic: "orders", partition: 0)
    let log = try store.log(orders) ?? store.createLog(orders)
    let value = Array("2 apples".utf8)
    let order = Record(offset: 0, timestamp: 1_700_000_000_000, key: nil, value: value)
    let result = try await log.append([order])  // durable when it returns; the log gives the offset
    for try await record in log.records(from: result.baseOffset) {
      print(record.offset, String(decoding: record.value ?? [], as: UTF8.self))
      if record.offset == result.lastOffset { break }  // else it goes on with what comes
    }
    try store.close()
    return log.logEndOffset
  }
}
