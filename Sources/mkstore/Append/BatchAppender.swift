import LogStore
import RecordFormat

/// Collects records into batches, writes them, and waits until they are acknowledged.
///
/// Full batches are written at once and made durable together, so that a bulk load pays one sync
/// for many. A batch that has waited for its linger time is acknowledged at once. Owned by one
/// thread.
struct BatchAppender: ~Copyable {
  /// When batches end.
  struct Options {
    var recordsMax = Int.max
    var bytesMax = RecordBatchBuilder.batchBytesDefault
    var lingerMs = 10
  }

  private let log: Log
  private let options: Options
  private var builder: RecordBatchBuilder
  private var written: [WrittenBatch] = []
  private var writtenBytes = 0
  /// When the first record of the batch arrived.
  private var batchStart = Stopwatch()
  /// The acknowledged records.
  private(set) var totals = AppendTotals()

  /// Unacknowledged bytes after which a sync is waited for.
  private static let unsyncedBytesMax = 8 << 20

  /// Prepares to append to `log`.
  init(_ log: Log, _ options: Options) {
    self.log = log
    self.options = options
    builder = RecordBatchBuilder(
      compression: log.config.compression,
      batchBytes: BatchAppender.batchBytes(options.bytesMax, log.config))
  }

  /// Bytes before compression that certainly fit the log's limits when compressed.
  private static func batchBytes(_ wanted: Int, _ config: LogConfig) -> Int {
    let limit = min(config.maxMessageBytes, config.segmentBytes)
    guard config.compression != .none else { return min(wanted, limit) }
    // Bytes that zstd cannot compress grow by slightly more than 1/256.
    return max(1, min(wanted, limit - limit / 256 - 256))
  }

  /// Whether records wait for their batch to fill.
  var hasOpenBatch: Bool { !builder.isEmpty }

  /// Milliseconds until the open batch has waited long enough; −1 if there is none.
  var lingerLeftMs: Int {
    guard hasOpenBatch else { return -1 }
    return max(0, options.lingerMs - batchStart.elapsedMs)
  }

  /// Adds a record; writes the batch if it is full.
  mutating func add(
    timestamp: Int64, key: Span<UInt8>?, value: Span<UInt8>?, headers: [RecordHeader]
  ) throws(CommandFailure) {
    if !(try append(timestamp, key, value, headers)) {
      try writeBatch()
      _ = try append(timestamp, key, value, headers)
    }
    if builder.recordCount == 1 {
      try refuseIfTooLarge()
      batchStart = Stopwatch()
    }
    if Int(builder.recordCount) >= options.recordsMax { try writeBatch() }
  }

  private mutating func append(
    _ timestamp: Int64, _ key: Span<UInt8>?, _ value: Span<UInt8>?, _ headers: [RecordHeader]
  ) throws(CommandFailure) -> Bool {
    do throws(BatchError) {
      return try builder.append(timestamp: timestamp, key: key, value: value, headers: headers)
    } catch {
      throw CommandFailure.failure("\(error)")
    }
  }

  /// A record too large for any batch of this log is refused alone, so that the message can name
  /// its line. With compression the size is known only when the batch is written.
  private mutating func refuseIfTooLarge() throws(CommandFailure) {
    let limit = min(log.config.maxMessageBytes, log.config.segmentBytes)
    guard log.config.compression == .none, builder.byteCount > limit else { return }
    let bytes = builder.byteCount
    builder.reset()
    throw BatchAppender.tooLarge(bytes, limit)
  }

  private static func tooLarge(_ bytes: Int, _ limit: Int) -> CommandFailure {
    .failure(
      "a record makes a batch of \(bytes) bytes, above the limit of \(limit); raise "
        + "--max-message-bytes (and --segment-bytes)")
  }

  /// Writes the open batch, if there is one.
  mutating func writeBatch() throws(CommandFailure) {
    guard hasOpenBatch else { return }
    let plainBytes = builder.byteCount
    defer { builder.reset() }
    let (result, storedBytes) = try BatchAppender.write(&builder, to: log)
    written.append(
      WrittenBatch(
        baseOffset: result.baseOffset, lastOffset: result.lastOffset, plainBytes: plainBytes,
        storedBytes: storedBytes))
    writtenBytes += storedBytes
  }

  /// Completes the batch and writes it; also returns its stored bytes.
  private static func write(
    _ builder: inout RecordBatchBuilder, to log: Log
  ) throws(CommandFailure) -> (AppendResult, Int) {
    do throws(LogError) {
      return try log.write(storing: &builder)
    } catch {
      switch error.kind {
      case .recordTooLarge(let bytes, let limit): throw tooLarge(bytes, limit)
      case .invalidBatch(let cause): throw CommandFailure.failure("\(cause)")
      default: throw CommandFailure(error)
      }
    }
  }

  /// Whether enough is written and unacknowledged to wait for a sync now.
  var isAcknowledgementDue: Bool { writtenBytes >= BatchAppender.unsyncedBytesMax }

  /// Waits until the written batches may be acknowledged, and counts them.
  ///
  /// - Returns: Those batches, in order.
  mutating func acknowledge() throws(CommandFailure) -> [WrittenBatch] {
    guard let last = written.last else { return [] }
    if log.config.durability == .flushed {
      do throws(LogError) {
        try log.waitUntilDurableBlocking(upTo: last.lastOffset + 1)
      } catch {
        throw CommandFailure(error)
      }
    }
    defer {
      written.removeAll(keepingCapacity: true)
      writtenBytes = 0
    }
    for batch in written { totals.add(batch) }
    return written
  }
}
