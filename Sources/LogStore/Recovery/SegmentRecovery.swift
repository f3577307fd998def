package import DiskIO
internal import RecordFormat

/// Walks one segment from a start to its end and decides about every invalid batch by the recovery
/// table. Changes nothing on disk; `LogLoader` carries out what it finds.
package struct SegmentRecovery {
  /// What the walk needs to know about the segment's surroundings.
  package struct Setting {
    package var segment: Segment
    package var log: any DiskFile
    package var size: Int
    package var isLast: Bool
    package var isCleanStop: Bool
    package var point: RecoveryPoint
    /// Base offset of the next segment, where there is one.
    package var nextBaseOffset: Int64?
    package var intervalBytes: Int
    package var areIndexesSane: Bool
    /// Whether any valid batch stands in a later segment.
    package var isFollowedByValid: () throws(DiskError) -> Bool
  }

  /// What the walk found.
  package struct Outcome {
    /// Position behind the last byte that belongs to the log, and the offset that follows.
    package var position: Int
    package var nextOffset: Int64
    /// Where and why the file is to be cut, if it is.
    package var cut: (position: Int, reason: String)?
    package var damage: [DamagedRange] = []
    /// Whether damaged bytes stand at the end, so that nothing may be appended behind them.
    package var endsDamaged = false
    package var rows: [RecoveryRow] = []
    package var index: IndexAccumulator
    /// Leading entries of the existing indexes that are kept.
    package var kept: IndexProbe.Prefix
    package var scanStart: Int
    /// Runs of valid batches.
    package var verified: [Range<Int>] = []
  }

  private let setting: Setting

  package init(_ setting: Setting) { self.setting = setting }

  /// Walks from `start` (nil: the segment's first byte).
  package func run(from start: WalkStart?) throws(DiskError) -> Outcome {
    let base = setting.segment.baseOffset
    let position = start?.position ?? 0
    let kept = start?.prefix ?? .none
    let cursor = start.map {
      IndexCursor(lastIndexedPosition: kept.lastOffset?.position ?? 0, largest: $0.largest)
    }
    var outcome = Outcome(
      position: position, nextOffset: start?.offset ?? base,
      index: IndexAccumulator(
        baseOffset: base, intervalBytes: setting.intervalBytes, cursor: cursor,
        lastTimestamp: kept.lastTime?.timestamp ?? -1),
      kept: kept, scanStart: position)
    var scanner = SegmentScanner(
      setting.log, from: position, endPosition: setting.size, expectedOffset: outcome.nextOffset,
      offsetLimit: setting.nextBaseOffset ?? SegmentScanner.offsetLimit(after: base))
    try walk(&scanner, &outcome)
    noteMissingEnd(&outcome)
    if outcome.rows.isEmpty { outcome.rows = [row(fault: nil)] }
    return outcome
  }

  private func walk(_ scanner: inout SegmentScanner, _ outcome: inout Outcome) throws(DiskError) {
    var runStart = outcome.position
    while true {
      switch try scanner.next() {
      case .batch(let header, let position):
        outcome.index.note(header, at: position)
        outcome.position = position + header.byteCount
        outcome.nextOffset = header.nextOffset
      case .end:
        outcome.verified.append(runStart..<outcome.position)
        return
      case .invalid(let fault, let position):
        outcome.verified.append(runStart..<position)
        guard try decide(fault, at: position, &scanner, &outcome) else { return }
        runStart = outcome.position
      }
    }
  }

  /// Decides about an invalid batch. Returns whether the walk goes on behind it.
  private func decide(
    _ fault: BatchFault, at position: Int, _ scanner: inout SegmentScanner,
    _ outcome: inout Outcome
  ) throws(DiskError) -> Bool {
    let expected = outcome.nextOffset
    let isPromised = setting.isCleanStop || expected < setting.point.offset
    if !isPromised && setting.point.isOwn {
      outcome.rows.append(row(fault: .aboveOwnPoint))
      outcome.cut = (position, fault.description)
      return false
    }
    let (skipped, next) = try scanner.resume()
    if !isPromised, next == nil, try !setting.isFollowedByValid() {
      outcome.rows.append(row(fault: .aboveForeignPointLast))
      outcome.cut = (position, fault.description)
      return false
    }
    outcome.rows.append(
      row(fault: isPromised ? .belowRecoveryPoint : .aboveForeignPointFollowed))
    let end = next?.baseOffset ?? setting.nextBaseOffset ?? max(setting.point.offset, expected)
    outcome.damage.append(
      DamagedRange(
        file: setting.segment.path(.log), bytes: skipped, offsets: expected..<max(expected, end),
        reason: fault.description))
    outcome.position = skipped.upperBound
    outcome.nextOffset = max(expected, end)
    outcome.endsDamaged = next == nil
    return next != nil
  }

  /// The last segment may end, between two batches, before the durable point: those records are
  /// lost.
  private func noteMissingEnd(_ outcome: inout Outcome) {
    guard setting.isLast, outcome.cut == nil, !outcome.endsDamaged,
      outcome.nextOffset < setting.point.offset
    else { return }
    outcome.damage.append(
      DamagedRange(
        file: setting.segment.path(.log), bytes: outcome.position..<outcome.position,
        offsets: outcome.nextOffset..<setting.point.offset,
        reason: "the file ends before the offset up to which it was synced"))
    outcome.rows.append(row(fault: .belowRecoveryPoint))
    outcome.nextOffset = setting.point.offset
    outcome.endsDamaged = true
  }

  private func row(fault: SegmentFacts.Fault?) -> RecoveryRow {
    SegmentFacts(
      isCleanStop: setting.isCleanStop, isEmpty: false, isLast: setting.isLast,
      reachesRecoveryPoint: true, areIndexesSane: setting.areIndexesSane, fault: fault
    ).row
  }
}
