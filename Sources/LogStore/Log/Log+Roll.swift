internal import CoreMetrics
internal import Logging
package import DiskIO

extension Log {
  /// Seals the active segment and starts the next one. Holder of the writer lock; syncs nothing
  /// (the next flush does).
  ///
  /// A failure leaves the active segment as it was, so that the append can be tried again.
  package func roll(
    _ state: inout LogWriter, to baseOffset: Int64, _ reason: RollReason, nowMs: Int64
  ) throws(DiskError) {
    guard var sealed = state.active else { return }
    try sealed.timeIndex.file.reserve()
    if sealed.hasStrayTail {
      try sealed.log.truncate(to: sealed.position)
      sealed.hasStrayTail = false
    }
    try startSegment(&state, at: baseOffset, nowMs: nowMs)
    // From here on nothing fails.
    sealed.timeIndex.appendIfLarger(sealed.cursor.largest)
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

  /// Opens the segment that appends go to where this session has not done so yet.
  package func activate(_ state: inout LogWriter, nowMs: Int64) throws(DiskError) {
    if state.active != nil { return }
    if let dormant = state.dormant {
      state.active = try ActiveSegment.resume(dormant, in: directory, config: config)
      state.dormant = nil
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
  }
}
