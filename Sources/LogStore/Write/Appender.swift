internal import CoreMetrics
internal import RecordFormat

/// The steps of an append: check or build the batch, begin the session, write, wait until it is
/// durable. Any thread.
package final class Appender: Sendable {
  /// A batch that is in the log, durable or not.
  package typealias Written = AppendResult

  private let log: LogEnvironment
  private let health: LogHealth
  private let writer: Writer
  private let pipeline: FlushPipeline
  private let intake: BatchIntake
  /// Idle builders of `write(records)`.
  private let assemblers = ReusePool<BatchAssembler>()

  package init(
    _ log: LogEnvironment, _ health: LogHealth, _ writer: Writer, _ pipeline: FlushPipeline
  ) {
    self.log = log
    self.health = health
    self.writer = writer
    self.pipeline = pipeline
    intake = BatchIntake(log)
  }

  // MARK: Writing

  /// Writes a batch that a client has encoded.
  ///
  /// - Parameters:
  ///   - decoded: Its header, if it was already decoded from the same bytes.
  ///   - expectedEnd: Where the log must end, or nothing is written; nil: anywhere.
  package func write(
    _ batch: inout MutableSpan<UInt8>, decoded: BatchHeader? = nil, expectedEnd: Int64? = nil
  ) throws(LogError) -> Written {
    try checkNotFailed(batch.span)
    let header = try intake.admit(&batch, decoded: decoded)
    return try writeValid(&batch, header, expectedEnd)
  }

  /// Writes records as one batch.
  package func write(
    _ records: [NewRecord], expectedEnd: Int64? = nil
  ) throws(LogError) -> Written {
    let assembler = takeAssembler()
    defer { assemblers.give(assembler) }
    try assembler.fill(records, nowMs: log.context.nowMs())
    return try write(&assembler.builder, expectedEnd: expectedEnd).result
  }

  /// The same for a thread that must not wait for a disk: what comes before the bytes (the
  /// session's mark, a new segment, the sync of sealed ones) is done on a fetcher thread.
  package func write(
    _ records: [NewRecord], expectedEnd: Int64?
  ) async throws(LogError) -> Written {
    let assembler = takeAssembler()
    defer { assemblers.give(assembler) }
    try assembler.fill(records, nowMs: log.context.nowMs())
    try await prepareElsewhere(byteCount: assembler.builder.byteCount)
    return try write(&assembler.builder, expectedEnd: expectedEnd).result
  }

  /// The same of a client's ready batch.
  package func write(_ batch: inout [UInt8], expectedEnd: Int64?) async throws(LogError) -> Written
  {
    try await prepareElsewhere(byteCount: batch.count)
    var span = batch.mutableSpan
    return try write(&span, expectedEnd: expectedEnd)
  }

  private func takeAssembler() -> BatchAssembler {
    assemblers.take(where: { _ in true }) {
      BatchAssembler(
        compression: log.config.compression, maxMessageBytes: log.config.maxMessageBytes)
    }
  }

  /// Returns once an append of so many bytes only writes.
  private func prepareElsewhere(byteCount: Int) async throws(LogError) {
    while !isReady(byteCount: byteCount) {
      try await log.context.fetchers.run { [self] () throws(LogError) in
        try prepare(byteCount: byteCount)
      }
    }
  }

  /// Writes the records of a builder as one batch and resets it; if that fails, the builder keeps
  /// them.
  ///
  /// - Returns: The result, and the bytes of the batch as stored.
  package func write(
    _ builder: inout RecordBatchBuilder, expectedEnd: Int64? = nil
  ) throws(LogError) -> (result: Written, byteCount: Int) {
    guard !builder.isEmpty else {
      throw .invalidBatch(
        .header(
          .recordCount, position: BatchLayout.recordCount, found: 0, expected: "at least 1"))
    }
    let outcome: Result<(Written, Int), LogError>
    do throws(BatchError) {
      var batch = try builder.finish()
      let header = try BatchHeader(batch.span)
      do throws(LogError) {
        outcome = .success((try writeValid(&batch, header, expectedEnd), header.byteCount))
      } catch {
        outcome = .failure(error)
      }
    } catch {
      throw .invalidBatch(error)
    }
    let written = try outcome.get()
    builder.reset()
    return (written.0, written.1)
  }

  /// Writes one valid batch, reading only its header.
  ///
  /// Everything that can fail happens before the bytes are published. A failed write publishes
  /// nothing, and if it may have lost data, the log accepts no further appends (I8).
  func writeValid(
    _ batch: inout MutableSpan<UInt8>, _ header: BatchHeader, _ expectedEnd: Int64? = nil
  ) throws(LogError) -> Written {
    do throws(LogError) {
      let limit = min(log.config.maxMessageBytes, log.config.segmentBytes)
      guard batch.count <= limit else {
        throw .recordTooLarge(bytes: batch.count, limit: limit)
      }
      try pipeline.beginSession()
      let (result, flush) = try writer.append(&batch, header, expectedEnd: expectedEnd)
      try pipeline.flush(flush)
      return result
    } catch {
      health.announce()
      writer.refused.noteRefusal(of: batch.span, error, health, nowMs: log.context.nowMs())
      throw error
    }
  }

  /// Throws if the log has failed, before anything of a batch is checked: neither its bytes nor its
  /// sequence can be judged, since its producer's earlier batches may or may not be in the log.
  package func checkNotFailed(_ batch: Span<UInt8>) throws(LogError) {
    guard health.isFailed else { return }
    do throws(LogError) {
      try health.checkNotFailed()
    } catch {
      writer.refused.noteRefusal(of: batch, error, health, nowMs: log.context.nowMs())
      throw error
    }
  }

  /// Whether an earlier batch of the producer was refused because of the disk and has not come
  /// again.
  package func awaitsRefusedBatch(before header: BatchHeader) -> Bool {
    writer.refused.isAwaited(before: header, nowMs: log.context.clock.expiryMs())
  }

  // MARK: Acknowledging

  /// Waits until `config.durability` holds for a written batch.
  package func acknowledge(_ written: Written) throws(LogError) -> Written {
    guard log.config.durability == .flushed else { return written }
    var result = written
    try pipeline.waitFlushed(upTo: result.lastOffset + 1)
    result.isDurable = true
    return result
  }

  /// The same without blocking the thread; ends early where the task is cancelled.
  package func acknowledge(_ written: Written) async throws(LogError) -> Written {
    guard log.config.durability == .flushed else { return written }
    var result = written
    guard try await pipeline.isFlushed(upTo: result.lastOffset + 1) else {
      throw .cancelled(appended: result.baseOffset..<result.lastOffset + 1)
    }
    result.isDurable = true
    return result
  }

  // MARK: Preparing

  /// Whether an append of a batch of this size only writes: it needs no mark, no new segment and no
  /// sync first.
  package func isReady(byteCount: Int) -> Bool {
    // The append is refused at once, without access to the disk.
    if log.settingsFault != nil || health.isFailed { return true }
    return pipeline.hasBegunSession && writer.isReady(byteCount: byteCount)
  }

  /// Does what an append of this size would do before it writes: the session's mark, a new segment,
  /// the sync of sealed segments that pile up. Blocks.
  package func prepare(byteCount: Int) throws(LogError) {
    defer { health.announce() }
    try pipeline.beginSession()
    try pipeline.flush(try writer.prepare(byteCount: byteCount))
  }
}
