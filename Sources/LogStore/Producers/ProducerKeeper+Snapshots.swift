internal import DiskIO
internal import Logging
internal import RecordFormat

/// Writing the producer state, so that it need not be read from the whole log. For the holder of
/// the flush role, unless stated otherwise.
extension ProducerKeeper {
  /// Writes snapshots of offsets up to which the log is durable.
  ///
  /// A failure is only logged, unless names may be lost by it: without the snapshot the next
  /// opening reads more.
  ///
  /// - Parameter hasMark: Whether a mark says who wrote the log since; without one our own file
  ///   would never be used, and is not written.
  func write(_ snapshots: [PendingSnapshot], hasMark: Bool) {
    for pending in snapshots {
      do throws(DiskError) {
        try write(pending, hasMark: hasMark)
      } catch {
        access.health.failIfNamesMayBeLost(error)
        log.context.rateLimitedLog.log(
          .warning, cause: "writing a producer snapshot",
          "a producer snapshot was not written",
          metadata: ["log": "\(log.topicPartition)", "error": "\(error)"])
      }
    }
  }

  private func write(_ pending: PendingSnapshot, hasMark: Bool) throws(DiskError) {
    var state = pending.state
    state.endOffset = pending.offset
    if hasMark {
      try SmallFile.writeAtomically(
        log.disk, directory: log.path, name: ProducerFile.name, ProducerFile.encode(state))
    }
    try SmallFile.writeAtomically(
      log.disk, directory: log.path, name: SegmentName(pending.offset, .snapshot).fileName,
      state.snapshot.encoded)
    store.noteSnapshot(pending.offset, removed: try removeStray(before: pending.offset))
  }

  /// Keeps only the newest of the snapshots that are at no segment's base, as Kafka does.
  ///
  /// - Returns: The one that was removed.
  private func removeStray(before offset: Int64) throws(DiskError) -> Int64? {
    let state = store.state
    let isStray = state.index(of: offset).map { state.segments[$0].baseOffset != offset } ?? true
    guard let old = replaceStray(by: isStray ? offset : nil), old != offset else { return nil }
    let path = log.directory.path(SegmentName(old, .snapshot).fileName)
    if try log.disk.status(path) != nil { try log.disk.remove(path) }
    return old
  }

  // MARK: Closing

  /// Loads the state for the snapshot that a clean close leaves at the log's end, if there is none
  /// yet. Nothing is appended any more. Not for the holder of the flush role.
  func loadForClosing(_ recovery: RecoveryReport, _ mark: SessionMark) throws(LogError) {
    // To Kafka the log, as it was found, knows no producer; another clean stop says nothing new.
    let isTakenForEmpty =
      recovery.wasClean && !mark.hadMark && store.state.snapshotOffsets.isEmpty
    guard !tracking.isLoaded, !isTakenForEmpty else { return }
    do throws(DiskError) {
      if try hasSnapshotAtEnd() { return }
    } catch {
      throw LogError(error)
    }
    try load()
    // Also if no producer is known: the next close need not check again.
    tracking.noteProducer()
  }

  /// Writes the snapshot at the log's end, named by it, if the log has known a producer and the
  /// snapshot is missing. After a clean stop Kafka relies on it, and takes a log without any
  /// snapshot for one without producers.
  func writeClosingSnapshot(hasMark: Bool) throws(DiskError) {
    guard let writer = access.writer, writer.isTrackingProducers, tracking.isLoaded,
      try !hasSnapshotAtEnd()
    else { return }
    try write(writer.closingSnapshot(), hasMark: hasMark)
  }

  private func hasSnapshotAtEnd() throws(DiskError) -> Bool {
    let path = log.directory.path(SegmentName(offsets.end.value, .snapshot).fileName)
    // Kafka ignores anything but a regular file, and takes an empty one for damaged.
    guard let found = try log.disk.status(path) else { return false }
    return found.kind == .file && found.size > 0
  }
}
