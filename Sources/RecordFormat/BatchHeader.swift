import MkstoreBytes

/// The header of one entry as stored in a segment, of magic 0, 1 or 2.
///
/// ```swift
/// let header = try BatchHeader(bytes.span)
/// print("offsets \(header.baseOffset) to \(header.lastOffset), \(header.byteCount) bytes")
/// ```
///
/// Reading it checks the fields against each other, not the checksum and not the records. For an
/// entry of the old formats (`isLegacy`) fields that it lacks read as none: −1.
public struct BatchHeader: Sendable, Equatable, BitwiseCopyable {
  /// Bytes of the header of a batch of magic 2.
  public static let byteCountMin = BatchLayout.records
  /// Bytes to read to get an entry's size and magic, whatever its format.
  public static let peekBytes = BatchLayout.magic + 1
  /// Value of `recordCount` if the header does not have it: a compressed set of the old formats.
  public static let recordCountUnknown: Int32 = -1

  /// The format's version: 0, 1 or 2.
  public let magic: Int8
  /// Offset of the first record. Old formats: the entry's offset field, which for a compressed set
  /// is the offset of its last message.
  public package(set) var baseOffset: Int64
  /// Offset of the last record, or of the last one before compaction.
  public package(set) var lastOffset: Int64
  /// Bytes of the whole entry.
  public let byteCount: Int
  /// Epoch of the leader that accepted the batch; −1 for none.
  public package(set) var leaderEpoch: Int32
  /// The stored checksum: CRC-32C, or CRC-32 in the old formats.
  public package(set) var crc: UInt32
  /// Codec and flags as stored.
  public package(set) var attributes: BatchAttributes
  /// How the records are compressed.
  public let codec: CompressionCodec
  /// `lastOffset` minus `baseOffset`.
  public let lastOffsetDelta: Int32
  /// Base of timestamp deltas (milliseconds since 1970), or the delete horizon.
  public let baseTimestamp: Int64
  /// The stated largest timestamp, in milliseconds since 1970; −1 for none.
  public package(set) var maxTimestamp: Int64
  /// The producer's id; −1 for none.
  public let producerId: Int64
  /// The producer's generation; −1 for none.
  public let producerEpoch: Int16
  /// Sequence number of the first record; −1 for none. Means nothing without a producer id.
  public let baseSequence: Int32
  /// Records present, or `recordCountUnknown`.
  public let recordCount: Int32

  /// The offset after the last one; the largest possible offset has none and gives itself.
  public var nextOffset: Int64 { lastOffset == Int64.max ? lastOffset : lastOffset + 1 }
  /// Whether the entry is of magic 0 or 1.
  public var isLegacy: Bool { magic < 2 }
  /// What the timestamps mean.
  public var timestampType: TimestampType { attributes.timestampType }
  /// Whether it is part of a transaction.
  public var isTransactional: Bool { !isLegacy && attributes.isTransactional }
  /// Whether it holds a control record.
  public var isControl: Bool { !isLegacy && attributes.isControl }
  /// Whether `baseTimestamp` is the time from which the cleaner may drop tombstones.
  public var hasDeleteHorizon: Bool { !isLegacy && attributes.hasDeleteHorizon }
  /// The time from which the cleaner may drop the batch's tombstones or its transaction marker.
  public var deleteHorizon: Int64? { hasDeleteHorizon ? baseTimestamp : nil }

  /// Sets the batch's offset and epoch, as `assignOffset` does with its bytes.
  package mutating func place(at baseOffset: Int64, leaderEpoch: Int32) {
    self.baseOffset = baseOffset
    self.leaderEpoch = leaderEpoch
    lastOffset = baseOffset + Int64(lastOffsetDelta)
  }

  /// Sets the batch's append time, as `rewriteLogAppendTime` does with its bytes; the checksum of
  /// the bytes changes with it.
  package mutating func stampLogAppendTime(_ timestamp: Int64) {
    attributes = BatchAttributes(rawValue: attributes.rawValue | BatchAttributes.logAppendTime)
    maxTimestamp = timestamp
  }

  /// Reads the header at the start of `bytes`.
  ///
  /// - Parameter bytes: From the entry's first byte; `fixedByteCount` bytes of it are enough (61
  ///   suffice for every entry of at least that size), more are not read.
  /// - Throws: `.incomplete` if bytes are missing, `.header` for an illegal field.
  public init(_ bytes: Span<UInt8>) throws(BatchError) {
    guard bytes.count >= BatchHeader.peekBytes else {
      throw .incomplete(needed: BatchHeader.peekBytes, available: bytes.count)
    }
    let magic = bytes.loadBigEndian(Int8.self, at: BatchLayout.magic)
    switch magic {
    case 2: try self.init(batch: bytes)
    case 0, 1: try self.init(message: bytes, magic: magic)
    default:
      throw .header(
        .magic, position: BatchLayout.magic, found: Int64(magic), expected: "0, 1 or 2")
    }
  }

  /// Bytes of an entry of this magic that `init(_:)` needs.
  public static func fixedByteCount(magic: Int8) -> Int {
    magic == 2 ? byteCountMin : LegacyLayout.key(magic: magic)
  }

