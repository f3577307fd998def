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
      var state = pending.state
      state.endOffset = pending.offset
      do throws(DiskError) {
        try SmallFile.writeAtomically(
          directory.disk, directory: directory.path, name: ProducerFile.name,
          ProducerFile.encode(state))
        try SmallFile.writeAtomically(
          directory.disk, directory: directory.path,
          name: SegmentName(pending.offset, .snapshot).fileName, state.snapshot.encoded)
        try removeStray(before: pending.offset)
      } catch {
        context.rateLimitedLog.log(
          .warning, cause: "writing a producer snapshot",
          "a producer snapshot was not written",
          metadata: ["log": "\(topicPartition)", "error": "\(error)"])
      }
    }
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

  /// The snapshot at the log's end, named by it, as Kafka leaves it at a clean stop. Holder of the
  /// flush role.
  func writeClosingSnapshot() {
    guard let writer, isTrackingProducers, producers.isLoaded else { return }
    let nowMs = context.nowMs()
    let pending = writer.withLock { state in
      state.producers.expire(nowMs: nowMs)
      return PendingSnapshot(offset: logEnd.value, state: state.producers)
    }
    writeSnapshots([pending])
  }
}
