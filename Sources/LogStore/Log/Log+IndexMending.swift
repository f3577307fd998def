internal import CoreMetrics
internal import Logging
internal import RecordFormat
package import DiskIO

/// Making indexes from the log where one is missing, cannot be reached or contradicts it (I9).
extension Log {
  /// Builds both indexes of a segment from its batches.
  ///
  /// Sealed segment of a writable log: written beside and renamed over, so that a file whose bytes
  /// cannot be read is replaced. Read-only, or where the disk does not take it: kept on the heap.
  /// Active segment: the same under the writer lock.
  ///
  /// - Parameter fault: What an index met; nil where an entry contradicted the log.
  package func rebuildIndexes(
    of segment: Segment, _ files: SegmentFiles, because fault: DiskError? = nil
  ) throws(DiskError) -> SegmentFiles.Indexes {
    if let writer, !segment.isSealed,
      let rebuilt = try writer.withLock({ (state) throws(DiskError) in
        try rebuildActive(&state, segment, because: fault)
      })
    {
      return rebuilt
    }
    noteRebuilding(segment, because: fault)
    let built = try walkForIndexes(segment, files.log, isSealed: segment.isSealed)
    let failed = files.openIndexes
    failed?.offset.file.retire()
    failed?.time.file.retire()
    let indexes = SegmentFiles.Indexes(
      of: segment, keep(built.offsetEntries, .index, OffsetIndex.entryBytes, of: segment),
      keep(built.timeEntries, .timeindex, TimeIndex.entryBytes, of: segment))
    segment.setLargestTimestamp(built.cursor.largest)
    files.replaceIndexes(indexes)
    return indexes
  }

  private func noteRebuilding(_ segment: Segment, because fault: DiskError?) {
    context.metrics.rebuiltIndexes.increment()
    context.rateLimitedLog.log(
      .warning, cause: "index \(fault?.path ?? segment.path(.index))",
      "the indexes of a segment are made from its log: one failed or contradicted it",
      metadata: [
        "log": "\(topicPartition)", "index": "\(fault?.path ?? segment.path(.index))",
        "cause": "\(fault.map { "\($0)" } ?? "an entry contradicts the log")",
      ])
  }

  /// Stores a rebuilt index, or keeps it on the heap: read-only, or where the disk (full, say) does
  /// not take it, for a read must not fail over an index.
  private func keep(
    _ bytes: [UInt8], _ kind: SegmentName.Kind, _ entryBytes: Int, of segment: Segment
  ) -> IndexFile {
    let path = segment.path(kind)
    if !isReadOnly && !isDeleted && !isGivenUp && segment.isSealed {
      do throws(DiskError) {
        try SmallFile.writeAtomically(
          directory.disk, directory: directory.path,
          name: SegmentName(segment.baseOffset, kind).fileName, bytes)
        return try openIndex(segment, kind)
      } catch {
        // It may have been told of another name in the directory, a new segment's (I8).
        if error.operation == .syncDirectory { poisonLog(error) }
        noteKeptInMemory(path, error)
      }
    }
    return .inMemory(path: path, entryBytes: entryBytes, bytes: bytes)
  }

  func noteUnsynced(_ error: DiskError) {
    context.rateLimitedLog.log(
      .warning, cause: "durability of an index of \(topicPartition)",
      "an index could not be made durable; it will be made from the log when it is needed",
      metadata: ["log": "\(topicPartition)", "cause": "\(error)"])
  }

  private func noteKeptInMemory(_ path: String, _ error: DiskError) {
    context.rateLimitedLog.log(
      .warning, cause: "storing an index",
      "a rebuilt index could not be stored and is kept in memory",
      metadata: ["index": "\(path)", "error": "\(error)"])
  }

  /// One pass over a segment for its index entries; damage on the way is noted and passed over.
  private func walkForIndexes(_ segment: Segment, _ log: any DiskFile, isSealed: Bool)
    throws(DiskError) -> IndexAccumulator
  {
    var built = IndexAccumulator(
      baseOffset: segment.baseOffset, intervalBytes: config.indexIntervalBytes)
    let end = segment.isEndKnown ? Int(segment.publishedEnd.position) : try log.size()
    let limit = max(nextBaseOffset(after: segment), segment.baseOffset)
    var scanner = SegmentScanner(
      log, endPosition: end, expectedOffset: segment.baseOffset,
      offsetLimit: SegmentScanner.offsetLimit(after: segment.baseOffset, before: limit),
      options: SegmentScanner.Options(rules: rules, isFollowed: isFollowed(segment)))
    var runStart = 0
    while true {
      switch try scanner.next() {
      case .batch(let header, let position):
        built.note(header, at: position)
      case .invalid(let fault, let position):
        segment.verified.insert(runStart..<position)
        let expected = scanner.expectedOffset
        let skipped = try scanner.resume().skipped
        runStart = skipped.upperBound
        let end = scanner.offsetBehindDamage ?? limit
        fence(segment, skipped, expected..<max(expected, end), fault.description)
      case .end(let position):
        segment.verified.insert(runStart..<max(runStart, position))
        if isSealed { built.seal() }
        return built
      }
    }
  }
}

