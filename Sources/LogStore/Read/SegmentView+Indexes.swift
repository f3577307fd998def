internal import CoreMetrics
internal import DiskIO
internal import Logging

/// Looking in a segment's indexes, with every entry checked, and rebuilding them from the log if
/// one is missing, unreadable or contradicts it (I9).
extension SegmentView {
  /// The segment's indexes; if one cannot be opened, both are rebuilt from the log first.
  func indexes() throws(LogError) -> SegmentFiles.Indexes {
    do throws(DiskError) {
      return try files.indexes { () throws(DiskError) in
        let opened = SegmentFiles.Indexes(
          of: segment, try openIndex(.index), try openIndex(.timeindex))
        // The names may now belong to the segment that replaced this one.
        if segment.isRetired { throw DiskError.notFound(.open, opened.offset.file.path) }
        try checkComplete(opened.offset, of: try files.log.size())
        return opened
      }
    } catch {
      if error.isOutOfDescriptors { throw LogError(error) }
      return try freshIndexes(because: error)
    }
  }

  private func openIndex(_ kind: SegmentName.Kind) throws(DiskError) -> IndexFile {
    let entryBytes = kind == .index ? OffsetIndex.entryBytes : TimeIndex.entryBytes
    let path = segment.path(kind)
    // Another process may be changing the file: use one copy of its content.
    return log.isReadOnly
      ? try IndexFile.openCopy(log.disk, path: path, entryBytes: entryBytes)
      : try IndexFile.openSealed(in: log.directory, path: path, entryBytes: entryBytes)
  }

  /// Throws if an offset index does not reach the segment's end: it was truncated, or belongs to
  /// another segment. It does not matter for a segment that is read at once.
  private func checkComplete(_ index: OffsetIndex, of byteCount: Int) throws(DiskError) {
    let config = log.config
    let reach =
      config.indexIntervalBytes + max(config.maxMessageBytes, SegmentSurvey.wholeWalkBytesMax)
    let count = index.count
    let last = count == 0 ? 0 : try index.entry(count - 1).position
    guard last > byteCount || byteCount - last > reach else { return }
    throw .missingEntries(index.file.path)
  }

  /// What `look` finds in the segment's indexes.
  ///
  /// If one cannot be read (it was truncated, its disk fails), both are rebuilt from the log and
  /// `look` runs again.
  ///
  /// - Returns: nil if `look` finds nothing: begin at the segment's first byte.
  @inline(__always)
  func look<Found>(
    _ look: (SegmentFiles.Indexes) throws(DiskError) -> Found?
  ) throws(LogError) -> Found? {
    let indexes = try indexes()
    do throws(DiskError) {
      return try look(indexes)
    } catch {
      return try lookAgain(instead: indexes, because: error, look)
    }
  }

  private func lookAgain<Found>(
    instead failed: SegmentFiles.Indexes, because fault: DiskError,
    _ look: (SegmentFiles.Indexes) throws(DiskError) -> Found?
  ) throws(LogError) -> Found? {
    if fault.isOutOfDescriptors { throw LogError(fault) }
    // Another thread may have found the fault first.
    var indexes = files.openIndexes ?? failed
    if indexes.offset === failed.offset { indexes = try freshIndexes(because: fault) }
    do throws(DiskError) {
      return try look(indexes)
    } catch {
      return nil
    }
  }

  // MARK: Making them

  /// The segment's indexes, rebuilt from the log whatever the files say.
  ///
  /// - Parameter fault: The error of an index; nil if an entry contradicted the log.
  func freshIndexes(because fault: DiskError? = nil) throws(LogError)
    -> SegmentFiles.Indexes
  {
    do throws(DiskError) {
      return try rebuildIndexes(because: fault)
    } catch {
      throw LogError(error)
    }
  }

