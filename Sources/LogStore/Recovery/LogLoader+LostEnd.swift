internal import DiskIO

/// Telling of records that stood behind the end of a broker's segment; see `EndEvidence`. What is
/// told changes nothing of how the log goes on.
extension LogLoader {
  /// Before a segment's indexes are brought in line with its log, since they tell what is missing.
  mutating func noteLostEnd(
    of segment: Segment, _ outcome: SegmentRecovery.Outcome, size: Int
  ) {
    guard isEndTold else { return }
    let damagedEnd = outcome.endsDamaged ? outcome.damage.last?.bytes.lowerBound : nil
    let end = outcome.cut?.position ?? outcome.position
    let largest = outcome.index.cursor.largest.timestamp
    let found = evidence(
      of: segment,
      behind: EndEvidence.End(
        offset: outcome.nextOffset, position: damagedEnd ?? end,
        largestTimestamp: largest < 0 ? nil : largest, size: size))
    guard let next = base(after: segment) else {
      tail.evidence = found
      return
    }
    guard let found, outcome.nextOffset < next else { return }
    report.damage.append(
      found.loss(in: segment.path(.log), at: end, from: outcome.nextOffset, before: next))
  }

  /// The same of a segment without a byte.
  ///
  /// - Returns: Whether something stood in it.
  mutating func noteLostContent(of segment: Segment) -> Bool {
    let base = segment.baseOffset
    let start = EndEvidence.End(offset: base, position: 0, size: 0)
    guard isEndTold, let found = evidence(of: segment, behind: start) else { return false }
    if let next = self.base(after: segment) {
      report.damage.append(
        found.loss(in: segment.path(.log), at: 0, from: base, before: max(base, next)))
    } else {
      tail.evidence = found
    }
    return true
  }

  /// What stood behind the last segment's end.
  mutating func noteLostTail(_ layout: SegmentLayout, from end: Int64) {
    guard isEndTold, let last = segments.last else { return }
    let found = EndEvidence.further(tail.evidence, evidence(of: layout, behind: end))
    guard let found, found.nextOffset > end else { return }
    let position = last.isEndKnown ? Int(last.publishedEnd.position) : 0
    report.damage.append(
      found.loss(in: last.path(.log), at: position, from: end, before: nil))
  }

  /// Offset that a log without a segment had reached.
  mutating func reachedOffset(_ layout: SegmentLayout) -> Int64 {
    guard isEndTold, segments.isEmpty else { return 0 }
    return evidence(of: layout, behind: 0)?.nextOffset ?? 0
  }

  private mutating func evidence(
    of segment: Segment, behind end: EndEvidence.End
  ) -> EndEvidence? {
    // A replacement that a reader meets has its indexes under other names.
    guard segment.path(.log).hasSuffix(".\(SegmentName.Kind.log.rawValue)") else { return nil }
    do throws(DiskError) {
      return try EndEvidence.inIndexes(of: segment.baseOffset, behind: end, in: directory)
    } catch {
      report.notes.append("what stood behind the end is not known: \(error)")
      return nil
    }
  }

  private mutating func evidence(of layout: SegmentLayout, behind end: Int64) -> EndEvidence? {
    do throws(DiskError) {
      return try EndEvidence.inSnapshots(layout.snapshots, behind: end, in: directory)
    } catch {
      report.notes.append("what stood behind the end is not known: \(error)")
      return nil
    }
  }

  private func base(after segment: Segment) -> Int64? {
    segments.first { $0.baseOffset > segment.baseOffset }?.baseOffset
  }
}
