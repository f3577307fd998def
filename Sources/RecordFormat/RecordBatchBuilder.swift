public import MkstoreBytes

/// Makes batches of magic 2 from records, one after another in the same memory.
///
/// ```swift
/// var builder = RecordBatchBuilder(compression: .zstd)
/// _ = try builder.append(timestamp: 1_700_000_000_000, key: nil, value: Array("2 apples".utf8))
/// let batch = try builder.finish()
/// try file.write(batch.span, at: 0)
/// builder.reset()
/// ```
///
/// Call `append` until it returns false or there are no more records, `finish`, write the bytes
/// out, `reset`. No allocation once the buffers have grown to their size. Owned by one thread at a
/// time.
public struct RecordBatchBuilder: ~Copyable {
  /// How batches are compressed.
  public let compression: Compression
  /// Bytes of a batch, before compression, beyond which `append` refuses the next record; at most
  /// 2,000,000,000.
  public let batchBytes: Int

  /// The records appended so far.
  @usableFromInline var progress = Progress()

  /// Header and plain records.
  @usableFromInline var plain: ByteStorage
  /// Header and compressed records; unused without compression.
  private var packed: ByteStorage
  private let compressor: ZstdCompressor

  /// Kafka's `max.message.bytes`: 1 MiB and the 12 bytes before a batch's own length.
  public static let batchBytesDefault = 1_048_588

  /// Keeps a batch's length within 32 bits, whatever compression adds (slightly more than 1/256).
  private static let batchBytesMax = 2_000_000_000

  /// Largest single record that fits a batch of its own, before compression; the same bound holds
  /// for reading (`RecordDecoder.decompressedBytesMaxDefault`).
  @inlinable public static var recordBytesMax: Int { 64 << 20 }

  /// - Parameters:
  ///   - compression: Level 0 and levels outside `Compression.zstdLevels` are programming errors.
  ///   - batchBytes: See the property; at least one record always fits.
  public init(
    compression: Compression = .none, batchBytes: Int = RecordBatchBuilder.batchBytesDefault
  ) {
    self.compression = compression
    self.batchBytes = min(batchBytes, RecordBatchBuilder.batchBytesMax)
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
  @inlinable public var isEmpty: Bool { progress.recordCount == 0 }
  /// Records so far.
  @inlinable public var recordCount: Int32 { progress.recordCount }
  /// Bytes of the batch so far, header included, before compression.
  @inlinable public var byteCount: Int { progress.byteCount }
  /// Time of the first record; −1 if there is none.
  @inlinable public var baseTimestamp: Int64 { progress.baseTimestamp }
  /// The largest time so far; −1 if there is none.
  @inlinable public var maxTimestamp: Int64 { progress.maxTimestamp }

  /// Adds a record.
  ///
  /// - Parameters:
  ///   - timestamp: Milliseconds since 1970; −1 for none.
  ///   - key: Its key, or nil for null.
  ///   - value: Its value, or nil for null.
  ///   - headers: Its headers, in order.
  /// - Returns: False if the batch is full, or if `timestamp` and the first record's are so far
  ///   apart that 64 bits cannot hold the difference. The batch is then unchanged; finish it and
  ///   append to the next.
  /// - Throws: `.tooLarge` for a record of more than `recordBytesMax`.
  @inlinable
  public mutating func append(
    timestamp: Int64, key: Span<UInt8>?, value: Span<UInt8>?,
    headers: [RecordHeader] = []
  ) throws(BatchError) -> Bool {
    let room = RecordEncoder.roomNeeded(
      keyCount: key?.count ?? 0, valueCount: value?.count ?? 0, headers: headers)
    if room > min(plain.capacity &- progress.byteCount, RecordBatchBuilder.recordBytesMax) {
      try makeRoom(room)
    }
    let count = progress.recordCount
    let (timestampDelta, isTooFar) = timestamp.subtractingReportingOverflow(
      count == 0 ? timestamp : progress.baseTimestamp)
    if isTooFar { return false }
    // Safe: there is room, of which at most `recordBytesMax` is needed; bytes after `byteCount` are
    // unused until they are counted below.
    let written = unsafe RecordEncoder.write(
      timestampDelta: timestampDelta, offsetDelta: count, key: key, value: value,
      headers: headers, room: room, to: plain.address(of: progress.byteCount))
    let end = progress.byteCount &+ written
    if count > 0 {
      if end > batchBytes || count == Int32.max { return false }
      progress.maxTimestamp = max(progress.maxTimestamp, timestamp)
    } else {
      progress.baseTimestamp = timestamp
      progress.maxTimestamp = timestamp
    }
    progress.recordCount = count &+ 1
    progress.byteCount = end
    return true
  }

  /// Makes room for a record that is not too large.
  @usableFromInline
  @inline(never)
  mutating func makeRoom(_ room: Int) throws(BatchError) {
    guard room <= RecordBatchBuilder.recordBytesMax else {
      throw .tooLarge(byteCount: room, limit: RecordBatchBuilder.recordBytesMax)
    }
    plain.reserve(byteCount + room, keeping: byteCount)
  }

  /// Adds a record from arrays; otherwise as the other `append`.
  ///
  /// - Throws: As the other.
  @_disfavoredOverload
  public mutating func append(
    timestamp: Int64, key: [UInt8]?, value: [UInt8]?, headers: [RecordHeader] = []
  ) throws(BatchError) -> Bool {
    try append(timestamp: timestamp, key: key?.span, value: value?.span, headers: headers)
  }

  /// Removes all records; the memory stays.
  public mutating func reset() {
    progress = Progress()
    // Memory for one oversized record is not kept.
    plain.shrink(to: max(4 << 20, 2 * batchBytes))
    packed.shrink(to: max(4 << 20, 2 * batchBytes))
  }

  /// Compresses the batch and completes its header: base offset 0, leader epoch −1, the CRC last.
  ///
  /// - Returns: The whole batch, valid until the builder is used again. `assignOffset` may be
  ///   applied to it at any time, because both fields are outside the CRC.
  /// - Precondition: At least one record.
  /// - Throws: `.compression` if zstd fails.
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

  /// Fills `packed` after the header's place; returns where the bytes end.
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

extension RecordBatchBuilder {
  /// The records appended to a batch so far.
  @usableFromInline
  struct Progress: BitwiseCopyable {
    @usableFromInline var recordCount: Int32 = 0
    @usableFromInline var byteCount = BatchLayout.records
    @usableFromInline var baseTimestamp: Int64 = -1
    @usableFromInline var maxTimestamp: Int64 = -1

    init() {}
  }
}
