package import DiskIO
import MkstoreBytes

/// State of the idempotent and transactional producers of a log at an offset (`.snapshot`, version
/// 1).
package struct ProducerSnapshot: Sendable, Equatable {
  /// What is stored of one producer: its last batch.
  package struct Producer: Sendable, Hashable {
    /// Not negative.
    package var producerId: Int64
    /// Epoch of its last batch.
    package var producerEpoch: Int16
    /// Sequence of its last record; -1 none.
    package var lastSequence: Int32
    /// Offset of its last record; -1 none.
    package var lastOffset: Int64
    /// Last minus first offset of its last batch.
    package var offsetDelta: Int32
    /// Largest timestamp of its last batch, milliseconds.
    package var timestamp: Int64
    /// Epoch of the coordinator that wrote its last marker; -1 none.
    package var coordinatorEpoch: Int32
    /// First offset of its open transaction; -1 none.
    package var currentTxnFirstOffset: Int64

    /// Memberwise.
    package init(
      producerId: Int64, producerEpoch: Int16, lastSequence: Int32, lastOffset: Int64,
      offsetDelta: Int32, timestamp: Int64, coordinatorEpoch: Int32, currentTxnFirstOffset: Int64
    ) {
      self.producerId = producerId
      self.producerEpoch = producerEpoch
      self.lastSequence = lastSequence
      self.lastOffset = lastOffset
      self.offsetDelta = offsetDelta
      self.timestamp = timestamp
      self.coordinatorEpoch = coordinatorEpoch
      self.currentTxnFirstOffset = currentTxnFirstOffset
    }
  }

  /// The only version there is.
  package static let version: Int16 = 1
  private static let crcStart = 6
  private static let headerBytes = 10
  private static let producerBytes = 46

  /// One entry per producer.
  package var producers: [Producer]

  /// Memberwise.
  package init(_ producers: [Producer] = []) {
    self.producers = producers
  }

  /// Reads a snapshot file; nil if there is none.
  package static func read(
    _ disk: any Disk, _ path: String
  ) throws(CheckpointError) -> ProducerSnapshot? {
    guard let bytes = try SmallFile.read(disk, path) else { return nil }
    return try ProducerSnapshot(bytes, path: path)
  }

  /// Reads a file's content, whose CRC must be right; `path` is for messages.
  package init(_ bytes: [UInt8], path: String) throws(CheckpointError) {
    let span = bytes.span
    guard span.count >= Self.headerBytes else {
      throw .unreadable(path: path, line: nil, what: "\(span.count) bytes are not a snapshot")
    }
    let version = span.loadBigEndian(Int16.self, at: 0)
    guard version == Self.version else {
      throw .unreadable(path: path, line: nil, what: "version \(version), expected \(Self.version)")
    }
    let stored = span.loadBigEndian(UInt32.self, at: 2)
    let computed = CRC32C.checksum(span.extracting(Self.crcStart...))
    guard stored == computed else {
      throw .unreadable(path: path, line: nil, what: "CRC \(computed), the file says \(stored)")
    }
    let count = Int(span.loadBigEndian(Int32.self, at: 6))
    guard count >= 0, span.count - Self.headerBytes == count * Self.producerBytes else {
      throw .unreadable(
        path: path, line: nil, what: "\(count) producers stated in \(span.count) bytes")
    }
    producers = []
    producers.reserveCapacity(count)
    for index in 0..<count {
      producers.append(Self.producer(span, at: Self.headerBytes + index * Self.producerBytes))
    }
  }

  /// The file's content.
  package var encoded: [UInt8] {
    var bytes = [UInt8](
      repeating: 0, count: Self.headerBytes + producers.count * Self.producerBytes)
    var span = bytes.mutableSpan
    span.storeBigEndian(Self.version, at: 0)
    span.storeBigEndian(Int32(producers.count), at: 6)
    for (index, producer) in producers.enumerated() {
      Self.store(producer, in: &span, at: Self.headerBytes + index * Self.producerBytes)
    }
    let crc = CRC32C.checksum(span.span.extracting(Self.crcStart...))
    span.storeBigEndian(crc, at: 2)
    return bytes
  }

  private static func producer(_ span: Span<UInt8>, at start: Int) -> Producer {
    Producer(
      producerId: span.loadBigEndian(Int64.self, at: start),
      producerEpoch: span.loadBigEndian(Int16.self, at: start + 8),
      lastSequence: span.loadBigEndian(Int32.self, at: start + 10),
      lastOffset: span.loadBigEndian(Int64.self, at: start + 14),
      offsetDelta: span.loadBigEndian(Int32.self, at: start + 22),
      timestamp: span.loadBigEndian(Int64.self, at: start + 26),
      coordinatorEpoch: span.loadBigEndian(Int32.self, at: start + 34),
      currentTxnFirstOffset: span.loadBigEndian(Int64.self, at: start + 38))
  }

  private static func store(
    _ producer: Producer, in span: inout MutableSpan<UInt8>, at start: Int
  ) {
    span.storeBigEndian(producer.producerId, at: start)
    span.storeBigEndian(producer.producerEpoch, at: start + 8)
    span.storeBigEndian(producer.lastSequence, at: start + 10)
    span.storeBigEndian(producer.lastOffset, at: start + 14)
    span.storeBigEndian(producer.offsetDelta, at: start + 22)
    span.storeBigEndian(producer.timestamp, at: start + 26)
    span.storeBigEndian(producer.coordinatorEpoch, at: start + 34)
    span.storeBigEndian(producer.currentTxnFirstOffset, at: start + 38)
  }
}
