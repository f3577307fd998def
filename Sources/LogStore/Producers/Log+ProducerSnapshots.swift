internal import DiskIO
internal import Logging
internal import RecordFormat

/// Keeping what is known of producers, so that it need not be read from the whole log.
extension Log {
  /// Judges a producer's batch before it is written. Holder of the writer lock.
  ///
  /// - Returns: The batch that stands in the log already, where it is sent again.
  func judge(_ header: BatchHeader, _ state: inout LogWriter, nowMs: Int64) throws(LogError)
    -> ProducerState.Batch?
  {
    if header.isTransactional {
      throw .invalidTransactionState(
        producerId: header.producerId, reason: "no transaction was begun here")
    }
    if !refused.isEmpty { return try judgeAfterRefusals(header, &state, nowMs: nowMs) }
    switch try state.producers.judge(header, nowMs: nowMs) {
    case .append: return nil
    case .duplicate(let batch): return batch
    }
  }

  /// Takes a snapshot at a roll, for the flush that covers it. Holder of the writer lock.
  func takeSnapshot(_ state: inout LogWriter, at offset: Int64) {
    state.snapshotPosition = 0
    guard isTrackingProducers else { return }
    state.producers.expire(nowMs: context.nowMs())
    state.pendingSnapshots.append(PendingSnapshot(offset: offset, state: state.producers))
  }

  /// Takes one more where much was appended since the last, so that a long segment need not be read
  /// as a whole after a crash. Holder of the writer lock.
  func takeSnapshotIfDue(_ state: inout LogWriter) {
    guard let position = state.active?.position,
      position - state.snapshotPosition >= Self.markIntervalBytes, isTrackingProducers
    else { return }
    state.snapshotPosition = position
    state.pendingSnapshots.append(
      PendingSnapshot(offset: logEnd.value, state: state.producers))
  }

  /// A log that never knew a producer has no snapshots, and pays for none.
  private var isTrackingProducers: Bool {
    producers.mayHoldProducers || !producers.snapshotOffsets.isEmpty
  }

  /// Writes snapshots of offsets up to which the log is durable. Holder of the flush role.
  ///
  /// A failure is logged and no more: without the snapshot the next opening reads more.
  func writeSnapshots(_ snapshots: [PendingSnapshot]) {
    for pending in snapshots {
      do throws(DiskError) {
        try write(pending)
      } catch {
        context.rateLimitedLog.log(
          .warning, cause: "writing a producer snapshot",
          "a producer snapshot was not written",
          metadata: ["log": "\(topicPartition)", "error": "\(error)"])
      }
    }
  }

  private func write(_ pending: PendingSnapshot) throws(DiskError) {
    var state = pending.state
    state.endOffset = pending.offset
    // Without a mark that says who wrote the log since, our own file would never be believed.
    if hadMark || flushRole.withLock({ $0.mark != nil }) {
      try SmallFile.writeAtomically(
        directory.disk, directory: directory.path, name: ProducerFile.name,
        ProducerFile.encode(state))
    }
    try SmallFile.writeAtomically(
      directory.disk, directory: directory.path,
      name: SegmentName(pending.offset, .snapshot).fileName, state.snapshot.encoded)
    try removeStray(before: pending.offset)
  }

  /// Of the snapshots that stand at no segment's base only the newest is kept, as in Kafka.
  private func removeStray(before offset: Int64) throws(DiskError) {
    let list = segments.snapshot
    let isStray = list.index(of: offset).map { list.segments[$0].baseOffset != offset } ?? true
    let old = flushRole.withLock { role in
      defer { role.straySnapshot = isStray ? offset : nil }
      return role.straySnapshot
    }
    guard let old, old != offset else { return }
    let path = directory.path(SegmentName(old, .snapshot).fileName)
    if try directory.disk.status(path) != nil { try directory.disk.remove(path) }
  }

}

// MARK: - Closing

extension Log {
  /// Reads the state for the snapshot that a clean close leaves at the log's end, where there is
  /// none yet. Nothing is appended any more. Not to be called by the holder of the flush role.
  func loadForClosingSnapshot() throws(LogError) {
    guard !producers.isLoaded, !isTakenForEmpty else { return }
    do throws(DiskError) {
      if try hasSnapshotAtEnd() { return }
    } catch {
      throw LogError(error)
    }
    try loadProducers()
    // Also where nobody is known: the next close need not look again.
    producers.noteProducer()
  }

  /// Writes the snapshot at the log's end, named by it, where the log has known a producer and the
  /// snapshot is not there yet: after a clean stop Kafka takes it for granted, and knows no
  /// producer where a log has no snapshot at all. Holder of the flush role.
  func writeClosingSnapshot() throws(DiskError) {
    guard let writer, isTrackingProducers, producers.isLoaded, try !hasSnapshotAtEnd() else {
      return
    }
    let nowMs = context.nowMs()
    let pending = writer.withLock { state in
      state.producers.expire(nowMs: nowMs)
      return PendingSnapshot(offset: logEnd.value, state: state.producers)
    }
    try write(pending)
  }

  private func hasSnapshotAtEnd() throws(DiskError) -> Bool {
    let path = directory.path(SegmentName(logEnd.value, .snapshot).fileName)
    // Kafka passes over what is no regular file, and takes an empty one for damaged.
    guard let found = try directory.disk.status(path) else { return false }
    return found.kind == .file && found.size > 0
  }

  /// Whether Kafka takes the log, as it was found, for one that knows no producer, so that another
  /// clean stop says no more than the one before it said.
  private var isTakenForEmpty: Bool {
    recovery.wasClean && !hadMark && producers.snapshotOffsets.isEmpty
  }
}
