import DiskIO

/// Judges, by `HoleFacts`, the offsets that are missing behind a segment's last batch.
struct SegmentHole {
  private let frame: LogFrame
  private let index: Int

  init(_ frame: LogFrame, _ index: Int) {
    self.frame = frame
    self.index = index
  }

  /// Adds to an outcome what is lost behind the segment's end, or that the log is cut there.
  func close(_ outcome: inout SegmentOutcome) {
    guard outcome.cut == nil, !outcome.endsDamaged, !outcome.isGone else { return }
    let place = outcome.place
    let next = place.nextBaseOffset
    let reached = outcome.nextOffset
    if let next, reached >= next { return }
    let noted = frame.noted.first { $0.offsets?.lowerBound == reached }
    let facts = facts(outcome, isNoted: noted != nil)
    let synced = next.map { min(frame.point.offset, $0) } ?? frame.reachedOffset
    switch facts.verdict {
    case .gap: break
    case .lostBelowPoint:
      lose(reached..<synced, Self.lostBelowPoint, &outcome)
      if !facts.isGapless, next.map({ $0 <= synced }) ?? false { markUntold(&outcome) }
    case .lostBetween:
      lose(reached..<(next ?? synced), SegmentView.missingEnd, &outcome)
    case .lostByEvidence:
      guard let next, let evidence = outcome.evidence else { break }
      let found = evidence.loss(
        in: place.logPath, at: outcome.position, from: reached, before: next)
      lose(reached..<next, found.reason, &outcome)
      markUntold(&outcome)
    case .lostAsNoted:
      // At the log's end a plan tells it, once it is known where that is.
      guard next != nil, let noted, let range = frame.loss(noted) else { break }
      outcome.damage.append(range)
      outcome.untold.append(range)
    }
    if facts.isCut, let next {
      outcome.rows.append(row(.aboveOwnPoint))
      let first = max(reached, frame.point.offset)
      outcome.cut = .init(
        position: outcome.position, offset: outcome.nextOffset,
        reason: "offsets \(first) to \(next - 1) are missing before the next segment")
    }
  }

  private static let lostBelowPoint = "the file ends before the offset that the log had reached"

  private func facts(_ outcome: SegmentOutcome, isNoted: Bool) -> HoleFacts {
    let next = outcome.place.nextBaseOffset
    return HoleFacts(
      isLast: next == nil, isOwnUnclean: frame.isOwnUnclean,
      isAtPoint: index >= frame.firstWalked, isGapless: frame.rules.isGapless,
      endsBelowPoint: outcome.nextOffset < (next == nil ? frame.reachedOffset : frame.point.offset),
      isNextBelowPoint: next.map { frame.isCopy || $0 <= frame.point.offset } ?? false,
      hasEvidence: outcome.evidence != nil && next != nil, isNoted: isNoted)
  }

  private func lose(_ offsets: Range<Int64>, _ reason: String, _ outcome: inout SegmentOutcome) {
    let end = outcome.position
    let range = DamagedRange(
      file: outcome.place.logPath, bytes: end..<end, offsets: offsets, reason: reason)
    guard let range = frame.loss(range) else { return }
    outcome.damage.append(range)
    outcome.rows.append(row(.belowRecoveryPoint))
    outcome.nextOffset = offsets.upperBound
    outcome.endsDamaged = true
  }

  private func markUntold(_ outcome: inout SegmentOutcome) {
    if let last = outcome.damage.last { outcome.untold.append(last) }
  }

  private func row(_ fault: SegmentFacts.Fault) -> RecoveryRow {
    SegmentFacts(
      isCleanStop: frame.isCleanStop, isEmpty: false,
      isLast: index + 1 == frame.places.count, reachesRecoveryPoint: true, areIndexesSane: true,
      fault: fault
    ).row
  }
}
