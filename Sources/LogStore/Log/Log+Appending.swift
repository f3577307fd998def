internal import DiskIO
public import RecordFormat

/// Appending, and waiting until what was appended is durable.
extension Log {
  /// Appends a ready batch of Kafka's format (magic 2), all or nothing.
  ///
  /// The base offset and leader epoch are written into `batch` in place; every other byte is stored
  /// as it came (with LogAppendTime also the time, its flag and the CRC). A batch with a producer
  /// id is held to Kafka's rules for idempotent producers: one of its last five batches is
  /// not written again but answered as it was (`isDuplicate`), one that does not follow is refused.
  ///
  /// - Durability: As `config.durability` says; by default durable when this returns. Where it
  ///   throws after the write (a failed sync), the records may or may not be there after reopening.
  /// - Throws: `LogError`: `.invalidBatch`, `.recordTooLarge`, `.diskFull` (nothing was appended;
  ///   try again), `.poisoned` (see `Store.reopenLog`), `.readOnly`, `.closed`, `.disk`; with
  ///   a producer id also `.outOfOrderSequence`, `.invalidProducerEpoch`,
  ///   `.invalidTransactionState`, `.earlierBatchRefused`. Where the topic's settings cannot be
  ///   read, `.settingsUnreadable`.
  /// - Complexity: One pwrite, and one share of an fdatasync. Blocks.
  @discardableResult
  public func append(batch: inout [UInt8]) throws(LogError) -> AppendResult {
    var span = batch.mutableSpan
    let appender = try appender
    return try appender.acknowledge(try appender.write(&span))
  }

  /// Writes a ready batch without waiting for durability; see `append(batch:)` and `waitFlushed`.
  ///
  /// - Returns: Offsets, with `isDurable` false.
  /// - Throws: As `append(batch:)`.
  /// - Complexity: One pwrite. The first of a session waits for the log's mark to be synced, one
  ///   that finds many sealed segments unsynced for a flush.
  public func write(batch: inout MutableSpan<UInt8>) throws(LogError) -> AppendResult {
    try appender.write(&batch)
  }

  /// Appends records as one batch, compressed as `config.compression` says; all or nothing.
  ///
  /// - Parameter records: At least one; `offset` is ignored. The timestamp -1 means now; other
  ///   negative ones are times before 1970.
  /// - Throws: As `append(batch:)`; `.recordTooLarge` where the batch exceeds `maxMessageBytes`.
  @discardableResult
  public func append(_ records: [Record]) throws(LogError) -> AppendResult {
    let appender = try appender
    return try appender.acknowledge(try appender.write(records))
  }

  /// The same without blocking a thread while the records become durable: the store's flusher
  /// syncs. Cancelling the task does not end the wait.
  ///
  /// - Throws: As `append(batch:)`.
  @discardableResult
  public func append(_ records: [Record]) async throws(LogError) -> AppendResult {
    let appender = try appender
    return try await appender.acknowledge(try appender.write(records))
  }

  /// Writes records as one batch without waiting for durability; see `waitFlushed` and `onFlushed`.
  ///
  /// - Returns: Offsets, with `isDurable` false.
  /// - Throws: As `append(batch:)`.
  public func write(_ records: [Record]) throws(LogError) -> AppendResult {
    try appender.write(records)
  }

  /// Appends the records of a builder as one batch and resets it: the way without a copy.
  ///
  /// - Throws: As `append(batch:)`. Where nothing was written the builder keeps its records; after
  ///   a failed sync it is empty.
  @discardableResult
  public func append(_ builder: inout RecordBatchBuilder) throws(LogError) -> AppendResult {
    let appender = try appender
    return try appender.acknowledge(try appender.write(&builder).result)
  }

  /// Writes the records of a builder as one batch without waiting for durability, and resets it.
  ///
  /// - Throws: As `append(batch:)`; the builder then keeps its records.
  public func write(_ builder: inout RecordBatchBuilder) throws(LogError) -> AppendResult {
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

  /// Blocks until every record below `offset` is durable, whatever the log's durability mode.
  ///
  /// One fdatasync serves every waiter. The caller runs it itself where no other thread does.
  ///
  /// - Throws: `.poisoned` where the sync failed; `.offsetOutOfRange` beyond the log end offset.
  public func waitFlushed(upTo offset: Int64) throws(LogError) {
    guard offset <= logEndOffset else {
      try health.checkPresent()
      throw .offsetOutOfRange(
        offset: offset, logStartOffset: logStartOffset, logEndOffset: logEndOffset)
    }
    if recoveryPoint >= offset { return }
    guard let writing else { throw .readOnly(path: path) }
    try writing.pipeline.waitFlushed(upTo: offset)
  }

  /// Makes everything appended so far durable. Blocks.
  ///
  /// - Throws: As `waitFlushed(upTo:)`.
  public func flush() throws(LogError) { try waitFlushed(upTo: logEndOffset) }

  /// Suspends until every record below `offset` is durable, those that are yet to be appended too;
  /// the store's flusher does the sync. Cancelling the task does not end it.
  ///
  /// - Throws: `.poisoned` or `.closed` where that will never be.
  public func flushedEnd(reaches offset: Int64) async throws(LogError) {
    guard let writing else { return try await offsets.flushed.reached(offset) }
    try await writing.pipeline.flushedEnd(reaches: offset)
  }

  /// Calls `body` once when every record below `offset` is durable, those that are yet to be
  /// appended too, or the log failed or closed; at once where that is so already, else on the
  /// flushing thread. It must not block.
  public func onFlushed(
    _ offset: Int64, _ body: @escaping @Sendable (Result<Void, LogError>) -> Void
  ) {
    guard let writing else {
      _ = offsets.flushed.onReach(offset, body)
      return
    }
    writing.pipeline.onFlushed(offset, body)
  }
}
