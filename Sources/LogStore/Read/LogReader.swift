internal import DiskIO
internal import MkstoreBytes
internal import RecordFormat

/// Reads batches and records of a log, checks them before they are returned, and follows the tail
/// without touching an index.
///
/// ```swift
/// let reader = LogReader(log)
/// let next = try reader.forEachRecord(from: 0) { print($0.offset); return true }
/// ```
///
/// Keeps the segment, its open file and the position after the last read, so that the next read
/// costs two atomic loads. Holds one segment's file open.
///
/// **Threads.** Not for two tasks or threads at once, which the compiler checks; any number of
/// readers may read one log. Reads run on the caller's thread and may wait for the disk: in async
/// code use `Log.records` and `Log.record(at:)`.
public final class LogReader {
  /// How far a read may go.
  public enum Limit: Sendable {
    /// Acknowledged records only: nothing that a power cut could take back (with the default
    /// durability).
    case highWatermark
    /// Everything appended.
    case logEnd
  }

  private let log: Log
  private var state: LogState
  private var place: Place?
  private var finder: BatchFinder
  private var window = LookUpWindow()
  /// Bytes and codec contexts of `forEachRecord`, reused.
  var scratch: [UInt8] = []
  var decoder = RecordDecoder(tolerance: .kafka)
  /// Bytes of the last answer if its one batch was larger than what was asked for: assume that the
  /// next one is as large.
  private var oversizedBytes = 0
  /// Whether bytes that left the page cache are checked again before they are served.
  private let rechecksEvicted: Bool

  /// Where the last read ended.
  private struct Place {
    var view: SegmentView
    /// Index in `state`.
    var index: Int
    var position: Int
    var nextOffset: Int64
  }

  /// Makes a reader of `log`; nothing is opened yet.
  public convenience init(_ log: Log) {
    self.init(log, rechecksEvicted: false)
  }

  /// Makes a reader of `log` that may check bytes more than once; nothing is opened yet.
  ///
  /// - Parameters:
  ///   - log: What to read; held open as long as the reader lives.
  ///   - rechecksEvicted: Whether to ask the kernel before each read if the bytes are still in the
  ///     page cache, and to check a segment's bytes again once some of them are not.
  public init(_ log: Log, rechecksEvicted: Bool) {
    self.log = log
    self.rechecksEvicted = rechecksEvicted
    state = log.store.state
    finder = BatchFinder()
  }

  /// Whether the log is gone, so that keeping this keeps files open that nothing reads any more.
  package var isOfEndedLog: Bool { log.health.isGone }

  /// The offset up to which `limit` lets records be read.
  public func endOffset(_ limit: Limit) -> Int64 {
    log.offsets.notifier(limit).value
  }

  /// Finds whole batches beginning with the one that holds `offset` (or, in a gap, the next one).
  ///
  /// - Parameters:
  ///   - offset: Where to begin.
  ///   - maxBytes: Most bytes; the first batch is given whole even where it is larger.
  ///   - limit: How far the read may go.
  /// - Returns: nil if there is no record at or after `offset` yet.
  /// - Throws: `.offsetOutOfRange`; `.corrupt` where `offset` lies in a damaged range, with the
  ///   range: go on at its end; `.disk`.
  /// - Complexity: Following: no search. Bytes not served before are read once and their CRCs
  ///   checked.
  public func read(from offset: Int64, maxBytes: Int, limit: Limit = .highWatermark)
    throws(LogError) -> FileRecords?
  {
    try read(from: offset, maxBytes: maxBytes, below: endOffset(limit))
  }

