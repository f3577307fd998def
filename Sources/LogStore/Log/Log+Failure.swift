internal import CoreMetrics
internal import DiskIO
internal import Logging
package import RecordFormat

/// What a failed write or sync makes of a log (I8): it takes nothing more until it is opened again.
extension Log {
  /// Throws where an earlier write or sync failed (I8).
  @inline(__always)
  package func refuseIfPoisoned() throws(LogError) {
    guard poison.isSet, !isDeleted else { return }
    throw .poisoned(path: path, cause: poison.cause)
  }

  /// Throws where the log has failed, before anything of a batch is judged: neither its bytes nor
  /// its sequence, since what its producer sent before may or may not be in the log.
  package func refuseIfFailed(_ batch: Span<UInt8>) throws(LogError) {
    guard poison.isSet else { return }
    do throws(LogError) {
      try refuseIfPoisoned()
    } catch {
      noteRefusal(of: batch, error)
      throw error
    }
  }

  /// What an append throws that the disk refused; nothing of it was appended.
  ///
  /// Where something ran out that may come back, the log goes on as it is. Anything else marks it
  /// as failed. May be called under the writer lock; `announceFailure` comes after it.
  func failure(_ error: DiskError) -> LogError {
    if error.isShortage, !error.isFailedSync { return LogError(error) }
    poison.set(error)
    return .poisoned(path: path, cause: poison.cause)
  }

  /// Marks the log as failed and ends its waits. Not under the writer lock.
  func poisonLog(_ error: DiskError) {
    poison.set(error)
    announceFailure()
  }

  /// Ends the log's waits where it has failed, and says so, once. Not under the writer lock, since
  /// those who wait are called.
  func announceFailure() {
    guard let cause = poison.takeUnannounced() else { return }
    context.metrics.poisonedLogs.increment()
    context.rateLimitedLog.log(
      .error, cause: "failed: \(topicPartition)",
      "a write or sync failed; the log takes nothing more until it is opened again",
      metadata: ["log": "\(topicPartition)", "cause": "\(cause)"])
    let failure = LogError.poisoned(path: path, cause: cause)
    flushed.fail(failure)
    logEnd.fail(failure)
    flushRole.broadcast()
    context.failures.note(topicPartition)
  }

  // MARK: Batches to come again

  /// Notes that a producer's batch was refused because of the disk, so that none that its producer
  /// has sent after it comes before it.
  func noteRefusal(of batch: Span<UInt8>, _ error: LogError) {
    switch error {
    case .poisoned, .diskFull, .disk, .closed: break
    default: return
    }
    if isDeleted { return }
    do throws(BatchError) {
      let header = try BatchHeader(batch)
      if !header.isLegacy { refused.note(header, nowMs: context.nowMs()) }
    } catch {
      // It is no batch, so there is none to come again.
      return
    }
  }

  /// Whether a batch that its producer sent before this one was refused because of the disk and has
  /// not come again.
  package func awaitsRefusedBatch(before header: BatchHeader) -> Bool {
    refused.isAwaited(before: header, nowMs: context.nowMs())
  }

  /// Notes the batches that were written but not synced when the log failed: their producers were
  /// told to send them again. Where an acknowledgement does not mean durable they were told nothing
  /// of the kind. The log takes no appends any more.
  func noteUncertainBatches() {
    guard let writer, config.durability == .flushed else { return }
    let durableEnd = flushed.value
    let nowMs = context.nowMs()
    for (producerId, producer) in writer.withLock({ $0.producers.producers }) {
      let uncertain = producer.batches.filter {
        $0.lastOffset >= durableEnd && $0.lastSequence >= 0
      }
      guard let first = uncertain.first, let last = uncertain.last else { continue }
      refused.note(
        producerId, epoch: producer.epoch, first: first.baseSequence,
        end: ProducerState.sequence(last.lastSequence, plus: 1), nowMs: nowMs)
    }
  }

  /// `judge` where batches were refused that have not all come again. Holder of the writer lock.
  func judgeAfterRefusals(_ header: BatchHeader, _ state: inout LogWriter, nowMs: Int64)
    throws(LogError) -> ProducerState.Batch?
  {
    let verdict: ProducerState.Verdict
    do throws(LogError) {
      verdict = try state.producers.judge(header, nowMs: nowMs)
    } catch {
      guard case .outOfOrderSequence(_, _, let expected) = error else { throw error }
      try refuseBeforeRefused(header, state, expected: expected, nowMs: nowMs)
      throw error
    }
    try refuseBeforeRefused(header, state, expected: nil, nowMs: nowMs)
    guard case .duplicate(let batch) = verdict else { return nil }
    refused.didCome(header, isDuplicate: true)
    return batch
  }

  private func refuseBeforeRefused(
    _ header: BatchHeader, _ state: LogWriter, expected: Int32?, nowMs: Int64
  ) throws(LogError) {
    let awaited = refused.awaited(
      before: header, knownEpoch: state.producers.producers[header.producerId]?.epoch,
      expected: expected, nowMs: nowMs)
    guard let awaited else { return }
    throw .earlierBatchRefused(
      producerId: header.producerId, found: header.baseSequence, expected: awaited)
  }
}

extension DiskError {
  /// Whether it says that bytes or names may not be on disk, which no second attempt can prove
  /// otherwise (I8).
  var isFailedSync: Bool { operation == .sync || operation == .syncDirectory }
}