// MARK: - The active segment

extension Log {
  /// Makes sure that the entries the next batch may need have their blocks. Holder of the writer
  /// lock.
  ///
  /// - Throws: Where the disk is full, or descriptors are used up; whatever else is wrong with an
  ///   index, it is made from the log.
  func reserveEntries(_ state: inout LogWriter) throws(DiskError) {
    do throws(DiskError) {
      try state.active?.reserveEntries(intervalBytes: config.indexIntervalBytes)
    } catch {
      if error.isShortage { throw error }
      state.active?.indexFault = error
      mendActiveIndexes(&state)
    }
  }

  /// The same for the entry that seals the time index.
  func reserveFinalEntry(_ state: inout LogWriter) throws(DiskError) {
    do throws(DiskError) {
      try state.active?.timeIndex.file.reserve()
    } catch {
      if error.isShortage { throw error }
      state.active?.indexFault = error
      mendActiveIndexes(&state)
    }
  }

  /// Makes the active segment's indexes from its batches where one of them failed; nothing to do
  /// else. Holder of the writer lock. Never fails: what cannot be stored is kept in memory.
  func mendActiveIndexes(_ state: inout LogWriter) {
    guard let fault = state.active?.indexFault else { return }
    remakeActiveIndexes(&state, because: fault)
  }

  private func remakeActiveIndexes(_ state: inout LogWriter, because fault: DiskError?) {
    guard var active = state.active else { return }
    let segment = active.segment
    noteRebuilding(segment, because: fault)
    var built = IndexAccumulator(
      baseOffset: segment.baseOffset, intervalBytes: config.indexIntervalBytes)
    do throws(DiskError) {
      try walkActive(active, &built)
      active.cursor = built.cursor
    } catch {
      // The log itself cannot be read: the index serves as far as it goes, and reads say the rest.
      context.rateLimitedLog.log(
        .error, cause: "index of \(topicPartition)",
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

  /// nil where the segment is not the open active one.
  private func rebuildActive(
    _ state: inout LogWriter, _ segment: Segment, because fault: DiskError?
  ) throws(DiskError) -> SegmentFiles.Indexes? {
    if state.dormant?.segment === segment { try activate(&state, nowMs: context.nowMs()) }
    guard let active = state.active, active.segment === segment else { return nil }
    remakeActiveIndexes(&state, because: fault)
    let remade = state.active ?? active
    return SegmentFiles.Indexes(offset: remade.offsetIndex, time: remade.timeIndex)
  }

  private func walkActive(
    _ active: ActiveSegment, _ built: inout IndexAccumulator
  ) throws(DiskError) {
    var scanner = SegmentScanner(
      active.log, endPosition: active.position, expectedOffset: active.baseOffset,
      offsetLimit: active.nextOffset, options: SegmentScanner.Options(rules: rules))
    while true {
      switch try scanner.next() {
      case .batch(let header, let position): built.note(header, at: position)
      case .invalid: _ = try scanner.resume()
      case .end: return
      }
    }
  }

  /// A new file under the index's name, with room for more entries; where that cannot be, an index
  /// on the heap.
  private func keepActive(
    _ bytes: [UInt8], _ kind: SegmentName.Kind, _ entryBytes: Int, of segment: Segment
  ) -> IndexFile {
    let (disk, path) = (directory.disk, segment.path(kind))
    let temporary = path + ".tmp"
    do throws(DiskError) {
      if try disk.status(temporary) != nil { try disk.remove(temporary) }
      try disk.open(temporary, .create).write(bytes.span, at: 0)
      try disk.rename(temporary, to: path)
      let file = try IndexFile.openActive(
        in: directory, path: path, entryBytes: entryBytes, bytesMax: config.segmentIndexBytes,
        keeping: bytes.count / entryBytes, create: false)
      try file.reserve()
      return file
    } catch {
      noteKeptInMemory(path, error)
      return .inMemoryActive(
        path: path, entryBytes: entryBytes, bytesMax: config.segmentIndexBytes, bytes: bytes)
    }
  }
}

extension ActiveSegment {
  /// Adds the entry that seals the time index; room was reserved.
  mutating func noteFinalTime() {
    do throws(DiskError) {
      try timeIndex.appendIfLarger(cursor.largest)
    } catch {
      indexFault = error
    }
  }
}
