internal import DiskIO
public import RecordFormat

/// Appending. What blocks its thread says so in its name; what is async never waits for a disk on
/// the thread that it runs on.
extension Log {
  /// Appends records as one batch, compressed as `config.compression` says; all or nothing.
  ///
  /// ```swift
  /// let receipt = try await log.append([
  ///   NewRecord(key: "anna", value: "2 apples"), NewRecord(key: "ben", value: "1 pear"),
  /// ])
  /// print(receipt.baseOffset, receipt.isDurable)
  /// ```
  ///
  /// - Parameters:
  ///   - records: At least one.
  ///   - expectedEndOffset: The log end offset that the records were decided on: if it is another
  ///     one by now, nothing is appended. nil: append wherever the log ends.
  /// - Durability: As `config.durability` says; by default durable when this returns. Where it
  ///   throws after the write (a failed sync), the records may or may not be there after reopening.
  ///   Cancelling the task ends the wait and not the append.
  /// - Throws: `LogError`: `.invalidBatch`, `.recordTooLarge`, `.diskFull` (nothing was appended;
  ///   try again), `.endOffsetMismatch`, `.poisoned` (see `Store.reopenLog`), `.readOnly`,
  ///   `.closed`, `.disk`, `.cancelled` with the offsets that the records have; where the topic's
  ///   settings cannot be read, `.settingsUnreadable`.
  /// - Complexity: One pwrite, and one share of an fdatasync by the store's flusher.
  @discardableResult
  public func append(
    _ records: [NewRecord], expectedEndOffset: Int64? = nil
  ) async throws(LogError) -> AppendResult {
    let appender = try appender
    let written = try await appender.write(records, expectedEnd: expectedEndOffset)
    return try await appender.acknowledge(written)
  }

  /// Appends a ready batch of Kafka's format (magic 2); see `appendBlocking(batch:)` for what is
  /// changed in it and what is checked.
  ///
  /// - Parameters:
  ///   - batch: The batch.
  ///   - expectedEndOffset: As `append(_:expectedEndOffset:)`.
  /// - Throws: As `appendBlocking(batch:)`, and `.cancelled`.
  @discardableResult
  public func append(
    batch: [UInt8], expectedEndOffset: Int64? = nil
  ) async throws(LogError) -> AppendResult {
    let appender = try appender
    var batch = batch
    let written = try await appender.write(&batch, expectedEnd: expectedEndOffset)
    return try await appender.acknowledge(written)
  }

  /// As `append(_:expectedEndOffset:)`, on a thread that may block: it does the sync itself where
  /// no other thread does.
  ///
  /// - Parameters:
  ///   - records: At least one.
  ///   - expectedEndOffset: The log end offset that the records were decided on; nil: any.
  @discardableResult
  public func appendBlocking(
    _ records: [NewRecord], expectedEndOffset: Int64? = nil
  ) throws(LogError) -> AppendResult {
    let appender = try appender
    return try appender.acknowledge(try appender.write(records, expectedEnd: expectedEndOffset))
  }

  /// Appends a ready batch of Kafka's format (magic 2), all or nothing.
  ///
  /// The base offset and leader epoch are written into `batch` in place; every other byte is stored
  /// as it came (with LogAppendTime also the time, its flag and the CRC). A batch with a producer
  /// id is held to Kafka's rules for idempotent producers: one of its last five batches is
  /// not written again but answered as it was (`isDuplicate`), one that does not follow is refused.
  ///
  /// - Durability: As `append(_:expectedEndOffset:)`.
  /// - Throws: As `append(_:expectedEndOffset:)`; with a producer id also `.outOfOrderSequence`,
  ///   `.invalidProducerEpoch`, `.invalidTransactionState`, `.earlierBatchRefused`.
  @discardableResult
  public func appendBlocking(batch: inout [UInt8]) throws(LogError) -> AppendResult {
    var span = batch.mutableSpan
    let appender = try appender
    return try appender.acknowledge(try appender.write(&span))
  }

