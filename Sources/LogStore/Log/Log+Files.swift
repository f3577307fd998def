internal import RecordFormat
internal import CoreMetrics
internal import Logging
package import DiskIO

/// Opening what a reader needs of a segment, with every index doubted (I9).
extension Log {
  /// The segment's open `.log`, through the store's cache.
  package func files(of segment: Segment) throws(LogError) -> SegmentFiles {
    do throws(DiskError) {
      let files = try context.fileCache.files(of: segment) { () throws(DiskError) in
        let file = try directory.disk.open(segment.path(.log), .read)
        return SegmentFiles(
          log: isReadOnly ? WitnessFile(file, segment.damage) : file, indexes: nil)
      }
      if !isDeleted && !isGivenUp { return files }
    } catch {
      try refuseIfGone()
      throw LogError(error)
    }
    // What was opened may be the file of a log that has the name now.
    context.fileCache.remove(segment)
    throw .closed(path: path)
  }

  /// The segment's end; looks at the file's size the first time.
  package func end(of segment: Segment) throws(LogError) -> SegmentEnd {
    if segment.isEndKnown { return segment.publishedEnd }
    let files = try files(of: segment)
    do throws(DiskError) {
      let end = SegmentEnd(
        relativeOffset: UInt32(clamping: nextBaseOffset(after: segment) - segment.baseOffset),
        position: UInt32(clamping: try files.log.size()))
      segment.publish(end)
      return end
    } catch {
      throw LogError(error)
    }
  }

  /// Where the offsets of a segment end at the latest.
  package func nextBaseOffset(after segment: Segment) -> Int64 {
    let segments = segments.snapshot
    guard let index = segments.index(of: segment.baseOffset),
      index + 1 < segments.segments.count
    else { return max(logEndOffset, segment.baseOffset) }
    return segments.segments[index + 1].baseOffset
  }

  /// The segment's indexes; missing ones are built from the log first.
  package func indexes(of segment: Segment, _ files: SegmentFiles) throws(LogError)
    -> SegmentFiles.Indexes
  {
    do throws(DiskError) {
      do {
        return try files.indexes { () throws(DiskError) in
          SegmentFiles.Indexes(
            offset: OffsetIndex(
              baseOffset: segment.baseOffset, file: try openIndex(segment, .index)),
            time: TimeIndex(
              baseOffset: segment.baseOffset, file: try openIndex(segment, .timeindex)))
        }
      } catch  where error.isNotFound || isReadOnly {
        // One that cannot be opened is as good as none (I9).
        return try rebuildIndexes(of: segment, files)
      }
    } catch {
      throw LogError(error)
    }
  }

  /// The same, built from the log whatever the files say: an entry contradicted the log.
  package func freshIndexes(of segment: Segment, _ files: SegmentFiles) throws(LogError)
    -> SegmentFiles.Indexes
  {
    do throws(DiskError) {
      return try rebuildIndexes(of: segment, files)
    } catch {
      throw LogError(error)
    }
  }

  private func openIndex(_ segment: Segment, _ kind: SegmentName.Kind) throws(DiskError)
    -> IndexFile
  {
    let entryBytes = kind == .index ? OffsetIndex.entryBytes : TimeIndex.entryBytes
    // A mapping faults when somebody else cuts the file; only the store's owner may map.
    return isReadOnly
      ? try IndexFile.openCopy(directory.disk, path: segment.path(kind), entryBytes: entryBytes)
      : try IndexFile.openSealed(in: directory, path: segment.path(kind), entryBytes: entryBytes)
  }

