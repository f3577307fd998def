internal import DiskIO
internal import RecordFormat

/// Follows a log that another process writes: publishes what its owner has appended. One thread at
/// a time.
struct LogFollower {
  private let access: SegmentAccess
  private var log: LogEnvironment { access.log }

  init(_ access: SegmentAccess) {
    self.access = access
  }

  /// Looks for batches that the log's owner has appended since; one thread at a time.
  ///
  /// - Returns: Whether the log end offset moved.
  /// - Throws: `.disk`; what was published before stays published.
  /// - Complexity: Lists the directory, and reads what was appended since.
  func refresh() throws(LogError) -> Bool {
    let before = access.offsets.end.value
    do throws(DiskError) {
      // A segment with a successor has its last byte: each segment is read to its end before the
      // next one, by rising offsets, whatever the order of the names.
      var isBehind = false
      for baseOffset in try newSegments() {
        isBehind = try !followTail(before: baseOffset) || isBehind
        let segment = Segment(
          baseOffset: baseOffset, directory: log.directory,
          end: SegmentEnd(relativeOffset: 0, position: 0), isSealed: true)
        access.store.roll(to: segment)
        if baseOffset > access.offsets.end.value { access.offsets.end.publish(baseOffset) }
      }
      isBehind = try !followTail(before: nil) || isBehind
      // If the log was empty, its first segment may be one that came later.
      let first = access.store.state.segments.first?.baseOffset ?? 0
      if isBehind || first > access.store.startOffset { try forgetRemoved() }
    } catch {
      throw LogError(error)
    }
    return access.offsets.end.value > before
  }

  /// Removes segments from the view that the log's owner has removed from the log's start.
  ///
  /// - Throws: If the directory cannot be read; nothing has changed then.
  func forgetRemoved() throws(DiskError) {
    let known = access.store.state.segments
    let bases = Set(
      try log.disk.list(log.path).compactMap { entry -> Int64? in
        guard let name = SegmentName(entry.name), name.kind == .log, name.stage == nil else {
          return nil
        }
        return name.baseOffset
      })
    // Only segments missing at the log's start were removed; elsewhere a file is lost.
    guard let first = known.first?.baseOffset,
      let left = known.first(where: { bases.contains($0.baseOffset) }),
      left.baseOffset > first || first > access.store.startOffset
    else { return }
    let owners = try ownersStart()
    // A segment that exists and could not be opened is not removed.
    if owners < left.baseOffset, bases.contains(where: { $0 < left.baseOffset }) { return }
    let start = max(left.baseOffset, owners)
    // Before the start is published (I1).
    access.offsets.end.publish(max(access.offsets.end.value, start))
    access.offsets.flushed.publish(max(access.offsets.flushed.value, start))
    access.store.followPrefix(to: left.baseOffset, start: start)
  }

  private func ownersStart() throws(DiskError) -> Int64 {
    do throws(CheckpointError) {
      return try LogStartFile.read(log.directory)?.offset ?? 0
    } catch {
      if case .disk(let error) = error { throw error }
      return 0
    }
  }

  /// Base offsets of the segments after the last known one, rising.
  private func newSegments() throws(DiskError) -> [Int64] {
    let known = access.store.state.segments.last?.baseOffset ?? -1
    return try log.disk.list(log.path).compactMap { entry -> Int64? in
      guard let name = SegmentName(entry.name), name.kind == .log, name.stage == nil,
        name.baseOffset > known
      else { return nil }
      return name.baseOffset
    }.sorted()
  }

  /// Publishes whole valid batches after the last segment's known end.
  ///
  /// - Parameter next: Base offset of the segment that follows it, so that nothing more is written
  ///   to it: an invalid batch is then damage, not one that is being written.
  /// - Returns: False if the log's owner has removed that segment with all its records.
  private func followTail(before next: Int64?) throws(DiskError) -> Bool {
    let state = access.store.state
    guard let segment = state.segments.last, segment.isEndKnown else { return true }
    let end = segment.publishedEnd
    let file: any DiskFile
    do throws(DiskError) {
      file = try log.disk.open(segment.path(.log), .read)
    } catch {
      let offset = next ?? segment.baseOffset + Int64(end.relativeOffset)
      guard error.isNotFound, try ownersStart() >= offset else { throw error }
      return false
    }
    let size = try file.size()
    guard size > Int(end.position) else { return true }
    let view = SegmentView(access, segment, SegmentFiles(of: segment, log: file, indexes: nil))
    var scanner = SegmentScanner(
      file, from: Int(end.position), endPosition: size,
      expectedOffset: segment.baseOffset + Int64(end.relativeOffset),
      offsetLimit: SegmentScanner.offsetLimit(after: segment.baseOffset, before: next),
      options: SegmentScanner.Options(rules: state.rules, isFollowed: next != nil))
    walk: while true {
      switch try scanner.next() {
      case .batch(let header, let position):
        segment.verified.appended(position..<position + header.byteCount)
      case .end: break walk
      case .invalid(let fault, _):
        guard let next else { break walk }
        _ = try view.fence(fault, &scanner, limit: next)
      }
    }
    guard scanner.position > Int(end.position) else { return true }
    segment.setLargestTimestamp(nil)
    segment.publish(
      SegmentEnd(
        relativeOffset: UInt32(clamping: scanner.expectedOffset - segment.baseOffset),
        position: UInt32(clamping: scanner.position)))
    // It can be lower if a segment has more offsets than its end can express.
    access.offsets.end.publish(max(access.offsets.end.value, scanner.expectedOffset))
    access.offsets.flushed.publish(max(access.offsets.flushed.value, scanner.expectedOffset))
    return true
  }
}