  /// Appends the records of a builder as one batch and resets it: the way without a copy.
  ///
  /// - Throws: As `appendBlocking(batch:)`. Where nothing was written the builder keeps its
  ///   records; after a failed sync it is empty.
  @discardableResult
  public func appendBlocking(_ builder: inout RecordBatchBuilder) throws(LogError) -> AppendResult {
    let appender = try appender
    return try appender.acknowledge(try appender.write(&builder).result)
  }

  // MARK: Writing ahead of durability

  /// Writes records as one batch and returns before they are durable; see `waitUntilDurable`.
  ///
  /// - Returns: Offsets, with `isDurable` false.
  /// - Throws: As `appendBlocking(_:expectedEndOffset:)`.
  /// - Complexity: One pwrite. The first of a session waits for the log's mark to be synced, one
  ///   that finds many sealed segments unsynced for a flush.
  public func writeBlocking(_ records: [NewRecord]) throws(LogError) -> AppendResult {
    try appender.write(records)
  }

  /// Writes a ready batch and returns before it is durable; see `writeBlocking(_:)`.
  ///
  /// - Returns: Offsets, with `isDurable` false.
  /// - Throws: As `appendBlocking(batch:)`.
  public func writeBlocking(batch: inout MutableSpan<UInt8>) throws(LogError) -> AppendResult {
    try appender.write(&batch)
  }

  /// Writes the records of a builder as one batch, resets it, and returns before they are durable.
  ///
  /// - Throws: As `appendBlocking(batch:)`; the builder then keeps its records.
  public func writeBlocking(_ builder: inout RecordBatchBuilder) throws(LogError) -> AppendResult {
    try appender.write(&builder).result
  }

  /// The same, and how many bytes the batch takes.
  package func write(storing builder: inout RecordBatchBuilder) throws(LogError)
    -> (result: AppendResult, byteCount: Int)
  {
    try appender.write(&builder)
  }

  private var appender: Appender {
    get throws(LogError) {
      guard let writing else { throw .readOnly(path: path) }
      return writing.appender
    }
  }

  // MARK: Durability

  /// Waits until every record below `offset` is durable, whatever the log's durability mode, those
  /// that are yet to be appended too; the store's flusher does the sync.
  ///
  /// - Throws: `.poisoned` or `.closed` where that will never be; `.cancelled` where the task was.
  public func waitUntilDurable(upTo offset: Int64) async throws(LogError) {
    if let writing {
      guard try await writing.pipeline.isFlushed(upTo: offset) else {
        throw .cancelled(appended: nil)
      }
    } else {
      try await offsets.flushed.reached(offset)
      if durableEndOffset < offset { throw .cancelled(appended: nil) }
    }
  }

  /// Makes everything that was appended so far durable.
  ///
  /// - Throws: As `waitUntilDurable(upTo:)`.
  public func flush() async throws(LogError) { try await waitUntilDurable(upTo: logEndOffset) }

  /// Blocks until every record below `offset` is durable, whatever the log's durability mode.
  ///
  /// One fdatasync serves every waiter. The caller runs it itself where no other thread does.
  ///
  /// - Throws: `.poisoned` where the sync failed; `.offsetOutOfRange` beyond the log end offset.
  public func waitUntilDurableBlocking(upTo offset: Int64) throws(LogError) {
    guard offset <= logEndOffset else {
      try health.checkPresent()
      throw .offsetOutOfRange(
        offset: offset, logStartOffset: logStartOffset, logEndOffset: logEndOffset)
    }
    if durableEndOffset >= offset { return }
    guard let writing else { throw .readOnly(path: path) }
    try writing.pipeline.waitFlushed(upTo: offset)
  }

  /// Makes everything that was appended so far durable.
  ///
  /// - Throws: As `waitUntilDurableBlocking(upTo:)`.
  public func flushBlocking() throws(LogError) { try waitUntilDurableBlocking(upTo: logEndOffset) }

  /// Calls `body` once when every record below `offset` is durable, those that are yet to be
  /// appended too, or the log failed or closed; at once where that is so already, else on the
  /// flushing thread. It must not block.
  package func onDurable(
    _ offset: Int64, _ body: @escaping @Sendable (Result<Void, LogError>) -> Void
  ) {
    guard let writing else {
      _ = offsets.flushed.onReach(offset, body)
      return
    }
    writing.pipeline.onFlushed(offset, body)
  }
}