  @inline(__always)
  private init(batch bytes: Span<UInt8>) throws(BatchError) {
    typealias Layout = BatchLayout
    let length = bytes.loadBigEndian(Int32.self, at: Layout.batchLength)
    guard length >= Layout.batchLengthMin else {
      throw .header(
        .batchLength, position: Layout.batchLength, found: Int64(length),
        expected: "at least \(Layout.batchLengthMin)")
    }
    guard bytes.count >= BatchHeader.byteCountMin else {
      throw .incomplete(needed: Layout.lengthOverhead + Int(length), available: bytes.count)
    }
    magic = 2
    byteCount = Layout.lengthOverhead + Int(length)
    baseOffset = bytes.loadBigEndian(Int64.self, at: Layout.baseOffset)
    leaderEpoch = bytes.loadBigEndian(Int32.self, at: Layout.partitionLeaderEpoch)
    crc = bytes.loadBigEndian(UInt32.self, at: Layout.crc)
    attributes = BatchAttributes(rawValue: bytes.loadBigEndian(Int16.self, at: Layout.attributes))
    lastOffsetDelta = bytes.loadBigEndian(Int32.self, at: Layout.lastOffsetDelta)
    baseTimestamp = bytes.loadBigEndian(Int64.self, at: Layout.baseTimestamp)
    maxTimestamp = bytes.loadBigEndian(Int64.self, at: Layout.maxTimestamp)
    producerId = bytes.loadBigEndian(Int64.self, at: Layout.producerId)
    producerEpoch = bytes.loadBigEndian(Int16.self, at: Layout.producerEpoch)
    baseSequence = bytes.loadBigEndian(Int32.self, at: Layout.baseSequence)
    recordCount = bytes.loadBigEndian(Int32.self, at: Layout.recordCount)
    codec = try BatchHeader.codec(attributes, magic: magic, at: Layout.attributes)
    lastOffset = try BatchHeader.lastOffset(
      baseOffset: baseOffset, delta: lastOffsetDelta, recordCount: recordCount)
  }

  /// The last offset of a batch whose offsets and record count fit together.
  @inline(__always)
  private static func lastOffset(
    baseOffset: Int64, delta: Int32, recordCount: Int32
  ) throws(BatchError) -> Int64 {
    typealias Layout = BatchLayout
    guard baseOffset >= 0, baseOffset <= Int64.max - Int64(max(delta, 0)) else {
      throw .header(
        .baseOffset, position: Layout.baseOffset, found: baseOffset,
        expected: "0 to 2^63 - 1 - lastOffsetDelta")
    }
    guard delta >= 0 else {
      throw .header(
        .lastOffsetDelta, position: Layout.lastOffsetDelta, found: Int64(delta),
        expected: "at least 0")
    }
    guard recordCount >= 0, Int64(recordCount) <= Int64(delta) + 1 else {
      throw .header(
        .recordCount, position: Layout.recordCount, found: Int64(recordCount),
        expected: "0 to lastOffsetDelta + 1 = \(Int64(delta) + 1)")
    }
    return baseOffset + Int64(delta)
  }

  private init(message bytes: Span<UInt8>, magic: Int8) throws(BatchError) {
    typealias Layout = LegacyLayout
    let size = bytes.loadBigEndian(Int32.self, at: Layout.messageSize)
    let sizeMin = Layout.messageSizeMin(magic: magic)
    guard size >= sizeMin else {
      throw .header(
        .messageSize, position: Layout.messageSize, found: Int64(size),
        expected: "at least \(sizeMin)")
    }
    guard bytes.count >= Layout.key(magic: magic) else {
      throw .incomplete(
        needed: BatchLayout.lengthOverhead + Int(size), available: bytes.count)
    }
    self.magic = magic
    byteCount = BatchLayout.lengthOverhead + Int(size)
    baseOffset = bytes.loadBigEndian(Int64.self, at: Layout.offset)
    guard baseOffset >= 0 else {
      throw .header(
        .messageOffset, position: Layout.offset, found: baseOffset, expected: "at least 0")
    }
    lastOffset = baseOffset
    lastOffsetDelta = 0
    crc = bytes.loadBigEndian(UInt32.self, at: Layout.crc)
    attributes = BatchAttributes(
      rawValue: Int16(bytes.loadBigEndian(UInt8.self, at: Layout.attributes)))
    codec = try BatchHeader.codec(attributes, magic: magic, at: Layout.attributes)
    let timestamp = magic == 0 ? -1 : bytes.loadBigEndian(Int64.self, at: Layout.timestamp)
    baseTimestamp = timestamp
    maxTimestamp = timestamp
    leaderEpoch = -1
    producerId = -1
    producerEpoch = -1
    baseSequence = -1
    recordCount = codec == .none ? 1 : BatchHeader.recordCountUnknown
  }

  @inline(__always)
  private static func codec(
    _ attributes: BatchAttributes, magic: Int8, at position: Int
  ) throws(BatchError) -> CompressionCodec {
    guard let codec = attributes.codec, magic == 2 || codec != .zstd else {
      throw .header(
        .attributes, position: position, found: Int64(attributes.rawValue),
        expected: "a codec of 0 to \(magic == 2 ? 4 : 3) in bits 0-2")
    }
    return codec
  }
}
