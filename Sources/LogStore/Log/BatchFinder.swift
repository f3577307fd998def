internal import CoreMetrics
internal import DiskIO
internal import RecordFormat

/// Finds batches in one segment for a `LogReader`: the right start, the right end, every byte
/// checked before it is given out. Owned by one reader.
struct BatchFinder {
  /// What `take` gives.
  enum Taken {
    case found(FileRecords)
    /// No batch of the segment holds the offset or a later one.
    case endOfSegment
  }

  /// At least so many bytes are checked at a time, so that small reads of cold data read ahead.
  static let checkBytesMin = 256 << 10
  /// The same beside syncs that somebody waits for, each alone: what one may find in the disk's
  /// queue before it (docs/performance.md#cold-scans).
  static let checkBytesMinBesideSyncs = 128 << 10
  /// The same beside so many writes that they fill the queue themselves.
  static let checkBytesMinBesideWrites = 1 << 20
  /// Bytes read to look at headers where batches are small.
  static let windowBytes = 4096

  private var window = HeaderWindow()

  // MARK: Start

  /// A position at or before the batch that holds `offset`, from the index; every entry is checked
  /// against the batch it points to (I9).
  ///
  /// - Parameter beforeReading: Is told the position before the log is read there, and the index it
  ///   is from.
  mutating func startPosition(
    _ log: Log, _ segment: Segment, _ files: SegmentFiles, for offset: Int64,
    beforeReading: (Int, OffsetIndex) -> Void = { (_, _) in }
  ) throws(LogError) -> Int {
    if offset <= segment.baseOffset { return 0 }
    if let behind = segment.position(behindDamageBefore: offset) { return behind }
    let end = Int(try log.end(of: segment).position)
    for attempt in 0..<2 {
      if attempt == 1 { _ = try log.freshIndexes(of: segment, files) }
      let found = try log.look(in: segment, files) { (indexes) throws(DiskError) in
        try indexes.offset.lookup(offset).map { ($0, indexes.offset) }
      }
      guard let (entry, index) = found else { return 0 }
      // No entry points to the first batch: those that do are of a file that was cut and has grown
      // again.
      guard entry.position > 0, entry.position < end else { continue }
      beforeReading(entry.position, index)
      if try header(files, at: entry.position, end: end)?.lastOffset == entry.offset {
        return segment.start(at: entry, for: offset)
      }
    }
    return 0
  }

  private mutating func header(_ files: SegmentFiles, at position: Int, end: Int) throws(LogError)
    -> BatchBrief?
  {
    do throws(DiskError) {
      return try window.header(files.log, at: position, end: end)
    } catch {
      throw LogError(error)
    }
  }

  // MARK: Batches

  /// The batches from the one that holds `target` (or the next one) up to `maxBytes`, all checked.
  ///
  /// - Parameters:
  ///   - position: A batch's start at or before the target's.
  ///   - expected: The lowest offset that may stand there, where it is known.
  ///   - limit: Batches that end beyond this offset are not given out.
  mutating func take(
    _ log: Log, _ segment: Segment, _ files: SegmentFiles, _ position: Int, expected: Int64?,
    _ target: Int64, _ limit: Int64, _ maxBytes: Int
  ) throws(LogError) -> Taken {
    let segmentEnd = try log.end(of: segment)
    let end = Int(segmentEnd.position)
    guard
      let start = try findStart(
        log, segment, files, from: position, end: end, target: target,
        expected: expected)
    else { return .endOfSegment }
    let (first, startPosition) = start
    guard first.nextOffset <= limit else { return .endOfSegment }
    var cut = startPosition + first.byteCount
    var next = first.nextOffset
    let nextAtEnd = segment.baseOffset + Int64(segmentEnd.relativeOffset)
    if end - startPosition <= maxBytes, segment.verified.contains(startPosition..<end),
      nextAtEnd <= limit, segment.damage(at: end) == nil,
      // Of more offsets than the end can tell, the batches are asked.
      segmentEnd.relativeOffset < UInt32.max
    {
      (cut, next) = (end, nextAtEnd)
    } else if maxBytes > first.byteCount {
      try extend(
        log, segment, files, from: startPosition, end: end, limit: limit,
        upTo: startPosition + min(maxBytes, end - startPosition), &cut, &next)
    }
    return .found(
      FileRecords(
        file: files.log, position: startPosition, byteCount: cut - startPosition,
        baseOffset: first.baseOffset, nextOffset: next))
  }

