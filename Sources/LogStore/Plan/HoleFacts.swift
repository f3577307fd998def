/// The facts about offsets that are missing after a segment's last batch although no byte of it is
/// invalid.
struct HoleFacts: Sendable, Equatable {
  /// How they are judged.
  enum Verdict: Sendable, Equatable, CaseIterable {
    /// Nothing is missing, or compaction removed it.
    case gap
    /// Synced offsets up to the recovery point (or the next segment) are lost.
    case lostBelowPoint
    /// Offsets up to the next segment are lost: this log has no gaps.
    case lostBetween
    /// Offsets are lost by the evidence of other files.
    case lostByEvidence
    /// An earlier opening recorded the loss in `mkstore.lost`.
    case lostAsNoted
  }

  /// Whether no segment follows.
  var isLast: Bool
  /// Whether this engine was writing when the last session ended.
  var isOwnUnclean: Bool
  /// Whether opening walks over the segment: it contains the recovery point or is above it.
  var isAtPoint: Bool
  /// Whether only this engine has written the log, so any gap is damage.
  var isGapless: Bool
  /// Whether the segment ends before the recovery point.
  var endsBelowPoint: Bool
  /// Whether the next segment begins at or below the recovery point, or nothing before it can be
  /// unfinished: the store was closed cleanly, or the log is a copy.
  var isNextBelowPoint: Bool
  var hasEvidence: Bool
  var isNoted: Bool

  /// How the missing offsets are judged.
  var verdict: Verdict {
    if isLast { return endsBelowPoint ? .lostBelowPoint : .gap }
    if isGapless, isNextBelowPoint { return .lostBetween }
    if isOwnUnclean, isAtPoint, endsBelowPoint { return .lostBelowPoint }
    if isNoted { return .lostAsNoted }
    return hasEvidence ? .lostByEvidence : .gap
  }

  /// Whether what follows is cut off. This engine leaves no gap, so a power cut took the segment's
  /// unsynced end and kept the next one's name; the records there were never acknowledged.
  var isCut: Bool { isOwnUnclean && isAtPoint && !isLast && !isNextBelowPoint }
}
