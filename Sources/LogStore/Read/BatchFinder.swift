internal import CoreMetrics
internal import DiskIO
internal import RecordFormat

/// Finds batches in one segment for a `LogReader`: the right start, the right end, every byte
/// checked before it is returned. Owned by one reader.
struct BatchFinder {
  /// The result of `take`.
  enum Taken {
    case found(FileRecords)
    /// No batch of the segment holds the offset or a later one.
    case endOfSegment
  }

  /// At least this many bytes are checked at a time, so that small reads of cold data read ahead.
  static let checkBytesMin = 256 << 10
  /// The same beside light syncs: bounds what a sync may find in the disk's queue before it
  /// (docs/performance.md#cold-scans).
  static let checkBytesMinBesideSyncs = 128 << 10
  /// The same beside so many writes that they fill the queue themselves.
  static let checkBytesMinBesideWrites = 1 << 20
  /// Bytes read for headers if batches are small.
  static let windowBytes = 4096

  /// The range that a read asks for.
  struct Range {
    /// The offset to begin with.
    var target: Int64
    /// Batches that end beyond this offset are not returned.
    var limit: Int64
    /// Most bytes; the first batch is returned whole.
    var maxBytes: Int
  }

  private var window = HeaderWindow()

  // MARK: Start

  /// A position at or before the batch that holds `offset`, from the index; every entry is checked
  /// against the batch it points to (I9).
  ///
  /// - Parameter beforeReading: Is called with the position before the log is read there, and with
  ///   the index it is from.
  mutating func startPosition(
    in view: SegmentView, for offset: Int64,
    beforeReading: (Int, OffsetIndex) -> Void = { (_, _) in }
  ) throws(LogError) -> Int {
    let segment = view.segment
    if offset <= segment.baseOffset { return 0 }
    if let behind = segment.position(behindDamageBefore: offset) { return behind }
    let end = Int(try view.end().position)
    for attempt in 0..<2 {
      if attempt == 1 { _ = try view.freshIndexes() }
      let found = try view.look { (indexes) throws(DiskError) in
        try indexes.offset.lookup(offset).map { ($0, indexes.offset) }
      }
      guard let (entry, index) = found else { return 0 }
      // No entry points to the first batch. One that does belongs to a file that was truncated and
      // has grown again.
      guard entry.position > 0, entry.position < end else { continue }
      beforeReading(entry.position, index)
      if try header(view, at: entry.position, end: end)?.lastOffset == entry.offset {
        return segment.start(at: entry, for: offset)
      }
    }
    return 0
  }

  private mutating func header(_ view: SegmentView, at position: Int, end: Int) throws(LogError)
    -> BatchBrief?
  {
    do throws(DiskError) {
      return try window.header(view.files.log, at: position, end: end)
    } catch {
      throw LogError(error)
    }
  }

  // MARK: Batches

  /// The batches from the one that holds the target (or the next one) on, all checked.
  ///
  /// - Parameters:
  ///   - position: A batch's start at or before the target's.
  ///   - expected: The lowest offset that may be there, if known.
  mutating func take(
    _ range: Range, in view: SegmentView, from position: Int, expected: Int64?
  ) throws(LogError) -> Taken {
    let (limit, maxBytes) = (range.limit, range.maxBytes)
    let segment = view.segment
    let segmentEnd = try view.end()
    let end = Int(segmentEnd.position)
    guard
      let (first, startPosition) = try findStart(
        of: range.target, in: view, from: position, end: end, expected: expected)
    else { return .endOfSegment }
    precondition(
      first.lastOffset >= range.target,
      "I9: a read of \(range.target) leads to a batch that ends with \(first.lastOffset)")
    guard first.nextOffset <= limit else { return .endOfSegment }
    var cut = startPosition + first.byteCount
    var next = first.nextOffset
    let nextAtEnd = segment.baseOffset + Int64(segmentEnd.relativeOffset)
    if end - startPosition <= maxBytes, segment.verified.contains(startPosition..<end),
      nextAtEnd <= limit, segment.damage(at: end) == nil,
      // If there are more offsets than the end can express, the batches decide.
      segmentEnd.relativeOffset < UInt32.max
    {
      (cut, next) = (end, nextAtEnd)
    } else if maxBytes > first.byteCount {
      try extend(
        &cut, &next, in: view, from: startPosition, end: end, limit: limit,
        upTo: startPosition + min(maxBytes, end - startPosition))
    }
    return .found(
      FileRecords(
        files: view.files, position: startPosition, byteCount: cut - startPosition,
        baseOffset: first.baseOffset, nextOffset: next))
  }

  /// The first batch at or after `position` whose last offset reaches `target`, checked.
  private mutating func findStart(
    of target: Int64, in view: SegmentView, from position: Int, end: Int, expected: Int64?
  ) throws(LogError) -> (BatchBrief, Int)? {
    let segment = view.segment
    var position = position
    var expected = expected
    var isDoubted = false
    while position < end {
      if let range = segment.damage(at: position) {
        position = try pass(range, target: target, view)
        expected = range.offsets?.upperBound
        continue
      }
      guard try isChecked(view, position, end: end, expected) else { continue }
      guard let header = try header(view, at: position, end: end) else {
        // It was checked, but the disk may have lost it since: then it is damage like any other.
        guard !isDoubted else { throw changedByOthers(segment, position) }
        isDoubted = true
        segment.verified.removeAll()
        continue
      }
      if header.lastOffset >= target { return (header, position) }
      position += header.byteCount
      expected = header.nextOffset
    }
    if let range = segment.damage(at: end) { _ = try pass(range, target: target, view) }
    return nil
  }