  /// The first batch at or after `position` whose last offset reaches `target`, checked.
  private mutating func findStart(
    _ log: Log, _ segment: Segment, _ files: SegmentFiles, from position: Int, end: Int,
    target: Int64, expected: Int64? = nil
  ) throws(LogError) -> (BatchBrief, Int)? {
    var position = position
    var expected = expected
    var isDoubted = false
    while position < end {
      if let range = segment.damage(at: position) {
        position = try pass(range, target: target, log, segment)
        expected = range.offsets?.upperBound
        continue
      }
      guard try isChecked(log, segment, files, position, end, expected) else { continue }
      guard let header = try header(files, at: position, end: end) else {
        // It was checked, but the disk may have lost it since: then it is damage like any other.
        guard !isDoubted else { throw changedBehindUs(segment, position) }
        isDoubted = true
        segment.verified.removeAll()
        continue
      }
      if header.lastOffset >= target { return (header, position) }
      position += header.byteCount
      expected = header.nextOffset
    }
    if let range = segment.damage(at: end) { _ = try pass(range, target: target, log, segment) }
    return nil
  }

  /// Where reading goes on behind a damaged range; throws where `target` does not lie behind it.
  private func pass(
    _ range: DamagedRange, target: Int64, _ log: Log, _ segment: Segment
  ) throws(LogError) -> Int {
    let upper = range.offsets?.upperBound ?? log.nextBaseOffset(after: segment)
    guard target >= upper else { throw .corrupt(range) }
    return max(range.bytes.upperBound, range.bytes.lowerBound)
  }

  /// Moves `cut` on over whole checked batches while they end at or before `upTo`.
  private mutating func extend(
    _ log: Log, _ segment: Segment, _ files: SegmentFiles, from start: Int, end: Int, limit: Int64,
    upTo: Int, _ cut: inout Int, _ next: inout Int64
  ) throws(LogError) {
    if try jump(log, segment, files, from: start, limit: limit, upTo: min(upTo, end), &cut, &next) {
      return
    }
    while cut < end {
      guard segment.damage(at: cut) == nil else { return }
      guard try isChecked(log, segment, files, cut, end, next) else { continue }
      // Where it cannot be read any more, the read that begins there says so.
      guard let header = try header(files, at: cut, end: end) else { return }
      guard cut + header.byteCount <= upTo, header.lastOffset < limit else { return }
      cut += header.byteCount
      next = header.nextOffset
    }
  }

  /// Within checked bytes the index tells the last batch border before `upTo` without a walk.
  private mutating func jump(
    _ log: Log, _ segment: Segment, _ files: SegmentFiles, from start: Int, limit: Int64,
    upTo: Int, _ cut: inout Int, _ next: inout Int64
  ) throws(LogError) -> Bool {
    guard upTo - cut > 2 * Self.windowBytes, segment.verified.contains(start..<upTo) else {
      return false
    }
    let index = try log.indexes(of: segment, files).offset
    let found: OffsetPosition?
    do throws(DiskError) {
      found = try index.lastEntry(atOrBelow: upTo)
    } catch {
      // The walk over headers needs none; the next look-up makes it from the log (I9).
      found = nil
    }
    guard let entry = found, entry.position > cut,
      let header = try header(files, at: entry.position, end: upTo + 1),
      header.lastOffset == entry.offset, header.baseOffset <= limit
    else { return false }
    (cut, next) = (entry.position, header.baseOffset)
    return true
  }