  /// The same, but only batches that end at or before `end`, which is not beyond the log's end.
  package func read(from offset: Int64, maxBytes: Int, below end: Int64)
    throws(LogError) -> FileRecords?
  {
    let records = try retrying { () throws(LogError) in
      try checkRange(of: offset, below: end)
      refreshState()
      return try take(
        from: offset, end: end, maxBytes: maxBytes, askedBytes: rechecksEvicted ? maxBytes : nil)
    }
    // No segment holds them: said, or whoever asks would wait for them for ever.
    if records == nil, offset < end,
      let lost = log.recovery.damage.first(where: { $0.offsets?.contains(offset) ?? false })
    {
      throw .corrupt(lost)
    }
    return records
  }

  /// What a read that must not wait for a disk gives.
  package enum HotRead {
    /// As `read`.
    case records(FileRecords)
    /// There is no record at or after the offset yet.
    case nothing
    /// A disk may be needed: call `read` on a thread that may wait.
    case cold
  }

  /// Reads as `read` does, but only where that takes no look at a disk: the read goes on where the
  /// last one ended, and the bytes are checked and in the page cache.
  ///
  /// - Throws: As `read`.
  /// - Complexity: One system call that asks for the pages; small preads of cached headers.
  package func readHot(
    from offset: Int64, maxBytes: Int, below end: Int64
  ) throws(LogError) -> HotRead {
    try checkRange(of: offset, below: end)
    if offset == end { return .nothing }
    refreshState()
    guard let place, place.nextOffset == offset, place.view.segment.isEndKnown else {
      return .cold
    }
    let segment = place.view.segment
    let segmentEnd = Int(segment.publishedEnd.position)
    guard place.position < segmentEnd else { return .cold }
    let upTo = min(segmentEnd, place.position + min(max(maxBytes, oversizedBytes), segmentEnd))
    guard segment.verified.contains(place.position..<max(upTo, place.position + 1)),
      place.view.files.log.isCached(at: place.position, count: upTo - place.position)
    else { return .cold }
    guard let records = try take(from: offset, end: end, maxBytes: maxBytes, askedBytes: nil)
    else { return .nothing }
    // The first batch is larger than was asked for, or was written after the segment's end was
    // read.
    if upTo < segmentEnd, records.position + records.byteCount > upTo {
      self.place = place
      return .cold
    }
    return .records(records)
  }

  /// Marks a segment as unchecked if the page cache has lost pages of it: bytes that are read from
  /// the disk again are checked again (docs/serving.md#checked-bytes). Called before anything is
  /// read there, since a read brings pages back.
  ///
  /// - Returns: The end of what was asked about; beyond the segment's end, what was written since.
  private func forgetEvicted(of view: SegmentView, from position: Int, byteCount: Int) -> Int {
    let segment = view.segment
    // The file was not read yet, so nothing was checked.
    guard segment.isEndKnown else { return Int.max }
    let end = Int(segment.publishedEnd.position)
    let upTo = min(end, position + min(byteCount, end))
    if upTo > position, !view.files.log.isCached(at: position, count: upTo - position) {
      segment.verified.removeAll()
    }
    return upTo >= end ? Int.max : upTo
  }

  /// - Parameter askedBytes: How many bytes the kernel is asked about first; nil: none.
  private func take(
    from offset: Int64, end: Int64, maxBytes: Int, askedBytes: Int?
  ) throws(LogError) -> FileRecords? {
    var target = offset
    while target < end {
      guard let (found, askedEnd) = try locate(target, askedBytes: askedBytes) else { return nil }
      var place = found
      let expected = place.nextOffset < 0 ? nil : place.nextOffset
      let range = BatchFinder.Range(target: target, limit: end, maxBytes: maxBytes)
      var taken = try finder.take(range, in: place.view, from: place.position, expected: expected)
      if case .found(let records) = taken, records.position + records.byteCount > askedEnd {
        // More than the kernel was asked about; pages of it may have been read again meanwhile.
        place.view.segment.verified.removeAll()
        taken = try finder.take(
          range, in: place.view, from: place.position, expected: expected)
      }
      switch taken {
      case .found(let records):
        // Checked bytes may have left the page cache: the kernel reads them ahead again.
        if !place.view.files.isReadingAhead, log.context.syncTraffic.level == .none {
          place.view.files.setReadAhead(true)
        }
        oversizedBytes = records.byteCount > maxBytes ? records.byteCount : 0
        place.position = records.position + records.byteCount
        place.nextOffset = records.nextOffset
        self.place = place
        return records
      case .endOfSegment:
        precondition(
          state.segments[place.index] === place.view.segment,
          "I2: segment \(place.view.segment.baseOffset) is not number \(place.index)")
        guard place.index + 1 < state.segments.count else { return nil }
        target = max(target, state.segments[place.index + 1].baseOffset)
        self.place = nil
      }
    }
    return nil
  }