  /// Where reading continues after a damaged range; throws unless `target` is after it.
  private func pass(
    _ range: DamagedRange, target: Int64, _ view: SegmentView
  ) throws(LogError) -> Int {
    let upper = range.offsets?.upperBound ?? view.nextBaseOffset
    guard target >= upper else { throw .corrupt(range) }
    return max(range.bytes.upperBound, range.bytes.lowerBound)
  }

  /// Moves `cut` on over whole checked batches while they end at or before `upTo`.
  private mutating func extend(
    _ cut: inout Int, _ next: inout Int64, in view: SegmentView, from start: Int, end: Int,
    limit: Int64, upTo: Int
  ) throws(LogError) {
    let segment = view.segment
    if try jump(&cut, &next, in: view, from: start, limit: limit, upTo: min(upTo, end)) { return }
    while cut < end {
      guard segment.damage(at: cut) == nil else { return }
      guard try isChecked(view, cut, end: end, next) else { continue }
      // If it cannot be read any more, the read that begins there reports it.
      guard let header = try header(view, at: cut, end: end) else { return }
      guard cut + header.byteCount <= upTo, header.lastOffset < limit else { return }
      cut += header.byteCount
      next = header.nextOffset
    }
  }

  /// Within checked bytes the index gives the last batch boundary before `upTo` without a walk.
  private mutating func jump(
    _ cut: inout Int, _ next: inout Int64, in view: SegmentView, from start: Int, limit: Int64,
    upTo: Int
  ) throws(LogError) -> Bool {
    guard upTo - cut > 2 * Self.windowBytes, view.segment.verified.contains(start..<upTo) else {
      return false
    }
    let index = try view.indexes().offset
    let found: OffsetPosition?
    do throws(DiskError) {
      found = try index.lastEntry(atOrBelow: upTo)
    } catch {
      // The walk over headers needs no index; the next look-up rebuilds it from the log (I9).
      found = nil
    }
    guard let entry = found, entry.position > cut,
      let header = try header(view, at: entry.position, end: upTo + 1),
      header.lastOffset == entry.offset, header.baseOffset <= limit
    else { return false }
    (cut, next) = (entry.position, header.baseOffset)
    return true
  }

  // MARK: Checking

  /// Whether the batch at `position` was checked; if not, checks it and what follows. False: look
  /// again, there may be a damaged range now.
  private mutating func isChecked(
    _ view: SegmentView, _ position: Int, end: Int, _ expected: Int64?
  ) throws(LogError) -> Bool {
    let segment = view.segment
    if segment.verified.verifiedEnd(from: position) > position { return true }
    do throws(DiskError) {
      try check(view, from: position, end: end, expected)
    } catch {
      throw LogError(error)
    }
    // Neither valid nor damaged: another process truncated the file.
    if segment.verified.verifiedEnd(from: position) <= position,
      segment.damage(at: position) == nil
    {
      throw changedByOthers(segment, position)
    }
    return false
  }

  /// Checks batches from `position` on: marks them as valid or damaged.
  private func check(
    _ view: SegmentView, from position: Int, end: Int, _ expected: Int64?
  ) throws(DiskError) {
    let segment = view.segment
    let metrics = view.log.context.metrics
    let byteCount = pace(view.log.context.syncTraffic, view.files)
    let bounds = view.bounds
    var scanner = try view.scanner(
      from: position, expected: expected, end: end, bounds, chunkBytes: byteCount)
    var runEnd = position
    while runEnd - position < byteCount {
      switch try scanner.next() {
      case .batch(let header, let start):
        runEnd = start + header.byteCount
      case .invalid(let fault, let start):
        segment.verified.insert(position..<start)
        _ = try view.fence(fault, &scanner, limit: bounds.limit)
        metrics.verifiedBytes.increment(by: start - position)
        return
      case .end(let last):
        runEnd = last
        segment.verified.insert(position..<last)
        if last == end { view.fenceMissingEnd(at: end, reached: scanner.expectedOffset) }
        metrics.verifiedBytes.increment(by: last - position)
        return
      }
    }
    segment.verified.insert(position..<runEnd)
    metrics.verifiedBytes.increment(by: runEnd - position)
  }

  /// Bytes to check at a time now; first yields to a sync that should not wait.
  private func pace(_ traffic: SyncTraffic, _ files: SegmentFiles) -> Int {
    let level = traffic.level
    files.setReadAhead(level == .none)
    switch level {
    case .none: return Self.checkBytesMin
    case .heavy: return Self.checkBytesMinBesideWrites
    case .light:
      traffic.giveWay()
      return Self.checkBytesMinBesideSyncs
    }
  }

  /// The error if bytes below a published end changed or disappeared: another process wrote to the
  /// file.
  private func changedByOthers(_ segment: Segment, _ position: Int) -> LogError {
    .corrupt(
      DamagedRange(
        file: segment.path(.log), bytes: position..<position, offsets: nil,
        reason: "the file changed while it was read"))
  }
}
