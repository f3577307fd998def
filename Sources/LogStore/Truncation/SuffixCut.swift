internal import DiskIO
internal import RecordFormat

/// Where a log is cut so that it ends before an offset, and the resulting new last segment.
struct SuffixCut {
  /// Base offset of the log's last segment after the cut.
  private(set) var lastBase: Int64
  /// Where the log ends after the cut; below the requested offset if no batch ends there.
  private(set) var endOffset: Int64
  /// Whether that segment is a new file, complete under its `.cleaned` names.
  private(set) var isReplaced: Bool
  /// Base offset of the first removed segment.
  private(set) var firstGone: Int64

  /// Finds the place, and writes the new last segment if the cut is within one. The log itself
  /// stays unchanged.
  ///
  /// - Throws: `.insideBatch` if the offset is neither a batch's first nor the log's start;
  ///   `.corrupt` if it is within damage; `.disk`, `.diskFull`.
  init(_ log: Log, from offset: Int64) throws(LogError) {
    let state = log.store.state
    let start = state.startOffset
    let segment = state.index(of: offset).map { state.segments[$0] }
    guard offset > start, let segment else {
      // No record remains.
      (lastBase, endOffset, isReplaced) = (offset, offset, true)
      firstGone = segment?.baseOffset ?? offset
      try makeSegment(log, nil, 0, isDamaged: false)
      return
    }
    let view = try log.access.open(segment)
    let place = try Self.find(offset, in: view)
    lastBase = view.segment.baseOffset
    endOffset = max(start, place.endOffset)
    isReplaced = place.position < place.size
    firstGone = lastBase + (isReplaced ? 0 : 1)
    if isReplaced { try makeSegment(log, view, place.position, isDamaged: place.isDamaged) }
  }

  private struct Place {
    var position = 0
    var size: Int
    var endOffset: Int64
    /// Whether damage comes before it.
    var isDamaged = false
  }

  private static func find(_ offset: Int64, in view: SegmentView) throws(LogError) -> Place {
    let size = Int(try view.end().position)
    let place: Result<Place, LogError>
    do throws(DiskError) {
      place = try look(offset, in: view, size: size)
    } catch {
      throw LogError(error)
    }
    return try place.get()
  }

  private static func look(
    _ offset: Int64, in view: SegmentView, size: Int
  ) throws(DiskError) -> Result<Place, LogError> {
    let bounds = view.bounds
    var place = Place(size: size, endOffset: view.segment.baseOffset)
    var scanner = try view.scanner(from: 0, end: size, bounds)
    while true {
      switch try scanner.next() {
      case .batch(let header, let position):
        guard header.baseOffset < offset else { return .success(place) }
        guard header.nextOffset <= offset else {
          return .failure(
            .insideBatch(offset: offset, batch: header.baseOffset..<header.nextOffset))
        }
        place.position = position + header.byteCount
        place.endOffset = header.nextOffset
      case .invalid(let fault, _):
        let expected = scanner.expectedOffset
        let skipped = try scanner.resume().skipped
        guard expected < offset else { return .success(place) }
        let reached = max(expected, scanner.offsetBehindDamage ?? bounds.limit)
        guard reached <= offset else {
          return .failure(
            .corrupt(
              DamagedRange(
                file: view.segment.path(.log), bytes: skipped, offsets: expected..<reached,
                reason: fault.description)))
        }
        place.position = skipped.upperBound
        place.endOffset = reached
        place.isDamaged = true
      case .end:
        return .success(place)
      }
    }
  }

  /// Writes the new last segment: everything before the cut.
  private func makeSegment(
    _ log: Log, _ view: SegmentView?, _ position: Int, isDamaged: Bool
  ) throws(LogError) {
    let directory = log.environment.directory
    let aborted = try view.map { (view) throws(LogError) in
      try log.producers.transactionIndex(of: view.segment).filter { $0.lastOffset < endOffset }
    }
    do throws(DiskError) {
      var writer = try ReplacementWriter(
        baseOffset: lastBase, in: directory, intervalBytes: log.config.indexIntervalBytes)
      if let view { try writer.append(0..<position, of: view.files.log) }
      writer.aborted = aborted ?? []
      _ = try writer.finish(isDamaged: isDamaged)
      // Before the truncation is committed.
      try directory.disk.syncDirectory(directory.path)
    } catch {
      throw LogError(error)
    }
  }
}