  // MARK: Checking

  /// Whether the batch at `position` was checked; checks it, and what follows, where not. False:
  /// look again, there may be a damaged range now.
  private mutating func isChecked(
    _ log: Log, _ segment: Segment, _ files: SegmentFiles, _ position: Int, _ end: Int,
    _ expected: Int64?
  ) throws(LogError) -> Bool {
    if segment.verified.verifiedEnd(from: position) > position { return true }
    do throws(DiskError) {
      try check(log, segment, files, from: position, end: end, expected)
    } catch {
      throw LogError(error)
    }
    // Neither valid nor fenced: the bytes are gone, somebody else cut the file.
    if segment.verified.verifiedEnd(from: position) <= position,
      segment.damage(at: position) == nil
    {
      throw changedBehindUs(segment, position)
    }
    return false
  }

  /// Checks batches from `position` on: marks what is valid, fences what is not.
  private func check(
    _ log: Log, _ segment: Segment, _ files: SegmentFiles, from position: Int, end: Int,
    _ expected: Int64?
  ) throws(DiskError) {
    let file = files.log
    let byteCount = pace(log.context.syncTraffic, files)
    var lowest = expected
    if lowest == nil { lowest = try Self.lowestOffset(segment, file, at: position) }
    // Asked first: where a segment follows, the limit is its base.
    let isFollowed = log.isFollowed(segment)
    let limit = log.nextBaseOffset(after: segment)
    var options = SegmentScanner.Options(rules: log.rules, isFollowed: isFollowed)
    options.chunkBytes = byteCount
    var scanner = SegmentScanner(
      file, from: position, endPosition: end, expectedOffset: lowest ?? 0,
      offsetLimit: SegmentScanner.offsetLimit(after: segment.baseOffset, before: limit),
      options: options)
    var runEnd = position
    while runEnd - position < byteCount {
      switch try scanner.next() {
      case .batch(let header, let start):
        runEnd = start + header.byteCount
      case .invalid(let fault, let start):
        segment.verified.insert(position..<start)
        let from = scanner.expectedOffset
        let skipped = try scanner.resume().skipped
        let end = scanner.offsetBehindDamage ?? limit
        log.fence(segment, skipped, from..<max(from, end), fault.description)
        log.context.metrics.verifiedBytes.increment(by: start - position)
        return
      case .end(let last):
        runEnd = last
        segment.verified.insert(position..<last)
        if last == end {
          log.fenceMissingEnd(of: segment, at: end, reached: scanner.expectedOffset)
        }
        log.context.metrics.verifiedBytes.increment(by: last - position)
        return
      }
    }
    segment.verified.insert(position..<runEnd)
    log.context.metrics.verifiedBytes.increment(by: runEnd - position)
  }

  /// Bytes to check at a time now; lets a sync pass that should not wait behind them.
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

  /// The lowest offset that may stand at `position`: the segment's base at its start, where damage
  /// ends behind it; elsewhere, with the batches before unread, what the header there says itself,
  /// if it is sound.
  static func lowestOffset(
    _ segment: Segment, _ file: any DiskFile, at position: Int
  ) throws(DiskError) -> Int64 {
    if position == 0 { return segment.baseOffset }
    let before = segment.damagedRanges.first { $0.bytes.upperBound == position }
    if let reached = before?.offsets?.upperBound { return reached }
    var probe = HeaderWindow()
    let header = try probe.header(file, at: position, end: Int.max)
    guard let header else { return segment.baseOffset }
    return max(segment.baseOffset, header.baseOffset)
  }

  /// Bytes below a published end changed or went: somebody else wrote to the file.
  private func changedBehindUs(_ segment: Segment, _ position: Int) -> LogError {
    .corrupt(
      DamagedRange(
        file: segment.path(.log), bytes: position..<position, offsets: nil,
        reason: "the file changed while it was read"))
  }
}
