internal import RecordFormat

/// The writer's part in idempotent producers: it checks their batches, and takes snapshots of the
/// state for the next flush to write. For the holder of the writer lock, except the last part.
extension Writer {
  /// Judges a producer's batch before it is written.
  ///
  /// - Returns: The earlier batch in the log, if this one is sent again.
  func judge(
    _ header: BatchHeader, _ state: inout WriterState
  ) throws(LogError) -> ProducerState.Batch? {
    if header.isTransactional {
      throw .invalidTransactionState(
        producerId: header.producerId, reason: "no transaction was begun here")
    }
    let nowMs = log.context.clock.expiryMs()
    if !refused.isEmpty { return try judgeAfterRefusals(header, &state, nowMs: nowMs) }
    switch try state.producers.judge(header, nowMs: nowMs) {
    case .append: return nil
    case .duplicate(let batch): return batch
    }
  }

  /// `judge` if batches were refused that have not all come again.
  private func judgeAfterRefusals(
    _ header: BatchHeader, _ state: inout WriterState, nowMs: Int64
  ) throws(LogError) -> ProducerState.Batch? {
    let knownEpoch = state.producers.producers[header.producerId]?.epoch
    func check(expected: Int32?) throws(LogError) {
      let awaited = refused.awaited(
        before: header, knownEpoch: knownEpoch, expected: expected, nowMs: nowMs)
      guard let awaited else { return }
      throw .earlierBatchRefused(
        producerId: header.producerId, found: header.baseSequence, expected: awaited)
    }
    let verdict: ProducerState.Verdict
    do throws(LogError) {
      verdict = try state.producers.judge(header, nowMs: nowMs)
    } catch {
      guard case .outOfOrderSequence(_, _, let expected) = error.kind else { throw error }
      try check(expected: expected)
      throw error
    }
    try check(expected: nil)
    guard case .duplicate(let batch) = verdict else { return nil }
    refused.didCome(header, isDuplicate: true)
    return batch
  }

  /// Called before the first batch of a producer is published.
  func noteProducer(_ producerId: Int64, _ state: borrowing WriterState) {
    tracking.noteProducer()
    if state.producers.producers[producerId] == nil {
      log.context.knownProducerIds.note(producerId)
    }
  }

  /// Takes a snapshot at a roll, for the flush that covers it.
  func takeSnapshot(_ state: inout WriterState, at offset: Int64) {
    state.snapshotPosition = 0
    guard isTrackingProducers else { return }
    state.producers.expire(nowMs: log.context.clock.expiryMs())
    state.pendingSnapshots.append(PendingSnapshot(offset: offset, state: state.producers))
  }

  /// Takes another one if much was appended since the last, so that a long segment need not be read
  /// as a whole after a crash.
  func takeSnapshotIfDue(_ state: inout WriterState) {
    guard let position = state.active?.position,
      position - state.snapshotPosition >= SessionMark.intervalBytes, isTrackingProducers
    else { return }
    state.snapshotPosition = position
    state.pendingSnapshots.append(
      PendingSnapshot(offset: offsets.end.value, state: state.producers))
  }

  /// A log that never knew a producer has no snapshots, and pays for none.
  var isTrackingProducers: Bool {
    tracking.mayHoldProducers || !store.state.snapshotOffsets.isEmpty
  }

  // MARK: For others

  /// Sets the loaded state of the log's producers, before the first append of a session.
  func setProducers(_ producers: ProducerState) {
    withState { $0.producers = producers }
  }

  /// The producer state at the log's end, for the snapshot that a clean close leaves.
  func closingSnapshot() -> PendingSnapshot {
    withState { state in
      state.producers.expire(nowMs: log.context.clock.expiryMs())
      return PendingSnapshot(offset: offsets.end.value, state: state.producers)
    }
  }

  /// Records the batches that were written but not synced when the log failed: their producers must
  /// send them again. If an acknowledgement does not mean durable, they were already acknowledged.
  /// The log accepts no appends any more.
  func noteUncertainBatches() {
    guard log.config.durability == .flushed else { return }
    let durableEnd = offsets.flushed.value
    let nowMs = log.context.nowMs()
    for (producerId, producer) in withState({ $0.producers.producers }) {
      let uncertain = producer.batches.filter {
        $0.lastOffset >= durableEnd && $0.lastSequence >= 0
      }
      guard let first = uncertain.first, let last = uncertain.last else { continue }
      refused.note(
        producerId, epoch: producer.epoch, first: first.baseSequence,
        end: ProducerState.sequence(last.lastSequence, plus: 1), nowMs: nowMs)
    }
  }
}

extension RefusedBatches {
  /// Records that a producer's batch was refused because of the disk, so that no later batch of the
  /// producer is appended before it.
  func noteRefusal(
    of batch: Span<UInt8>, _ error: LogError, _ health: LogHealth, nowMs: Int64
  ) {
    switch error.kind {
    case .poisoned, .diskFull, .disk, .closed: break
    default: return
    }
    if health.isDeleted { return }
    do throws(BatchError) {
      let header = try BatchHeader(batch)
      if !header.isLegacy { note(header, nowMs: nowMs) }
    } catch {
      // It is not a batch, so there is none to come again.
      return
    }
  }
}
