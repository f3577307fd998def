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
        // Nothing was appended, so that a full disk may be tried again; a failed sync may not (I8),
        // nor a directory that somebody removed: nobody would find the records.
        guard error.isFailedSync || error.isNotFound else {
          throw LogError(error)
        }
        poisonLog(error)
        throw .poisoned(path: path, cause: error)
      }
    }
    setCurrentMark()
  }

  private func writeFirstMark() throws(DiskError) {
    if flushRole.withLock({ $0.isMarkCurrent }) { return }
    let (mark, _) = try DurableMark.open(directory)
    let active = try writer!.withLock { (state) throws(DiskError) -> ActiveSegment in
      try activate(&state, nowMs: context.nowMs())
      return state.active!
    }
    // The mark says that the entries below it are durable.
    try active.offsetIndex.file.sync()
    try active.timeIndex.file.sync()
    let record = markRecord(active, recoveryPoint: flushed.value, isClean: false)
    try mark.noteDurable(record)
    try directory.disk.syncDirectory(directory.path)
    flushRole.withLock { role in
      role.mark = mark
      role.isMarkCurrent = true
      role.flushedPosition = record.position
      role.lastRecord = record
    }
  }

  /// Makes the mark durable; the active indexes come first, so that what stands below a durable
  /// mark has its entries too. A record that a roll has overtaken is left to the next flush, which
  /// brings a newer one.
  func writeDurableMark(_ record: MarkRecord, _ mark: DurableMark) throws(DiskError) {
    let active = writer?.withLock { $0.active }
    guard let active, active.baseOffset == record.segmentBaseOffset else { return }
    try active.offsetIndex.file.sync()
    try active.timeIndex.file.sync()
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

extension DiskError {
  /// Whether it says that bytes or names may not be on disk, which no second attempt can prove
  /// otherwise (I8).
  var isFailedSync: Bool { operation == .sync || operation == .syncDirectory }
}
