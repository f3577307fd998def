import DiskIO
import RecordFormat
import StoreTesting

@testable import LogStore

/// Stores and batches for tests of producers.
enum ProducerFixture {
  /// The time that everything happens at, milliseconds.
  static let nowMs: Int64 = 1_700_000_000_000

  static func config(segmentBytes: Int = 1_000) -> StoreConfig {
    var config = StoreConfig()
    config.createsStore = true
    config.startsFlusher = false
    config.fetcherCores = []
    config.nowMs = { nowMs }
    config.log.segmentBytes = segmentBytes
    config.log.segmentIndexBytes = 16_384
    return config
  }

  static func partition(_ topic: String = "a") throws -> TopicPartition {
    try TopicPartition(topic: topic, partition: 0)
  }

  /// The log `a-0` of the store on a disk, made where it is missing.
  static func open(_ disk: SimulatedDisk, segmentBytes: Int = 1_000) throws -> (Store, Log) {
    let store = try Store.openBlocking(
      "/data", config: config(segmentBytes: segmentBytes), disk: disk, logger: .silent)
    let log = try store.log(partition()) ?? store.createLogBlocking(partition())
    return (store, log)
  }

  /// One producer's batch of `count` records, whose values name it.
  static func batch(
    _ producerId: Int64, epoch: Int16 = 0, sequence: Int32, count: Int = 1,
    timestamp: Int64 = nowMs, isTransactional: Bool = false
  ) throws -> [UInt8] {
    var builder = RecordBatchBuilder()
    for index in 0..<count {
      let number = ProducerState.sequence(sequence, plus: Int32(index))
      _ = try builder.append(
        timestamp: timestamp, key: nil, value: Array("\(producerId) \(epoch) \(number)".utf8))
    }
    let sealed = try builder.finish(
      BatchOptions(
        producerId: producerId, producerEpoch: epoch, baseSequence: sequence,
        isTransactional: isTransactional))
    return sealed.indices.map { sealed[$0] }
  }

  /// The values of all records, by offset.
  static func values(_ log: Log) throws -> [String] {
    let reader = LogReader(log)
    var values: [String] = []
    var offset = log.logStartOffset
    while offset < log.logEndOffset {
      offset = try reader.forEachRecord(from: offset, limit: .logEnd) { record in
        let value = record.value
        var bytes: [UInt8] = []
        if let value { for index in value.indices { bytes.append(value[index]) } }
        values.append(String(decoding: bytes, as: UTF8.self))
        return true
      }
    }
    return values
  }

  /// What the writer knows of its producers.
  static func state(_ log: Log) throws -> ProducerState {
    try log.loadProducers()
    return log.writer.withState { $0.producers }
  }
}
