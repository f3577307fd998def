internal import DiskIO

extension Log {
  /// Before the first byte of a session is appended, the mark must durably say that this engine
  /// writes from the recovery point on (docs/durability.md#mark). Costs one sync per log and
  /// session.
  package func markBeforeFirstWrite() throws(LogError) {
    if hasCurrentMark { return }
    if let settingsFault { throw settingsFault }
    // Before the first byte of a session: from here on the state is the writer's.
    try loadProducers()
    while !(flushRole.withLock { $0.isMarkCurrent }) {
      try refuseIfPoisoned()
      guard takeFlushRole() else {
        _ = flushRole.wait { !$0.isTaken }
        continue
      }
      defer { giveBackFlushRole() }
      try refuseIfGone()
      do throws(DiskError) {
        try writeFirstMark()
      } catch {
        // Nothing was appended, so that a full disk may be tried again; a failed write or sync may
        // not (I8), nor a directory that was removed: the records would be lost with it.
        throw failure(error)
      }
    }
    setCurrentMark()
  }

  private func writeFirstMark() throws(DiskError) {
    if flushRole.withLock({ $0.isMarkCurrent }) { return }
    let active = try writer!.withLock { (state) throws(DiskError) -> ActiveSegment in
      try activate(&state, nowMs: context.nowMs())
      return state.active!
    }
    // The mark says that the entries below it are durable.
    let record = markRecord(
      syncIndexes(of: active), recoveryPoint: flushed.value, isClean: false)
    let mark = try firstMark(record)
    try directory.disk.syncDirectory(directory.path)
    flushRole.withLock { role in
      role.mark = mark
      role.isMarkCurrent = true
      role.flushedPosition = record.position
      role.lastRecord = record
    }
  }

  private func firstMark(_ record: MarkRecord) throws(DiskError) -> DurableMark {
    if !recovery.wasClean || hadMarkCopy { return try DurableMark.replace(directory, with: record) }
    let (mark, _) = try DurableMark.open(directory)
    try mark.noteDurable(record)
    return mark
  }

  /// Makes the mark durable; the active indexes come first, so that what stands below a durable
  /// mark has its entries too. A record that a roll has overtaken is left to the next flush, which
  /// brings a newer one.
  func writeDurableMark(_ record: MarkRecord, _ mark: DurableMark) throws(DiskError) {
    let active = writer?.withLock { $0.active }
    guard let active, active.baseOffset == record.segmentBaseOffset else { return }
    _ = syncIndexes(of: active)
    try mark.noteDurable(record)
    flushRole.withLock { role in
      role.bytesSinceMark = 0
      role.lastRecord = record
    }
  }

  /// Holder of the writer lock, or while nobody appends.
  func markRecord(_ active: ActiveSegment, recoveryPoint: Int64, isClean: Bool)
    -> MarkRecord
  {
    MarkRecord(
      sequence: 0, bootIdentifier: context.disk.bootIdentifier, recoveryPoint: recoveryPoint,
      segmentBaseOffset: active.baseOffset, position: active.position,
      largest: active.cursor.largest, offsetEntries: active.offsetIndex.count,
      timeEntries: active.timeIndex.count, isClean: isClean,
      isWithoutProducers: producers.isLoaded && !producers.mayHoldProducers,
      isGapless: isGapless, durability: config.durability)
  }
}