  /// Builds both indexes from the log, since one was missing or contradicted it.
  ///
  /// Sealed segment of a writable log: written beside and renamed over. Read-only: kept on the
  /// heap. Active segment: rewritten in place under the writer lock; readers check every entry they
  /// use.
  package func rebuildIndexes(of segment: Segment, _ files: SegmentFiles) throws(DiskError)
    -> SegmentFiles.Indexes
  {
    context.metrics.rebuiltIndexes.increment()
    context.rateLimitedLog.log(
      .warning, cause: "index of \(topicPartition)",
      "an index was missing or contradicted the log; building it anew",
      metadata: ["log": "\(topicPartition)", "segment": "\(segment.baseOffset)"])
    if let writer, !segment.isSealed {
      if let rebuilt = try writer.withLock({ (state) throws(DiskError) in
        try rebuildActive(&state, segment)
      }) {
        return rebuilt
      }
    }
    let built = try walkForIndexes(segment, files.log, isSealed: segment.isSealed)
    let indexes = SegmentFiles.Indexes(
      offset: OffsetIndex(
        baseOffset: segment.baseOffset,
        file: keep(built.offsetEntries, .index, OffsetIndex.entryBytes, of: segment)),
      time: TimeIndex(
        baseOffset: segment.baseOffset,
        file: keep(built.timeEntries, .timeindex, TimeIndex.entryBytes, of: segment)))
    segment.setLargestTimestamp(built.cursor.largest)
    files.replaceIndexes(indexes)
    return indexes
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
        context.rateLimitedLog.log(
          .warning, cause: "storing an index",
          "a rebuilt index could not be stored and is kept in memory",
          metadata: ["index": "\(path)", "error": "\(error)"])
      }
    }
    return .inMemory(path: path, entryBytes: entryBytes, bytes: bytes)
  }

  /// nil where the segment is not the open active one.
  private func rebuildActive(_ state: inout LogWriter, _ segment: Segment) throws(DiskError)
    -> SegmentFiles.Indexes?
  {
    if state.dormant?.segment === segment { try activate(&state, nowMs: context.nowMs()) }
    guard var active = state.active, active.segment === segment else { return nil }
    active.offsetIndex.file.truncate(toEntries: 0)
    active.timeIndex.file.truncate(toEntries: 0)
    var cursor = IndexCursor(baseOffset: segment.baseOffset)
    var scanner = SegmentScanner(
      active.log, endPosition: active.position, expectedOffset: segment.baseOffset,
      offsetLimit: active.nextOffset, options: SegmentScanner.Options(rules: rules))
    walk: while true {
      switch try scanner.next() {
      case .batch(let header, let position):
        guard cursor.note(header, at: position, intervalBytes: config.indexIntervalBytes),
          !active.offsetIndex.isFull, !active.timeIndex.isFull
        else { continue }
        try active.offsetIndex.file.reserve()
        try active.timeIndex.file.reserve()
        active.offsetIndex.append(offset: header.lastOffset, position: position)
        active.timeIndex.appendIfLarger(cursor.largest)
      case .invalid: _ = try scanner.resume()
      case .end: break walk
      }
    }
    active.cursor = cursor
    state.active = active
    return SegmentFiles.Indexes(offset: active.offsetIndex, time: active.timeIndex)
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

  /// Whether another segment follows.
  package func isFollowed(_ segment: Segment) -> Bool {
    segments.snapshot.segments.last !== segment
  }

  /// Fences the offsets between a segment's last batch and the next segment in a log that has no
  /// gaps by right: records that were synced are missing there.
  ///
  /// - Parameters:
  ///   - end: Where the segment's file ends; `reached` is the offset behind its last batch.
  package func fenceMissingEnd(of segment: Segment, at end: Int, reached: Int64) {
    guard isGapless else { return }
    let list = segments.snapshot
    guard let index = list.index(of: segment.baseOffset), index + 1 < list.segments.count else {
      return
    }
    let next = list.segments[index + 1].baseOffset
    // What was appended between the two looks is not missing.
    guard reached < next, Int(segment.publishedEnd.position) == end else { return }
    fence(segment, end..<end, reached..<next, Self.missingEnd)
  }

  /// Why offsets between two segments count as lost.
  package static let missingEnd =
    "the file ends before the next segment begins, and the log's writer leaves no gaps"

  /// Notes a damaged range once, in the segment, the metrics and the log.
  package func fence(
    _ segment: Segment, _ bytes: Range<Int>, _ offsets: Range<Int64>, _ why: String
  ) {
    // It may have been sound when it was checked, and have been read from the disk again since.
    segment.verified.remove(bytes)
    let range = DamagedRange(
      file: segment.path(.log), bytes: bytes, offsets: offsets, reason: why)
    guard segment.addDamage(range) else { return }
    context.metrics.damagedRanges.increment()
    context.logger.error(
      "damage found and fenced", metadata: ["log": "\(topicPartition)", "range": "\(range)"])
  }
}
