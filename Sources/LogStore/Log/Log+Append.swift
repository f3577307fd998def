internal import CoreMetrics
internal import Bytes
internal import DiskIO
public import RecordFormat

/// What an append gave.
public struct AppendResult: Sendable, Equatable {
  /// Offset of the first appended record.
  public var baseOffset: Int64
  /// Offset of the last appended record.
  public var lastOffset: Int64
  /// The batch's time where the log stamps it (`timestampType` LogAppendTime), else -1.
  public var logAppendTimeMs: Int64
  /// Whether the records would survive a power cut now.
  public var isDurable: Bool
  /// Whether the batch stood in the log already: its producer sent it again. The offsets are those
  /// it got then, and `logAppendTimeMs` is its greatest timestamp.
  public var isDuplicate = false
}

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
  ///   try again), `.poisoned` (see `LogManager.reopenLog`), `.readOnly`, `.closed`, `.disk`; with
  ///   a producer id also `.outOfOrderSequence`, `.invalidProducerEpoch`,
  ///   `.invalidTransactionState`, `.earlierBatchRefused`. Where the topic's settings cannot be
  ///   read, `.settingsUnreadable`.
  /// - Complexity: One pwrite, and one share of an fdatasync. Blocks.
  @discardableResult
  public func append(batch: inout [UInt8]) throws(LogError) -> AppendResult {
    var span = batch.mutableSpan
    return try acknowledge(try write(batch: &span))
  }

  /// Writes a ready batch without waiting for durability; see `append(batch:)` and `waitFlushed`.
  ///
  /// - Returns: Offsets, with `isDurable` false.
  /// - Throws: As `append(batch:)`.
  /// - Complexity: One pwrite. The first of a session waits for the log's mark to be synced, one
  ///   that finds many sealed segments unsynced for a flush.
  public func write(batch: inout MutableSpan<UInt8>) throws(LogError) -> AppendResult {
    try refuseIfFailed(batch.span)
    // Before the batch is held to settings that are not the topic's.
    if let settingsFault { throw settingsFault }
    guard batch.count <= config.maxMessageBytes else {
      throw .recordTooLarge(bytes: batch.count, limit: config.maxMessageBytes)
    }
    // Whatever offset it came with, it gets the log's.
    if batch.count >= BatchHeader.byteCountMin {
      assignOffset(&batch, baseOffset: 0, leaderEpoch: -1)
    }
    let validator = validators.take(where: { _ in true }) { BatchValidator() }
    defer { validators.give(validator) }
    typealias Checked = (header: BatchHeader, records: BatchSummary)
    func check(_ batch: Span<UInt8>) throws(LogError) -> Checked {
      try validator.check(
        batch, maxMessageBytes: config.maxMessageBytes, needsKeys: overrides.isCompacted)
    }
    var (header, records) = try check(batch.span)
    try checkTimes(header, records)
    if header.timestampType == .logAppendTime {
      clearLogAppendTime(&batch)
      // What counts now are the times that its records have themselves.
      (header, records) = try check(batch.span)
    }
    if header.maxTimestamp != records.maxTimestamp {
      rewriteMaxTimestamp(&batch, timestamp: records.maxTimestamp)
    }
    return try writeSealed(&batch)
  }

  /// Kafka's rules for the times of a client's batch (`LogValidator.validateTimestamp`): where
  /// producers say the time it must lie within the topic's limits, and the type LogAppendTime is
  /// passed over; where the log says the time, or a record has none, the type is refused.
  private func checkTimes(_ header: BatchHeader, _ records: BatchSummary) throws(LogError) {
    if header.timestampType == .logAppendTime,
      config.timestampType == .logAppendTime || header.maxTimestamp == -1
    {
      throw .invalidTimestamp(
        found: header.maxTimestamp, reason: "a producer must not set the type LogAppendTime")
    }
    let (before, after) = (config.timestampBeforeMaxMs, config.timestampAfterMaxMs)
    guard config.timestampType == .createTime, min(before, after) < .max,
      let earliest = records.minTimestamp
    else { return }
    let nowMs = context.nowMs()
    let (oldest, isUnbounded) = nowMs.subtractingReportingOverflow(before)
    guard isUnbounded || earliest >= oldest else {
      throw .invalidTimestamp(
        found: earliest, reason: "more than message.timestamp.before.max.ms = \(before) ago")
    }
    let (newest, isEndless) = nowMs.addingReportingOverflow(after)
    guard isEndless || records.maxTimestamp <= newest else {
      throw .invalidTimestamp(
        found: records.maxTimestamp,
        reason: "more than message.timestamp.after.max.ms = \(after) ahead")
    }
  }

  /// Appends records as one batch, compressed as `config.compression` says; all or nothing.
  ///
  /// - Parameter records: At least one; `offset` is ignored. The timestamp -1 means now; other
  ///   negative ones are times before 1970.
  /// - Throws: As `append(batch:)`; `.recordTooLarge` where the batch exceeds `maxMessageBytes`.
  @discardableResult
  public func append(_ records: [Record]) throws(LogError) -> AppendResult {
    try acknowledge(try write(records))
  }

  /// The same without blocking a thread while the records become durable: the store's flusher
  /// syncs. Cancelling the task does not end the wait.
  ///
  /// - Throws: As `append(batch:)`.
  @discardableResult
  public func append(_ records: [Record]) async throws(LogError) -> AppendResult {
    var result = try write(records)
    if config.durability == .flushed {
      try await flushedEnd(reaches: result.lastOffset + 1)
      result.isDurable = true
    }
    return result
  }

  /// Writes records as one batch without waiting for durability; see `waitFlushed` and `onFlushed`.
  ///
  /// - Returns: Offsets, with `isDurable` false.
  /// - Throws: As `append(batch:)`.
  public func write(_ records: [Record]) throws(LogError) -> AppendResult {
    let assembler = assemblers.take(where: { _ in true }) {
      BatchAssembler(compression: config.compression, maxMessageBytes: config.maxMessageBytes)
    }
    defer { assemblers.give(assembler) }
    try assembler.fill(records, nowMs: context.nowMs())
    return try write(&assembler.builder)
  }

  /// Appends the records of a builder as one batch and resets it: the way without a copy.
  ///
  /// - Throws: As `append(batch:)`. Where nothing was written the builder keeps its records; after
  ///   a failed sync it is empty.
  @discardableResult
  public func append(_ builder: inout RecordBatchBuilder) throws(LogError) -> AppendResult {
    try acknowledge(try write(&builder))
  }

  /// Writes the records of a builder as one batch without waiting for durability, and resets it.
  ///
  /// - Throws: As `append(batch:)`; the builder then keeps its records.
  public func write(_ builder: inout RecordBatchBuilder) throws(LogError) -> AppendResult {
    guard !builder.isEmpty else {
      throw .invalidBatch(
        .header(
          .recordCount, position: BatchLayout.recordCount, found: 0, expected: "at least 1"))
    }
    var failure: LogError?
    var result: AppendResult?
    do throws(BatchError) {
      var batch = try builder.finish()
      do throws(LogError) {
        result = try writeSealed(&batch)
      } catch {
        failure = error
      }
    } catch {
      failure = .invalidBatch(error)
    }
    guard let result else { throw failure ?? .closed(path: path) }
    builder.reset()
    return result
  }

  /// Waits for what `config.durability` promises of a written batch.
  private func acknowledge(_ written: AppendResult) throws(LogError) -> AppendResult {
    guard config.durability == .flushed else { return written }
    var result = written
    try waitFlushed(upTo: result.lastOffset + 1)
    result.isDurable = true
    return result
  }

  /// Sealed segments that may wait for a sync: each holds its log and two mappings open. An append
  /// that finds as many, because nobody flushes as fast as it rolls, flushes itself.
  package static let unsyncedSealedMax = 16

  /// Writes one valid batch: the whole write path.
  ///
  /// Everything that can fail happens before the bytes are published; a failed write moves nothing,
  /// and the log takes nothing more where that may happen again (I8).
  package func writeSealed(_ batch: inout MutableSpan<UInt8>) throws(LogError) -> AppendResult {
    do throws(LogError) {
      return try writeWhole(&batch)
    } catch {
      announceFailure()
      noteRefusal(of: batch.span, error)
      throw error
    }
  }

  private func writeWhole(_ batch: inout MutableSpan<UInt8>) throws(LogError) -> AppendResult {
    guard let writer else { throw .readOnly(path: path) }
    guard batch.count <= min(config.maxMessageBytes, config.segmentBytes) else {
      throw .recordTooLarge(
        bytes: batch.count, limit: min(config.maxMessageBytes, config.segmentBytes))
    }
    try markBeforeFirstWrite()
    let nowMs = context.nowMs()
    var logAppendTimeMs: Int64 = -1
    if config.timestampType == .logAppendTime {
      logAppendTimeMs = nowMs
      rewriteLogAppendTime(&batch, timestamp: nowMs)
    }
    let (header, original, isBehind) = try writer.withLock {
      (state) throws(LogError) -> (BatchHeader, ProducerState.Batch?, Bool) in
      try refuseIfPoisoned()
      if state.isClosed { throw .closed(path: path) }
      let header = place(&batch, leaderEpoch: state.leaderEpoch)
      if header.producerId >= 0, let original = try judge(header, &state, nowMs: nowMs) {
        return (header, original, false)
      }
      do throws(DiskError) {
        try append(batch.span, header, to: &state, nowMs: nowMs)
      } catch {
        throw failure(error)
      }
      return (header, nil, state.unsyncedSealed.count >= Self.unsyncedSealedMax)
    }
    if let original {
      return AppendResult(
        baseOffset: original.baseOffset, lastOffset: original.lastOffset,
        logAppendTimeMs: original.timestamp, isDurable: false, isDuplicate: true)
    }
    if isBehind { try waitFlushed(upTo: header.nextOffset) }
    context.metrics.appendedBytes.increment(by: header.byteCount)
    context.metrics.appendedRecords.increment(by: Int(header.recordCount))
    context.metrics.appendedBatchBytes.record(header.byteCount)
    return AppendResult(
      baseOffset: header.baseOffset, lastOffset: header.lastOffset,
      logAppendTimeMs: logAppendTimeMs, isDurable: false)
  }

  /// Gives a batch the log's next offsets. Holder of the writer lock.
  private func place(_ batch: inout MutableSpan<UInt8>, leaderEpoch: Int32) -> BatchHeader {
    let nextOffset = logEnd.value
    assignOffset(&batch, baseOffset: nextOffset, leaderEpoch: leaderEpoch)
    guard let header = try? BatchHeader(batch.span) else {
      preconditionFailure("a batch that was valid has no valid header at offset \(nextOffset)")
    }
    return header
  }

  /// The part of an append that needs the writer lock: roll, one pwrite, index, publish.
  private func append(
    _ batch: Span<UInt8>, _ header: BatchHeader, to state: inout LogWriter, nowMs: Int64
  ) throws(DiskError) {
    try activate(&state, nowMs: nowMs)
    if let reason = state.active!.rollReason(
      appending: header.byteCount, lastOffset: header.lastOffset, config: config, nowMs: nowMs)
    {
      try roll(&state, to: header.baseOffset, reason, nowMs: nowMs)
    }
    if header.producerId >= 0 {
      producers.noteProducer()
      if state.producers.producers[header.producerId] == nil {
        context.knownProducerIds.note(header.producerId)
      }
    }
    // Blocks first: a full disk must show before anything is written (P4).
    try reserveEntries(&state)
    try writeToActive(&state.active!, batch, header)
    mendActiveIndexes(&state)
    if header.producerId >= 0 {
      state.producers.note(header, activeMs: nowMs)
      if !refused.isEmpty { refused.didCome(header, isDuplicate: false) }
    }
  }

  /// Writes the bytes, then the index entries, then publishes the end (release).
  private func writeToActive(
    _ active: inout ActiveSegment, _ bytes: Span<UInt8>, _ header: BatchHeader
  ) throws(DiskError) {
    let position = active.position
    // Bytes of a failed write may hold anything, also what looks like the batch after this one.
    if active.hasStrayTail {
      try active.log.truncate(to: position)
      active.hasStrayTail = false
    }
    do throws(DiskError) {
      try active.log.write(bytes, at: position)
    } catch {
      active.hasStrayTail = true
      throw error
    }
    active.noteAppended(header, intervalBytes: config.indexIntervalBytes)
    active.segment.verified.appended(position..<active.position)
    active.segment.publish(active.end)
    logEnd.publish(active.nextOffset)
  }
}