  /// Blocks until a record at or after `offset` may be read.
  ///
  /// - Parameters:
  ///   - offset: What is waited for.
  ///   - limit: When it may be read.
  ///   - timeoutMs: Longest wait; nil for ever. More than a year counts as a year.
  /// - Returns: Whether there is one.
  /// - Throws: `.closed` or `.poisoned` where the log ends meanwhile.
  public func waitBlocking(
    for offset: Int64, limit: Limit = .highWatermark, timeoutMs: Int? = nil
  ) throws(LogError) -> Bool {
    try log.offsets.notifier(limit).wait(
      offset + 1, timeoutNs: timeoutMs.map { Int64(min($0, Self.timeoutMaxMs)) * 1_000_000 })
  }

  private static let timeoutMaxMs = 365 * 86_400_000

  /// Suspends until a record at or after `offset` may be read or the task is cancelled.
  ///
  /// - Throws: `.closed` or `.poisoned` where the log ends meanwhile.
  public func wait(for offset: Int64, limit: Limit = .highWatermark) async throws(LogError) {
    try await log.offsets.notifier(limit).reached(offset + 1)
  }

  /// Lets the segment of the last read be checked again, since the disk does not give its bytes any
  /// more.
  ///
  /// - Returns: Whether there was a read.
  func doubtLastRead() -> Bool {
    guard let segment = place?.view.segment else { return false }
    segment.verified.removeAll()
    place = nil
    return true
  }

  /// Runs `body`, again where the log's segments changed before it failed: the one that it was
  /// about to read may be gone, or replaced.
  private func retrying<Result>(
    _ body: () throws(LogError) -> Result
  ) throws(LogError) -> Result {
    while true {
      do throws(LogError) {
        return try body()
      } catch {
        guard log.store.generation != state.generation else { throw error }
        place = nil
        refreshState()
      }
    }
  }

  /// Throws where the log is gone, or holds nothing at `offset` that may be read.
  private func checkRange(of offset: Int64, below end: Int64) throws(LogError) {
    try log.health.checkPresent()
    let start = log.store.startOffset
    guard offset >= start, offset <= end else {
      throw .offsetOutOfRange(offset: offset, logStartOffset: start, logEndOffset: end)
    }
  }

  /// Takes over what has changed in the log.
  @inline(__always)
  private func refreshState() {
    guard log.store.generation != state.generation else { return }
    state = log.store.state
    guard let segment = place?.view.segment else { return }
    if let index = state.index(of: segment.baseOffset), state.segments[index] === segment {
      place?.index = index
    } else {
      place = nil
    }
  }

  /// Runs `body` with the record at `offset` where that takes no search; false: take the ordinary
  /// way.
  func lookUp(_ offset: Int64, _ limit: Limit, _ body: (borrowing RecordView) -> Void)
    throws(LogError) -> Bool
  {
    try log.health.checkPresent()
    guard !rechecksEvicted, offset >= log.logStartOffset, offset < endOffset(limit) else {
      return false
    }
    refreshState()
    do throws(LogError) {
      return try lookUp(offset, body)
    } catch {
      guard log.store.generation != state.generation else { throw error }
      place = nil
      return false
    }
  }

