internal import CoreMetrics
internal import Logging
internal import Synchronization
package import DiskIO

extension Log {
  /// Seals the active segment and starts the next one. Holder of the writer lock; syncs nothing
  /// (the next flush does).
  ///
  /// A failure leaves the active segment as it was, so that the append can be tried again.
  package func roll(
    _ state: inout LogWriter, to baseOffset: Int64, _ reason: RollReason, nowMs: Int64
  ) throws(DiskError) {
    try reserveFinalEntry(&state)
    guard var sealed = state.active else { return }
    if sealed.hasStrayTail {
      try sealed.log.truncate(to: sealed.position)
      sealed.hasStrayTail = false
    }
    try startSegment(&state, at: baseOffset, nowMs: nowMs)
    // From here on nothing fails.
    sealed.noteFinalTime()
    sealed.segment.setLargestTimestamp(sealed.cursor.largest)
    sealed.segment.markSealed()
    sealed.segment.setPinned(false)
    state.unsyncedSealed.append(sealed)
    takeSnapshot(&state, at: baseOffset)
    context.fileCache.admit(sealed.segment)
    // Nobody waits for a flush in the mode that leaves syncing to us, and what is sealed must not
    // pile up unsynced, with its files open.
    if config.durability == .operatingSystem { context.flusher.request(self) }
    context.metrics.rolledSegments.increment()
    context.logger.debug(
      "rolled",
      metadata: [
        "log": "\(topicPartition)", "baseOffset": "\(baseOffset)", "reason": "\(reason.rawValue)",
      ])
  }

  /// Whether an append of a batch of so many bytes only writes: no mark, no new segment and no sync
  /// comes before it.
  package func isReadyToAppend(byteCount: Int) -> Bool {
    // The append is refused at once, without a look at the disk.
    if settingsFault != nil || poison.isSet { return true }
    guard hasCurrentMark, preparations.load(ordering: .acquiring) == 0, let writer else {
      return false
    }
    return writer.withLock { state in
      guard let active = state.active else { return false }
      return state.unsyncedSealed.count < Self.unsyncedSealedMax
        && rollReason(active, appending: byteCount) == nil
    }
  }

  /// Does what an append of so many bytes would do before it writes: the session's mark, a new
  /// segment, the sync of sealed ones that pile up. Blocks.
  package func prepareToAppend(byteCount: Int) throws(LogError) {
    defer { announceFailure() }
    guard let writer else { throw .readOnly(path: path) }
    try markBeforeFirstWrite()
    // Stored before the lock is taken: an event loop that sees it comes here instead of waiting.
    preparations.wrappingAdd(1, ordering: .acquiringAndReleasing)
    defer { preparations.wrappingSubtract(1, ordering: .acquiringAndReleasing) }
    let isBehind = try writer.withLock { (state) throws(LogError) in
      try refuseIfPoisoned()
      if state.isClosed { throw .closed(path: path) }
      if let active = state.active, let reason = rollReason(active, appending: byteCount) {
        do throws(DiskError) {
          try roll(&state, to: logEnd.value, reason, nowMs: context.nowMs())
        } catch {
          throw failure(error)
        }
      }
      return state.unsyncedSealed.count >= Self.unsyncedSealedMax
    }
    if isBehind { try waitFlushed(upTo: logEndOffset) }
  }

  /// Records are counted as if each took a byte: a roll too early costs nothing.
  private func rollReason(_ active: ActiveSegment, appending byteCount: Int) -> RollReason? {
    active.rollReason(
      appending: byteCount, lastOffset: logEnd.value + Int64(byteCount), config: config,
      nowMs: context.nowMs())
  }

  /// Opens the segment that appends go to where this session has not done so yet.
  package func activate(_ state: inout LogWriter, nowMs: Int64) throws(DiskError) {
    if state.active != nil { return }
    if let dormant = state.dormant {
      state.active = try ActiveSegment.resume(dormant, in: directory, config: config)
      state.dormant = nil
      mendActiveIndexes(&state)
    } else {
      try startSegment(&state, at: logEnd.value, nowMs: nowMs)
    }
  }

  /// Makes an empty segment at `baseOffset` the active one and shows it to readers.
  package func startSegment(_ state: inout LogWriter, at baseOffset: Int64, nowMs: Int64)
    throws(DiskError)
  {
    let active = try ActiveSegment.create(
      in: directory, baseOffset: baseOffset, config: config, nowMs: nowMs)
    state.isDirectoryDirty = true
    state.active = active
    segments.update { $0.append(active.segment) }
    mendActiveIndexes(&state)
  }
}
