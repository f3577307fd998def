internal import CoreMetrics
internal import DiskIO
internal import Logging

/// Beginning segments. For the holder of the writer lock.
extension Writer {
  /// Seals the active segment and starts the next one; syncs nothing (the next flush does).
  ///
  /// A failure leaves the active segment unchanged, so that the append can be retried.
  func roll(
    _ state: inout WriterState, to baseOffset: Int64, _ reason: RollReason, nowMs: Int64
  ) throws(DiskError) {
    try reserveFinalEntry(&state)
    guard var sealed = state.active else { return }
    precondition(
      sealed.nextOffset <= baseOffset,
      "I2: segment \(baseOffset) follows one that ends at \(sealed.nextOffset)")
    try sealed.removeStrayTail()
    let next = try makeSegment(at: baseOffset, nowMs: nowMs)
    // From here on nothing fails.
    sealed.noteFinalTime()
    sealed.segment.setLargestTimestamp(sealed.cursor.largest)
    // Before another one follows it (I3).
    sealed.segment.markSealed()
    begin(next, &state)
    sealed.segment.setPinned(false)
    state.unsyncedSealed.append(sealed)
    takeSnapshot(&state, at: baseOffset)
    let context = log.context
    context.fileCache.admit(sealed.segment)
    context.metrics.rolledSegments.increment()
    context.logger.debug(
      "rolled",
      metadata: [
        "log": "\(log.topicPartition)", "baseOffset": "\(baseOffset)",
        "reason": "\(reason.rawValue)",
      ])
  }

  /// Makes an empty segment at the log's end the active one, so that all records are in sealed
  /// ones; does nothing if it is already empty.
  func rollNow() throws(DiskError) {
    try withState { (state) throws(DiskError) in
      let nowMs = log.context.nowMs()
      try activate(&state, nowMs: nowMs)
      guard let active = state.active, active.baseOffset < offsets.end.value else { return }
      try roll(&state, to: offsets.end.value, .asked, nowMs: nowMs)
    }
  }

  /// Opens the segment that appends go to, if this session has not done so yet.
  func activate(_ state: inout WriterState, nowMs: Int64) throws(DiskError) {
    if state.active != nil { return }
    if let dormant = state.dormant {
      state.active = try ActiveSegment.resume(dormant, in: log.directory, config: log.config)
      state.dormant = nil
      mendActiveIndexes(&state)
    } else {
      begin(try makeSegment(at: offsets.end.value, nowMs: nowMs), &state)
    }
  }

  /// Makes the files of an empty segment at the log's end, replacing existing files of their names.
  private func makeSegment(at baseOffset: Int64, nowMs: Int64) throws(DiskError) -> ActiveSegment {
    let end = offsets.end.value
    precondition(baseOffset == end, "I2: segment \(baseOffset) of a log that ends at \(end)")
    return try ActiveSegment.create(
      in: log.directory, baseOffset: baseOffset, config: log.config, nowMs: nowMs)
  }

  /// Makes an empty segment the active one and publishes it to readers.
  private func begin(_ active: ActiveSegment, _ state: inout WriterState) {
    state.isDirectoryDirty = true
    state.active = active
    store.roll(to: active.segment)
    mendActiveIndexes(&state)
  }

  /// The content of the mark for the active segment.
  func markRecord(of active: ActiveSegment, recoveryPoint: Int64, isClean: Bool) -> MarkRecord {
    MarkRecord(
      sequence: 0, bootIdentifier: log.disk.bootIdentifier, recoveryPoint: recoveryPoint,
      segmentBaseOffset: active.baseOffset, position: active.position,
      largest: active.cursor.largest, offsetEntries: active.offsetIndex.count,
      timeEntries: active.timeIndex.count, isClean: isClean,
      isWithoutProducers: tracking.isLoaded && !tracking.mayHoldProducers,
      isGapless: store.state.rules.isGapless, durability: log.config.durability)
  }

  /// The content of a clean mark for a log that has no active segment: the point is the end of its
  /// last one, whose indexes an opening has trimmed. nil if that one was not examined.
  func markRecord(recoveryPoint: Int64) throws(DiskError) -> MarkRecord? {
    guard let last = store.state.segments.last, last.isEndKnown else { return nil }
    func entries(_ kind: SegmentName.Kind, _ bytes: Int) throws(DiskError) -> Int {
      (try log.disk.status(last.path(kind))?.size ?? 0) / bytes
    }
    return MarkRecord(
      sequence: 0, bootIdentifier: log.disk.bootIdentifier, recoveryPoint: recoveryPoint,
      segmentBaseOffset: last.baseOffset, position: Int(last.publishedEnd.position),
      largest: last.largestTimestamp ?? TimestampOffset(timestamp: -1, offset: last.baseOffset),
      offsetEntries: try entries(.index, OffsetIndex.entryBytes),
      timeEntries: try entries(.timeindex, TimeIndex.entryBytes), isClean: true,
      isGapless: store.state.rules.isGapless, durability: log.config.durability)
  }
}
