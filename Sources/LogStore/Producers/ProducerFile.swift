internal import DiskIO
import MkstoreBytes

/// The file `mkstore.producers`: a log's whole producer state at one offset.
///
/// Kafka's snapshot holds only the last batch of each producer. After a restart, a client that
/// sends its last five again would get an out-of-order error for the first. This file holds all
/// five (docs/format.md#mkstoreproducers). Replaced just before a snapshot of the same offset is
/// written; the newer of the two is used.
enum ProducerFile {
  /// Name of the file.
  static let name = "mkstore.producers"
  /// Largest file that is read: some 400,000 producers.
  static let bytesMax = 64 << 20

  private static let magic: UInt64 = 0x6d6b_7072_6f64_3031  // "mkprod01"
  private static let headerBytes = 20
  private static let producerBytes = 40
  private static let batchBytes = 24
  private static let crcBytes = 4

  /// The file's content.
  static func encode(_ state: ProducerState) -> [UInt8] {
    let producers = state.producers.sorted { $0.key < $1.key }
    let batchCount = producers.reduce(0) { $0 + $1.value.batches.count }
    var bytes = [UInt8](
      repeating: 0,
      count: headerBytes + producers.count * producerBytes + batchCount * batchBytes + crcBytes)
    var span = bytes.mutableSpan
    span.storeBigEndian(magic, at: 0)
    span.storeBigEndian(state.endOffset, at: 8)
    span.storeBigEndian(Int32(producers.count), at: 16)
    var at = headerBytes
    for (producerId, producer) in producers {
      span.storeBigEndian(producerId, at: at)
      span.storeBigEndian(producer.epoch, at: at + 8)
      span.storeBigEndian(Int16(producer.batches.count), at: at + 10)
      span.storeBigEndian(producer.coordinatorEpoch, at: at + 12)
      span.storeBigEndian(producer.timestamp, at: at + 16)
      span.storeBigEndian(producer.transactionFirstOffset ?? -1, at: at + 24)
      span.storeBigEndian(producer.activeMs, at: at + 32)
      at += producerBytes
      for batch in producer.batches {
        span.storeBigEndian(batch.lastSequence, at: at)
        span.storeBigEndian(batch.offsetDelta, at: at + 4)
        span.storeBigEndian(batch.lastOffset, at: at + 8)
        span.storeBigEndian(batch.timestamp, at: at + 16)
        at += batchBytes
      }
    }
    span.storeBigEndian(CRC32C.checksum(span.span.extracting(0..<at)), at: at)
    return bytes
  }

  /// Reads a log's file; nil if there is none.
  static func read(_ directory: LogDirectory, expirationMs: Int64) throws(CheckpointError)
    -> ProducerState?
  {
    let path = directory.path(name)
    guard let bytes = try SmallFile.read(directory.disk, path, limit: bytesMax) else { return nil }
    return try decode(bytes, path: path, expirationMs: expirationMs)
  }

  /// Reads the file's content; `path` is for messages.
  static func decode(_ bytes: [UInt8], path: String, expirationMs: Int64)
    throws(CheckpointError) -> ProducerState
  {
    let span = bytes.span
    let end = span.count - crcBytes
    guard end >= headerBytes, span.loadBigEndian(UInt64.self, at: 0) == magic,
      span.loadBigEndian(UInt32.self, at: end) == CRC32C.checksum(span.extracting(0..<end))
    else {
      throw .unreadable(path: path, line: nil, what: "no producer state, or a torn one")
    }
    var state = ProducerState(
      endOffset: span.loadBigEndian(Int64.self, at: 8), expirationMs: expirationMs)
    let count = span.loadBigEndian(Int32.self, at: 16)
    var at = headerBytes
    // The CRC is right, so a count that does not fit was written that way; it is refused anyway.
    for _ in 0..<max(0, count) {
      guard end - at >= producerBytes else { break }
      let batchCount = Int(span.loadBigEndian(Int16.self, at: at + 10))
      let first = span.loadBigEndian(Int64.self, at: at + 24)
      var producer = ProducerState.Producer(
        epoch: span.loadBigEndian(Int16.self, at: at + 8),
        timestamp: span.loadBigEndian(Int64.self, at: at + 16),
        coordinatorEpoch: span.loadBigEndian(Int32.self, at: at + 12),
        transactionFirstOffset: first < 0 ? nil : first,
        activeMs: span.loadBigEndian(Int64.self, at: at + 32))
      let producerId = span.loadBigEndian(Int64.self, at: at)
      at += producerBytes
      guard (0...ProducerState.batchesMax).contains(batchCount),
        end - at >= batchCount * batchBytes
      else { break }
      for _ in 0..<batchCount {
        producer.batches.append(
          ProducerState.Batch(
            lastSequence: span.loadBigEndian(Int32.self, at: at),
            lastOffset: span.loadBigEndian(Int64.self, at: at + 8),
            offsetDelta: span.loadBigEndian(Int32.self, at: at + 4),
            timestamp: span.loadBigEndian(Int64.self, at: at + 16)))
        at += batchBytes
      }
      state.restore(producerId, producer)
    }
    guard at == end, state.producers.count == Int(count), state.endOffset >= 0 else {
      throw .unreadable(path: path, line: nil, what: "\(count) producers do not fill the file")
    }
    return state
  }
}
