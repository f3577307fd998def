/// The facts about an invalid batch from which the recovery table decides.
package struct FaultFacts: Sendable, Equatable {
  /// Where it is.
  package enum Place: Sendable, Equatable, CaseIterable {
    /// The store was closed cleanly: nothing can be unfinished.
    case afterCleanStop
    /// Below the recovery point: it was synced.
    case belowPoint
    /// At or after the point, and this engine wrote from the point on.
    case aboveOwnPoint
    /// At or after a point that does not say who wrote after it.
    case aboveForeignPoint
  }

  package var place: Place
  /// Whether a valid batch, or another segment, comes after it. Not determined, and false, above
  /// our own point.
  var isFollowed: Bool
  /// Whether an interrupted write can have left its bytes.
  var couldBeUnfinished: Bool
  /// Whether damage precedes it in the segment. Never truncate after damage: the later bytes
  /// determined where it ends.
  var isAfterDamage: Bool
  /// Whether the disk cannot read some of its bytes, so that their content is unknown.
  package var isUnreadable: Bool
  /// Whether an earlier opening found it damaged and recorded it in `mkstore.lost`. The verdict
  /// stays even if the clean stop that it was based on is no longer known.
  var isNoted: Bool

  package init(
    place: Place, isFollowed: Bool = false, couldBeUnfinished: Bool = true,
    isAfterDamage: Bool = false, isUnreadable: Bool = false, isNoted: Bool = false
  ) {
    self.place = place
    self.isFollowed = isFollowed
    self.couldBeUnfinished = couldBeUnfinished
    self.isAfterDamage = isAfterDamage
    self.isUnreadable = isUnreadable
    self.isNoted = isNoted
  }

  /// The table's name for it.
  var fault: SegmentFacts.Fault {
    switch place {
    case .afterCleanStop, .belowPoint: .belowRecoveryPoint
    case .aboveOwnPoint where isUnreadable, .aboveForeignPoint where isUnreadable: .unreadable
    case .aboveOwnPoint: isNoted ? .noted : .aboveOwnPoint
    case .aboveForeignPoint:
      isNoted
        ? .noted
        : isFollowed || !couldBeUnfinished || isAfterDamage
          ? .aboveForeignPointFollowed : .aboveForeignPointLast
    }
  }
}
