internal import DiskIO
internal import Logging
internal import RecordFormat

/// The indexes of the active segment: if one fails, both are rebuilt from the log, as new files; a
/// segment never depends on them (I9).
extension Writer {
  /// Allocates the blocks of the entries that the next batch may need. For the holder of the writer
  /// lock.
  ///
  /// - Throws: If the disk is full, or no descriptors are left. After any other error of an index,
  ///   it is rebuilt from the log.
  func reserveEntries(_ state: inout WriterState) throws(DiskError) {
    do throws(DiskError) {
      try state.active?.reserveEntries(intervalBytes: log.config.indexIntervalBytes)
    } catch {
      if error.isShortage { throw error }
      state.active?.indexFault = error
      mendActiveIndexes(&state)
    }
  }

  /// The same for the entry that seals the time index.
  func reserveFinalEntry(_ state: inout WriterState) throws(DiskError) {
    do throws(DiskError) {
      try state.active?.timeIndex.file.reserve()
    } catch {
      if error.isShortage { throw error }
      state.active?.indexFault = error
      mendActiveIndexes(&state)
    }
  }

  /// Rebuilds the active segment's indexes from its batches if one of them failed; otherwise does
  /// nothing. For the holder of the writer lock. Never fails: an index that cannot be stored is
  /// kept in memory.
  func mendActiveIndexes(_ state: inout WriterState) {
    guard let fault = state.active?.indexFault else { return }
    remakeActiveIndexes(&state, because: fault)
  }

  private func remakeActiveIndexes(_ state: inout WriterState, because fault: DiskError?) {
    guard var active = state.active else { return }
    let segment = active.segment
    log.noteRebuilding(segment, because: fault)
    var built = IndexAccumulator(
      baseOffset: segment.baseOffset, intervalBytes: log.config.indexIntervalBytes)
    do throws(DiskError) {
      try walkActive(active, &built)
      active.cursor = built.cursor
    } catch {
      // The log itself cannot be read: the index is used as far as it goes, and reads report the
      // rest.
      log.context.rateLimitedLog.log(
        .error, cause: "index of \(log.topicPartition)",
        "a log could not be read to make its index", metadata: ["cause": "\(error)"])
    }
    active.offsetIndex.file.retire()
    active.timeIndex.file.retire()
    let indexes = SegmentFiles.Indexes(
      of: segment, keepActive(built.offsetEntries, .index, OffsetIndex.entryBytes, of: segment),
      keepActive(built.timeEntries, .timeindex, TimeIndex.entryBytes, of: segment))
    active.offsetIndex = indexes.offset
    active.timeIndex = indexes.time
    active.indexFault = nil
    segment.openFiles?.replaceIndexes(indexes)
    state.active = active
    state.isDirectoryDirty = true
  }

  /// Rebuilds the indexes of a segment from its batches if it is the active one.
  ///
  /// - Returns: nil if it is not.
  func rebuildIndexes(
    ofActive segment: Segment, because fault: DiskError?
  ) throws(DiskError) -> SegmentFiles.Indexes? {
    try withState { (state) throws(DiskError) in
      if state.dormant?.segment === segment { try activate(&state, nowMs: log.context.nowMs()) }
      guard let active = state.active, active.segment === segment else { return nil }
      remakeActiveIndexes(&state, because: fault)
      let remade = state.active ?? active
      return SegmentFiles.Indexes(offset: remade.offsetIndex, time: remade.timeIndex)
    }
  }

  /// Rebuilds them if they are still the ones that failed.
  func mendIndexes(of failed: ActiveSegment, because fault: DiskError) {
    withState { state in
      guard state.active?.segment === failed.segment,
        state.active?.offsetIndex === failed.offsetIndex
      else { return }
      state.active?.indexFault = fault
      mendActiveIndexes(&state)
    }
  }

  /// Adds the entry that seals the time index; for closing the log.
  ///
  /// - Parameter fault: The error of the indexes; nil: none.
  /// - Returns: The active segment afterwards; nil if there is none.
  /// - Throws: If the disk is full or no descriptors are left; the call can be retried.
  func sealIndexes(because fault: DiskError?) throws(DiskError) -> ActiveSegment? {
    try withState { (state) throws(DiskError) in
      if let fault { state.active?.indexFault = fault }
      mendActiveIndexes(&state)
      try reserveFinalEntry(&state)
      state.active?.noteFinalTime()
      return state.active
    }
  }

  private func walkActive(
    _ active: ActiveSegment, _ built: inout IndexAccumulator
  ) throws(DiskError) {
    var scanner = SegmentScanner(
      active.log, endPosition: active.position, expectedOffset: active.baseOffset,
      offsetLimit: active.nextOffset, options: SegmentScanner.Options(rules: store.state.rules))
    while true {
      switch try scanner.next() {
      case .batch(let header, let position): built.note(header, at: position)
      case .invalid: _ = try scanner.resume()
      case .end: return
      }
    }
  }

  /// A new file under the index's name, with room for more entries; if that is not possible, an
  /// index on the heap.
  private func keepActive(
    _ bytes: [UInt8], _ kind: SegmentName.Kind, _ entryBytes: Int, of segment: Segment
  ) -> IndexFile {
    let (disk, path) = (log.disk, segment.path(kind))
    let temporary = path + ".tmp"
    do throws(DiskError) {
      if try disk.status(temporary) != nil { try disk.remove(temporary) }
      try disk.open(temporary, .create).write(bytes.span, at: 0)
      try disk.rename(temporary, to: path)
      let file = try IndexFile.openActive(
        in: log.directory, path: path, entryBytes: entryBytes,
        bytesMax: log.config.segmentIndexBytes, keeping: bytes.count / entryBytes, create: false)
      try file.reserve()
      return file
    } catch {
      log.noteKeptInMemory(path, error)
      return .inMemoryActive(
        path: path, entryBytes: entryBytes, bytesMax: log.config.segmentIndexBytes, bytes: bytes)
    }
  }
}
