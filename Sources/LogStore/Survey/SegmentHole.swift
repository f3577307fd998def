import DiskIO

/// Judges, by `HoleFacts`, the offsets that are missing after a segment's last batch.
struct SegmentHole {
  private let frame: LogFrame
  private let index: Int

  init(_ frame: LogFrame, _ index: Int) {
    self.frame = frame
    self.index = index
  }

  /// Adds to an outcome what is lost after the segment's end, or that the log is cut there.
  func close(_ outcome: inout SegmentOutcome) {
    guard outcome.cut == nil, !outcome.endsDamaged, !outcome.isGone else { return }
    let place = outcome.place
    let next = frame.nextBase(after: place)
    let reached = outcome.nextOffset
    if let next, reached >= next { return }
    let noted = next.flatMap { next in
      frame.noted.losses.first { (reached..<next).contains($0.offsets?.lowerBound ?? -1) }
    }
    let facts = facts(outcome, isNoted: noted != nil)
    let synced = next.map { min(frame.point.offset, $0) } ?? frame.reachedOffset
    switch facts.verdict {
    case .gap: break
    case .lostBelowPoint:
      lose(reached..<synced, Self.lostBelowPoint, &outcome)
    case .lostBetween:
      lose(reached..<(next ?? synced), SegmentView.missingEnd, &outcome)
    case .lostByEvidence:
      guard let next, let evidence = outcome.evidence else { break }
      let found = evidence.loss(
        in: place.toldPath, at: outcome.position, from: reached, before: next)
      lose(reached..<next, found.reason, &outcome)
    case .lostAsNoted:
      guard let noted, let range = frame.loss(noted) else { break }
      outcome.damage.append(range)
    }
    if facts.isCut, let next {
      outcome.rows.append(row(.aboveOwnPoint))
      let first = max(reached, frame.point.offset)
      outcome.cut = .init(
        position: outcome.position, offset: outcome.nextOffset,
        reason: "offsets \(first) to \(next - 1) are missing before the next segment")
    }
  }

  static let lostBelowPoint = "the file ends before the offset that the log had reached"

  private func facts(_ outcome: SegmentOutcome, isNoted: Bool) -> HoleFacts {
    let next = frame.nextBase(after: outcome.place)
    return HoleFacts(
      isLast: next == nil, isOwnUnclean: frame.isOwnUnclean,
      isAtPoint: index >= frame.firstWalked, isGapless: frame.rules.isGapless,
      endsBelowPoint: outcome.nextOffset < (next == nil ? frame.reachedOffset : frame.point.offset),
      isNextBelowPoint: next.map {
        frame.isCopy || frame.isCleanStop || $0 <= frame.point.offset
      } ?? false,
      hasEvidence: outcome.evidence != nil && next != nil, isNoted: isNoted)
  }

  private func lose(_ offsets: Range<Int64>, _ reason: String, _ outcome: inout SegmentOutcome) {
    let end = outcome.position
    let range = DamagedRange(
      file: outcome.place.toldPath, bytes: end..<end, offsets: offsets, reason: reason)
    guard let range = frame.loss(range) else { return }
    outcome.damage.append(range)
    outcome.rows.append(row(.belowRecoveryPoint))
    outcome.nextOffset = offsets.upperBound
    outcome.endsDamaged = true
  }

  private func row(_ fault: SegmentFacts.Fault) -> RecoveryRow {
    SegmentFacts(
      isCleanStop: frame.isCleanStop, isEmpty: false,
      isLast: index + 1 == frame.places.count, reachesRecoveryPoint: true, areIndexesSane: true,
      fault: fault
    ).row
  }
}
