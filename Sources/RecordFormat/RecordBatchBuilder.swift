import Bytes

/// Makes batches of magic 2 from records, one after the other with the same memory.
///
/// `append` until it says false or there is nothing more, `finish`, write the bytes out, `reset`.
/// No allocation once the buffers have grown to their size. Owned by one thread at a time.
public struct RecordBatchBuilder: ~Copyable {
  /// How batches are compressed.
  public let compression: Compression
  /// Bytes of a batch, before compression, beyond which `append` refuses the next record.
  public let batchBytes: Int

  /// Records so far.
  public private(set) var recordCount: Int32 = 0
  /// Bytes of the batch so far, header included, before compression.
  public private(set) var byteCount = BatchLayout.records
  /// Time of the first record.
  public private(set) var baseTimestamp: Int64 = -1
  /// The largest time so far.
  public private(set) var maxTimestamp: Int64 = -1

  /// Header and plain records.
  private var plain: ByteStorage
  /// Header and compressed records; unused without compression.
  private var packed: ByteStorage
  private let compressor: ZstdCompressor

  /// Kafka's `max.message.bytes`: 1 MiB and the 12 bytes that stand before a batch's own length.
  public static let batchBytesDefault = 1_048_588

  /// Largest single record that fits a batch of its own, before compression; the same bound holds
  /// for reading (`RecordDecoder.decompressedBytesMaxDefault`).
  public static let recordBytesMax = 64 << 20

  /// - Parameters:
  ///   - compression: Level 0 and levels outside of `Compression.zstdLevels` are programming
  ///     errors.
  ///   - batchBytes: See the property; at least one record always fits.
  public init(
    compression: Compression = .none, batchBytes: Int = RecordBatchBuilder.batchBytesDefault
  ) {
    self.compression = compression
    self.batchBytes = batchBytes
    plain = ByteStorage(capacity: 64 << 10)
    switch compression {
    case .none:
      compressor = ZstdCompressor(level: nil)
      packed = ByteStorage(capacity: 0)
    case .zstd(let level):
      compressor = ZstdCompressor(level: level)
      packed = ByteStorage(capacity: 64 << 10)
    }
  }

  /// Whether nothing was appended since the last `reset`.
  public var isEmpty: Bool { recordCount == 0 }

  /// Adds a record.
  ///
  /// - Parameter timestamp: Milliseconds since 1970; −1 for none.
  /// - Returns: False where the batch is full: it is unchanged then; finish it and append to the
  ///   next.
  /// - Throws: `.tooLarge` for a record of more than `recordBytesMax`.
  public mutating func append(
    timestamp: Int64, key: Span<UInt8>?, value: Span<UInt8>?,
    headers: [RecordHeader] = []
  ) throws(BatchError) -> Bool {
    let room = RecordEncoder.roomNeeded(
      keyCount: key?.count ?? 0, valueCount: value?.count ?? 0, headers: headers)
    guard room <= RecordBatchBuilder.recordBytesMax else {
      throw .tooLarge(byteCount: room, limit: RecordBatchBuilder.recordBytesMax)
    }
    if room > plain.capacity &- byteCount { plain.reserve(byteCount + room, keeping: byteCount) }
    // Wraps as Kafka's arithmetic does; the reader's wraps back.
    let timestampDelta = recordCount == 0 ? 0 : timestamp &- baseTimestamp
    // Safe: there is room, which was bounded above; what lies behind `byteCount` is nobody's until
    // it is counted below.
    let written = unsafe RecordEncoder.write(
      timestampDelta: timestampDelta, offsetDelta: recordCount, key: key, value: value,
      headers: headers, room: room, to: plain.address(of: byteCount))
    if recordCount > 0 {
      if byteCount &+ written > batchBytes || recordCount == Int32.max { return false }
      maxTimestamp = max(maxTimestamp, timestamp)
    } else {
      baseTimestamp = timestamp
      maxTimestamp = timestamp
    }
    recordCount &+= 1
    byteCount &+= written
    return true
  }

  /// Adds a record from arrays; else as the other `append`.
  @_disfavoredOverload
  public mutating func append(
    timestamp: Int64, key: [UInt8]?, value: [UInt8]?, headers: [RecordHeader] = []
  ) throws(BatchError) -> Bool {
    try append(timestamp: timestamp, key: key?.span, value: value?.span, headers: headers)
  }

  /// Forgets all records; the memory stays.
  public mutating func reset() {
    recordCount = 0
    byteCount = BatchLayout.records
    baseTimestamp = -1
    maxTimestamp = -1
    // What one outsized record made of them is not kept for good.
    plain.shrink(to: max(4 << 20, 2 * batchBytes))
    packed.shrink(to: max(4 << 20, 2 * batchBytes))
  }

  /// Compresses and seals the batch: base offset 0, leader epoch −1, the CRC last.
  ///
  /// - Returns: The whole batch, valid until the builder is used again. `assignOffset` may be
  ///   applied to it at any time, for both fields lie outside of the CRC.
  @_lifetime(&self)
  public mutating func finish(
    _ options: BatchOptions = BatchOptions()
  ) throws(BatchError) -> MutableSpan<UInt8> {
    precondition(recordCount > 0, "a batch of no records")
    let header = HeaderWriter(
      codec: compression.codec, recordCount: recordCount, baseTimestamp: baseTimestamp,
      maxTimestamp: maxTimestamp, options: options)
    guard compression.codec != .none else {
      var batch = plain.mutableBytes(0..<byteCount)
      header.write(to: &batch)
      return batch
    }
    let end = try compress()
    var batch = packed.mutableBytes(0..<end)
    header.write(to: &batch)
    return batch
  }

  /// Fills `packed` after the place of the header; returns where the bytes end.
  private mutating func compress() throws(BatchError) -> Int {
    let count = byteCount - BatchLayout.records
    packed.reserve(BatchLayout.records + ZstdCompressor.byteCountMax(count), keeping: 0)
    return try RecordBatchBuilder.compress(
      plain, BatchLayout.records..<byteCount, to: &packed, by: compressor)
  }

  private static func compress(
    _ plain: borrowing ByteStorage, _ range: Range<Int>, to packed: inout ByteStorage,
    by compressor: borrowing ZstdCompressor
  ) throws(BatchError) -> Int {
    var target = packed.mutableBytes(BatchLayout.records..<packed.capacity)
    return try BatchLayout.records + compressor.compress(plain.bytes(range), to: &target)
  }
}