  private func lookUp(_ offset: Int64, _ body: (borrowing RecordView) -> Void) throws(LogError)
    -> Bool
  {
    guard let index = state.index(of: offset) else { return false }
    let segment = state.segments[index]
    guard segment.isEndKnown else { return false }
    let view: SegmentView
    if let place, place.view.segment === segment {
      view = place.view
    } else {
      view = try log.access.open(segment)
    }
    let offsets = try view.indexes().offset
    let attempt: LookUpWindow.Attempt
    do throws(DiskError) {
      attempt = try window.withRecord(
        at: offset, in: view, offsets, end: Int(segment.publishedEnd.position), &decoder,
        body)
    } catch {
      throw LogError(error)
    }
    guard case .found(let position, let baseOffset) = attempt else { return false }
    place = Place(view: view, index: index, position: position, nextOffset: baseOffset)
    return true
  }

  /// Bytes from an index entry on within which the wanted batch begins, as a rule.
  private static let searchBytes = 16 << 10
  /// As large as a batch is by default at most (Kafka's `message.max.bytes`); the first one is
  /// given whole.
  private static let batchBytes = 1 << 20

  /// The segment that may hold `offset`, and a position in it at or before the offset's batch.
  ///
  /// - Returns: With it the end of what the kernel was asked about (`askedBytes` not nil).
  private func locate(
    _ offset: Int64, askedBytes: Int?
  ) throws(LogError) -> (Place, askedEnd: Int)? {
    guard let askedBytes else {
      return try locate(offset, beforeReading: { (_, _, _) in }).map { ($0, Int.max) }
    }
    var asked: Int?
    let byteCount =
      min(max(askedBytes, Self.batchBytes), Int.max - Self.searchBytes) + Self.searchBytes
    let place = try locate(offset) { (view, position, index) in
      let reach = Self.reach(from: position, of: offset, askedBytes: askedBytes, index)
      asked = forgetEvicted(of: view, from: position, byteCount: max(reach, byteCount))
    }
    guard let place else { return nil }
    let isFound = place.nextOffset == offset
    let end =
      asked
      ?? forgetEvicted(
        of: place.view, from: place.position,
        byteCount: isFound ? max(askedBytes, oversizedBytes) : byteCount)
    return (place, end)
  }

  /// How far an answer may reach that begins with the batch of `offset`, as the index tells: the
  /// batches from `position` on up to it, and that batch itself where it is the larger.
  private static func reach(
    from position: Int, of offset: Int64, askedBytes: Int, _ index: OffsetIndex
  ) -> Int {
    let found: OffsetIndex.Bracket?
    do throws(DiskError) {
      found = try index.bracket(offset)
    } catch {
      found = nil  // as far as it may be; the next look-up makes the index from the log (I9)
    }
    guard let entries = found else { return Int.max }
    let start = max(0, entries.above.position - position)
    let batchEnd = entries.next.map { $0.position - position } ?? Int.max
    return max(start + min(askedBytes, Int.max - start), batchEnd)
  }

  private func locate(
    _ offset: Int64, beforeReading: (SegmentView, Int, OffsetIndex) -> Void
  ) throws(LogError) -> Place? {
    if let place, place.nextOffset == offset { return place }
    guard !state.segments.isEmpty else { return nil }
    // Below the first base (a log start within a gap) reading begins at the first segment.
    let index = state.index(of: offset) ?? 0
    let segment = state.segments[index]
    if let place, place.view.segment === segment, place.nextOffset <= offset,
      offset - place.nextOffset < 64
    {
      return place
    }
    let view = try log.access.open(segment)
    let position = try finder.startPosition(in: view, for: offset) { beforeReading(view, $0, $1) }
    return Place(view: view, index: index, position: position, nextOffset: -1)
  }
}

@available(*, unavailable, message: "a reader keeps its place: give each task one of its own")
extension LogReader: Sendable {}
