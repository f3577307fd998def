internal import Bytes
internal import DiskIO
internal import RecordFormat

/// Where a time is reached in a log.
public struct OffsetForTime: Sendable, Equatable {
  /// Offset of the first record whose time is at or after the one asked for.
  public var offset: Int64
  /// That record's time, milliseconds since 1970 UTC.
  public var timestamp: Int64
}

extension Log {
  /// The first record, by offset, whose time is at or after `timestamp`.
  ///
  /// Record times need not rise. Time indexes only tell where to begin; every entry that is used is
  /// confirmed by the batch it names, so a wrong index changes nothing but the cost.
  ///
  /// - Parameter timestamp: Milliseconds since 1970 UTC.
  /// - Returns: nil where every record is older.
  /// - Throws: `.disk`. A damaged range is passed over: what it held is unknown.
  public func offset(forTimestamp timestamp: Int64) throws(LogError) -> OffsetForTime? {
    for segment in segments.snapshot.segments {
      let files = try files(of: segment)
      guard Int(try end(of: segment).position) > 0,
        try largestTimestamp(of: segment, files) >= timestamp
      else { continue }
      if let found = try firstRecord(atOrAfter: timestamp, in: segment, files) { return found }
    }
    return nil
  }

  /// The record with the greatest time and the first batch that holds it; nil in an empty log.
  ///
  /// - Throws: As `offset(forTimestamp:)`.
  public func offsetOfLargestTimestamp() throws(LogError) -> OffsetForTime? {
    var largest: Int64?
    for segment in segments.snapshot.segments {
      let files = try files(of: segment)
      guard Int(try end(of: segment).position) > 0 else { continue }
      largest = max(largest ?? Int64.min, try largestTimestamp(of: segment, files))
    }
    guard let largest, largest >= 0 else { return nil }
    return try offset(forTimestamp: largest)
  }

  /// The greatest record time of a segment.
  ///
  /// The active segment's writer knows it. Of a sealed one the last entry of the time index tells
  /// it, once the batch it names confirms it and the batches behind that one hold nothing later.
  private func largestTimestamp(of segment: Segment, _ files: SegmentFiles) throws(LogError)
    -> Int64
  {
    if let active = writer?.withLock({ $0.active }), active.segment === segment {
      return active.cursor.largest.timestamp
    }
    if let known = segment.largestTimestamp, segment.isSealed || !isReadOnly {
      return known.timestamp
    }
    var cursor = IndexCursor(baseOffset: segment.baseOffset)
    var position = 0
    let last = try look(in: segment, files) { (indexes) throws(DiskError) in
      try indexes.time.last()
    }
    if let last,
      let start = try confirmed(last, in: segment, files)
    {
      cursor.largest = last
      position = start
    }
    try walk(segment, files, from: position) { (header, _, _) throws(LogError) in
      cursor.largest =
        header.maxTimestamp > cursor.largest.timestamp
        ? TimestampOffset(timestamp: header.maxTimestamp, offset: header.lastOffset)
        : cursor.largest
      return true
    }
    segment.setLargestTimestamp(cursor.largest)
    return cursor.largest.timestamp
  }

  /// The position of the batch that a time entry names, if the log confirms the entry.
  private func confirmed(
    _ entry: TimestampOffset, in segment: Segment, _ files: SegmentFiles
  ) throws(LogError) -> Int? {
    var finder = BatchFinder()
    let start = try finder.startPosition(self, segment, files, for: entry.offset)
    var found: Int?
    try walk(segment, files, from: start) { (header, position, _) throws(LogError) in
      if header.lastOffset >= entry.offset {
        if header.lastOffset == entry.offset, header.maxTimestamp == entry.timestamp {
          found = position
        }
        return false
      }
      return true
    }
    return found
  }

  private func firstRecord(
    atOrAfter timestamp: Int64, in segment: Segment, _ files: SegmentFiles
  ) throws(LogError) -> OffsetForTime? {
    var position = 0
    let entry = try look(in: segment, files) { (indexes) throws(DiskError) in
      try indexes.time.lookup(before: timestamp)
    }
    if let entry {
      position = try confirmed(entry, in: segment, files) ?? 0
    }
    let start = logStartOffset
    let end = logEndOffset
    var found: OffsetForTime?
    var decoder = RecordDecoder(tolerance: .kafka)
    try walk(segment, files, from: position) { (header, _, bytes) throws(LogError) in
      guard header.maxTimestamp >= timestamp, header.lastOffset >= start else { return true }
      guard header.baseOffset < end else { return false }
      do throws(BatchError) {
        try RecordBatch(bytes).forEachRecord(&decoder) { (record) throws(BatchError) in
          guard record.timestamp >= timestamp, record.offset >= start else { return true }
          found = OffsetForTime(offset: record.offset, timestamp: record.timestamp)
          return false
        }
      } catch {
        // The CRC is right but the records are not: the batch's own times are all there is to go
        // by.
        found = OffsetForTime(
          offset: max(header.baseOffset, start), timestamp: header.maxTimestamp)
      }
      return found == nil
    }
    return found
  }

  /// Walks over a segment's valid batches from a batch's start until `body` returns false; damage
  /// is fenced and passed over.
  func walk(
    _ segment: Segment, _ files: SegmentFiles, from position: Int,
    _ body: (BatchHeader, Int, Span<UInt8>) throws(LogError) -> Bool
  ) throws(LogError) {
    let end = Int(try end(of: segment).position)
    let limit = nextBaseOffset(after: segment)
    var options = SegmentScanner.Options(rules: rules, isFollowed: isFollowed(segment))
    options.chunkBytes = BatchFinder.checkBytesMin
    var failure: LogError?
    var goesOn = true
    do throws(DiskError) {
      var scanner = SegmentScanner(
        files.log, from: position, endPosition: end,
        expectedOffset: try BatchFinder.lowestOffset(segment, files.log, at: position),
        offsetLimit: SegmentScanner.offsetLimit(after: segment.baseOffset, before: limit),
        options: options)
      while goesOn {
        let at = scanner.position
        let event = try scanner.next { (header, bytes) throws(BatchError) in
          do throws(LogError) {
            goesOn = try body(header, at, bytes)
          } catch {
            failure = error
          }
        }
        if failure != nil { break }
        switch event {
        case .batch: continue
        case .end: return
        case .invalid(let fault, _):
          let expected = scanner.expectedOffset
          let skipped = try scanner.resume().skipped
          let end = scanner.offsetBehindDamage ?? limit
          fence(segment, skipped, expected..<max(expected, end), fault.description)
        }
      }
    } catch {
      throw LogError(error)
    }
    if let failure { throw failure }
  }
}