  /// Builds both indexes from the segment's batches.
  ///
  /// Sealed segment of a writable log: written as a new file and renamed over, so that a file whose
  /// bytes cannot be read is replaced. Read-only, or if the disk cannot store it: kept on the heap.
  /// Active segment: the same under the writer lock.
  func rebuildIndexes(because fault: DiskError?) throws(DiskError)
    -> SegmentFiles.Indexes
  {
    if !segment.isSealed,
      let rebuilt = try access.writer?.rebuildIndexes(ofActive: segment, because: fault)
    {
      return rebuilt
    }
    log.noteRebuilding(segment, because: fault)
    let built = try walkForIndexes()
    let failed = files.openIndexes
    failed?.offset.file.retire()
    failed?.time.file.retire()
    let indexes = SegmentFiles.Indexes(
      of: segment, keep(built.offsetEntries, .index, OffsetIndex.entryBytes),
      keep(built.timeEntries, .timeindex, TimeIndex.entryBytes))
    segment.setLargestTimestamp(built.cursor.largest)
    files.replaceIndexes(indexes)
    return indexes
  }

  /// One pass over the segment for its index entries; damage is noted and skipped.
  private func walkForIndexes() throws(DiskError) -> IndexAccumulator {
    var built = IndexAccumulator(
      baseOffset: segment.baseOffset, intervalBytes: log.config.indexIntervalBytes)
    let end = segment.isEndKnown ? Int(segment.publishedEnd.position) : try files.log.size()
    let bounds = bounds
    let isSealed = segment.isSealed
    var scanner = try scanner(from: 0, end: end, bounds)
    var runStart = 0
    while true {
      switch try scanner.next() {
      case .batch(let header, let position):
        built.note(header, at: position)
      case .invalid(let fault, let position):
        segment.verified.insert(runStart..<position)
        runStart = try fence(fault, &scanner, limit: bounds.limit).upperBound
      case .end(let position):
        segment.verified.insert(runStart..<max(runStart, position))
        if isSealed { built.seal() }
        return built
      }
    }
  }

  /// Stores a rebuilt index, or keeps it on the heap: read-only, or if the disk (a full one, for
  /// example) cannot store it, since a read must not fail because of an index.
  private func keep(
    _ bytes: [UInt8], _ kind: SegmentName.Kind, _ entryBytes: Int
  ) -> IndexFile {
    let path = segment.path(kind)
    if !log.isReadOnly && !access.health.isGone && segment.isSealed {
      do throws(DiskError) {
        let stored = try access.store.changeFiles(of: segment) { () throws(DiskError) in
          try SmallFile.writeAtomically(
            log.disk, directory: log.path,
            name: SegmentName(segment.baseOffset, kind).fileName, bytes)
          return try openIndex(kind)
        }
        if let stored { return stored }
      } catch {
        access.health.failIfNamesMayBeLost(error)
        log.noteKeptInMemory(path, error)
      }
    }
    return .inMemory(path: path, entryBytes: entryBytes, bytes: bytes)
  }
}

// MARK: - Messages about indexes

extension LogEnvironment {
  func noteRebuilding(_ segment: Segment, because fault: DiskError?) {
    context.metrics.rebuiltIndexes.increment()
    context.rateLimitedLog.log(
      .warning, cause: "index \(fault?.path ?? segment.path(.index))",
      "the indexes of a segment are made from its log: one failed or contradicted it",
      metadata: [
        "log": "\(topicPartition)", "index": "\(fault?.path ?? segment.path(.index))",
        "cause": "\(fault.map { "\($0)" } ?? "an entry contradicts the log")",
      ])
  }

  func noteKeptInMemory(_ path: String, _ error: DiskError) {
    context.rateLimitedLog.log(
      .warning, cause: "storing an index",
      "a rebuilt index could not be stored and is kept in memory",
      metadata: ["index": "\(path)", "error": "\(error)"])
  }

  func noteUnsyncedIndex(_ error: DiskError) {
    context.rateLimitedLog.log(
      .warning, cause: "durability of an index of \(topicPartition)",
      "an index could not be made durable; it will be made from the log when it is needed",
      metadata: ["log": "\(topicPartition)", "cause": "\(error)"])
  }
}
