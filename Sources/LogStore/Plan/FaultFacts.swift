/// What is known of an invalid batch when the recovery table is asked about it.
package struct FaultFacts: Sendable, Equatable {
  /// Where it is.
  package enum Place: Sendable, Equatable, CaseIterable {
    /// The store was closed in order: nothing can be unfinished.
    case afterCleanStop
    /// Below the recovery point: it was synced.
    case belowPoint
    /// At or after the point, and this engine wrote from the point on.
    case aboveOwnPoint
    /// At or after a point that says nothing about who wrote beyond it.
    case aboveForeignPoint
  }

  package var place: Place
  /// Whether a valid batch, or another segment, comes after it. Not looked at, and false, above our
  /// own point.
  package var isFollowed: Bool
  /// Whether its bytes can be what an interrupted write leaves.
  package var couldBeUnfinished: Bool
  /// Whether damage was found in the segment before it: those bytes took part in the verdict.
  package var isAfterDamage: Bool
  /// Whether the disk does not give some of its bytes, so that nothing is known of them.
  package var isUnreadable: Bool
  /// Whether an earlier opening found it damaged and noted it in `mkstore.lost`: a verdict stays,
  /// also where the clean stop is forgotten by now that it came from.
  package var isNoted: Bool

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

  /// How the table names it.
  package var fault: SegmentFacts.Fault {
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
