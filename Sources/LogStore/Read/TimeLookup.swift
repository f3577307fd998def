internal import DiskIO
internal import MkstoreBytes
internal import RecordFormat

/// The first record at or after a time.
///
/// ```swift
/// let hourAgo = Timestamp.now - .seconds(3600)
/// if let found = try log.offset(forTimestamp: hourAgo.millisecondsSince1970) {
///   print("offset \(found.offset), time \(found.timestamp)")
/// }
/// ```
public struct OffsetForTime: Sendable, Equatable {
  /// Offset of the first record whose time is at or after the one asked for.
  public var offset: Int64
  /// That record's time, milliseconds since 1970 UTC.
  public var timestamp: Int64
}

/// Finds the first record at or after a time. Any thread.
struct TimeLookup {
  private let access: SegmentAccess

  init(_ access: SegmentAccess) {
    self.access = access
  }

  /// The first record, by offset, whose time is at or after `timestamp`.
  ///
  /// Record times need not rise. Time indexes only say where to begin; every entry that is used is
  /// confirmed by the batch it names, so a wrong index affects nothing but the cost.
  ///
  /// - Parameter timestamp: Milliseconds since 1970 UTC.
  /// - Returns: nil if every record is older.
  /// - Throws: `.disk`. A damaged range is skipped: its content is unknown.
  func offset(forTimestamp timestamp: Int64) throws(LogError) -> OffsetForTime? {
    try access.retrying { () throws(LogError) in
      var found: OffsetForTime?
      try access.forEachView { (view) throws(LogError) in
        if try largestTimestamp(of: view) >= timestamp {
          found = try firstRecord(atOrAfter: timestamp, in: view)
        }
        return found == nil
      }
      return found
    }
  }

  /// The record with the greatest time and the first batch that holds it; nil in an empty log.
  ///
  /// - Throws: As `offset(forTimestamp:)`.
  func offsetOfLargestTimestamp() throws(LogError) -> OffsetForTime? {
    let largest = try access.retrying { () throws(LogError) -> Int64? in
      var largest: Int64?
      try access.forEachView { (view) throws(LogError) in
        let start = access.store.startOffset
        let found =
          view.segment.baseOffset < start
          ? try largestTimestamp(of: view, from: start) : try largestTimestamp(of: view)
        largest = max(largest ?? Int64.min, found)
        return true
      }
      return largest
    }
    guard let largest, largest >= 0 else { return nil }
    return try offset(forTimestamp: largest)
  }

  /// The greatest time of a segment's records from `start` on; -1 if it has none. Reads its headers
  /// from there on.
  private func largestTimestamp(
    of view: SegmentView, from start: Int64
  ) throws(LogError) -> Int64 {
    var largest: Int64 = -1
    var finder = BatchFinder()
    var decoder = RecordDecoder(tolerance: .kafka)
    try view.walk(from: try finder.startPosition(in: view, for: start)) {
      (header, _, bytes) throws(LogError) in
      guard header.lastOffset >= start, header.maxTimestamp > largest else { return true }
      guard header.baseOffset < start else {
        largest = header.maxTimestamp
        return true
      }
      do throws(BatchError) {
        try RecordBatch(bytes).forEachRecord(&decoder) { record in
          if record.offset >= start { largest = max(largest, record.timestamp) }
          return true
        }
      } catch {
        // As in `firstRecord`.
        largest = header.maxTimestamp
      }
      return true
    }
    return largest
  }

  /// The greatest record time of a segment.
  ///
  /// The active segment's writer knows it. For a sealed one it is the last entry of the time index,
  /// once the batch it names confirms it and the batches after that one hold nothing later.
  func largestTimestamp(of view: SegmentView) throws(LogError) -> Int64 {
    let segment = view.segment
    if !segment.isSealed, let active = access.writer?.active, active.segment === segment {
      return active.cursor.largest.timestamp
    }
    if let known = segment.largestTimestamp, segment.isSealed || !access.log.isReadOnly {
      return known.timestamp
    }
    var cursor = IndexCursor(baseOffset: segment.baseOffset)
    var position = 0
    let last = try view.look { (indexes) throws(DiskError) in try indexes.time.last() }
    if let last, let start = try confirmed(last, in: view) {
      cursor.largest = last
      position = start
    }
    try view.walk(from: position) { (header, _, _) throws(LogError) in
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
    _ entry: TimestampOffset, in view: SegmentView
  ) throws(LogError) -> Int? {
    var finder = BatchFinder()
    let start = try finder.startPosition(in: view, for: entry.offset)
    var found: Int?
    try view.walk(from: start) { (header, position, _) throws(LogError) in
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
    atOrAfter timestamp: Int64, in view: SegmentView
  ) throws(LogError) -> OffsetForTime? {
    var position = 0
    let entry = try view.look { (indexes) throws(DiskError) in
      try indexes.time.lookup(before: timestamp)
    }
    if let entry { position = try confirmed(entry, in: view) ?? 0 }
    let start = access.store.startOffset
    let end = access.offsets.end.value
    var found: OffsetForTime?
    var decoder = RecordDecoder(tolerance: .kafka)
    try view.walk(from: position) { (header, _, bytes) throws(LogError) in
      guard header.maxTimestamp >= timestamp, header.lastOffset >= start else { return true }
      guard header.baseOffset < end else { return false }
      do throws(BatchError) {
        try RecordBatch(bytes).forEachRecord(&decoder) { (record) throws(BatchError) in
          guard record.timestamp >= timestamp, record.offset >= start else { return true }
          found = OffsetForTime(offset: record.offset, timestamp: record.timestamp)
          return false
        }
      } catch {
        // The CRC is right but the records are not: only the batch's own times are usable.
        found = OffsetForTime(
          offset: max(header.baseOffset, start), timestamp: header.maxTimestamp)
      }
      return found == nil
    }
    if let found {
      precondition(
        found.timestamp >= timestamp && found.offset >= start,
        "I9: a look-up of time \(timestamp) from \(start) on leads to \(found)")
    }
    return found
  }
}
