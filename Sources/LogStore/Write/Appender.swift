internal import CoreMetrics
package import RecordFormat

/// The way of an append: admit or build the batch, begin the session, write, wait until it is
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

  /// Writes a client's ready batch.
  ///
  /// - Parameter decoded: Its header, where it was decoded before, from these very bytes.
  package func write(
    _ batch: inout MutableSpan<UInt8>, decoded: BatchHeader? = nil
  ) throws(LogError) -> Written {
    try checkNotFailed(batch.span)
    let header = try intake.admit(&batch, decoded: decoded)
    return try writeValid(&batch, header)
  }

  /// Writes records as one batch.
  package func write(_ records: [Record]) throws(LogError) -> Written {
    let assembler = assemblers.take(where: { _ in true }) {
      BatchAssembler(
        compression: log.config.compression, maxMessageBytes: log.config.maxMessageBytes)
    }
    defer { assemblers.give(assembler) }
    try assembler.fill(records, nowMs: log.context.nowMs())
    return try write(&assembler.builder).result
  }

  /// Writes the records of a builder as one batch and resets it; where that fails it keeps them.
  ///
  /// - Returns: With the result the bytes of the batch as it is stored.
  package func write(_ builder: inout RecordBatchBuilder) throws(LogError)
    -> (result: Written, byteCount: Int)
  {
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
        outcome = .success((try writeValid(&batch, header), header.byteCount))
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

  /// Writes one valid batch, of which only its header is looked at.
  ///
  /// Everything that can fail happens before the bytes are published; a failed write moves nothing,
  /// and the log takes nothing more where that may happen again (I8).
  package func writeValid(
    _ batch: inout MutableSpan<UInt8>, _ header: BatchHeader
  ) throws(LogError) -> Written {
    do throws(LogError) {
      let limit = min(log.config.maxMessageBytes, log.config.segmentBytes)
      guard batch.count <= limit else {
        throw .recordTooLarge(bytes: batch.count, limit: limit)
      }
      try pipeline.beginSession()
      let (result, flush) = try writer.append(&batch, header)
      try pipeline.flush(flush)
      return result
    } catch {
      health.announce()
      writer.refused.noteRefusal(of: batch.span, error, health, nowMs: log.context.nowMs())
      throw error
    }
  }

  /// Throws where the log has failed, before anything of a batch is judged: neither its bytes nor
  /// its sequence, since what its producer sent before may or may not be in the log.
  package func checkNotFailed(_ batch: Span<UInt8>) throws(LogError) {
    guard health.isFailed else { return }
    do throws(LogError) {
      try health.checkNotFailed()
    } catch {
      writer.refused.noteRefusal(of: batch, error, health, nowMs: log.context.nowMs())
      throw error
    }
  }

  /// Whether a batch that its producer sent before this one was refused because of the disk and has
  /// not come again.
  package func awaitsRefusedBatch(before header: BatchHeader) -> Bool {
    writer.refused.isAwaited(before: header, nowMs: log.context.clock.expiryMs())
  }

  // MARK: Acknowledging

  /// Waits for what `config.durability` promises of a written batch.
  package func acknowledge(_ written: Written) throws(LogError) -> Written {
    guard log.config.durability == .flushed else { return written }
    var result = written
    try pipeline.waitFlushed(upTo: result.lastOffset + 1)
    result.isDurable = true
    return result
  }

  /// The same without blocking the thread.
  package func acknowledge(_ written: Written) async throws(LogError) -> Written {
    guard log.config.durability == .flushed else { return written }
    var result = written
    try await pipeline.flushedEnd(reaches: result.lastOffset + 1)
    result.isDurable = true
    return result
  }

  // MARK: Preparing

  /// Whether an append of a batch of so many bytes only writes: no mark, no new segment and no sync
  /// comes before it.
  package func isReady(byteCount: Int) -> Bool {
    // The append is refused at once, without a look at the disk.
    if log.settingsFault != nil || health.isFailed { return true }
    return pipeline.hasBegunSession && writer.isReady(byteCount: byteCount)
  }

  /// Does what an append of so many bytes would do before it writes: the session's mark, a new
  /// segment, the sync of sealed ones that pile up. Blocks.
  package func prepare(byteCount: Int) throws(LogError) {
    defer { health.announce() }
    try pipeline.beginSession()
    try pipeline.flush(try writer.prepare(byteCount: byteCount))
  }
}
