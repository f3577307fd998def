/// What is known of offsets that are missing behind a segment's last batch, though no byte of it is
/// invalid.
package struct HoleFacts: Sendable, Equatable {
  /// What becomes of them.
  package enum Verdict: Sendable, Equatable, CaseIterable {
    /// Nothing is missing, or what compaction leaves.
    case gap
    /// Synced offsets up to the recovery point (or the next segment) are lost.
    case lostBelowPoint
    /// Offsets up to the next segment are lost: the log's writer leaves no gap.
    case lostBetween
    /// Offsets are lost that other files tell of.
    case lostByEvidence
    /// An earlier opening noted the loss in `mkstore.lost`.
    case lostAsNoted
  }

  /// Whether no segment follows.
  package var isLast: Bool
  /// Whether this engine was writing when the last session ended.
  package var isOwnUnclean: Bool
  /// Whether the segment is one that opening walks over: it holds the recovery point or lies above.
  package var isAtPoint: Bool
  /// Whether this engine alone has written the log, so that no gap is right.
  package var isGapless: Bool
  /// Whether the segment ends before the recovery point.
  package var endsBelowPoint: Bool
  /// Whether the next segment begins at or below the recovery point, or nothing before it can be
  /// unfinished: the store was closed in order, or the log is a copy.
  package var isNextBelowPoint: Bool
  package var hasEvidence: Bool
  package var isNoted: Bool

  /// What becomes of the missing offsets.
  package var verdict: Verdict {
    if isLast { return endsBelowPoint ? .lostBelowPoint : .gap }
    if isGapless, isNextBelowPoint { return .lostBetween }
    if isOwnUnclean, isAtPoint, endsBelowPoint { return .lostBelowPoint }
    if isNoted { return .lostAsNoted }
    return hasEvidence ? .lostByEvidence : .gap
  }

  /// Whether what follows is cut off: this engine leaves no gap, so a power cut took the segment's
  /// unsynced end and left the next one's name; what is there was promised to nobody.
  package var isCut: Bool { isOwnUnclean && isAtPoint && !isLast && !isNextBelowPoint }
}
