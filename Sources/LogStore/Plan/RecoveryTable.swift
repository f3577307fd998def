/// The recovery table of docs/durability.md: each segment, and each fault in it, matches one row.
package enum RecoveryRow: String, Sendable, CaseIterable {
  /// Clean stop, sane indexes: open as is.
  case r1 = "R1"
  /// Clean stop, missing or insane indexes: rebuild; an invalid batch is damage.
  case r2 = "R2"
  /// Entirely below the recovery point, sane indexes: open as is.
  case r3 = "R3"
  /// Entirely below the recovery point, missing or insane indexes: rebuild; an invalid batch is
  /// damage.
  case r4 = "R4"
  /// Reaches the recovery point, all batches valid: scan from it, rebuild index entries there.
  case r5 = "R5"
  /// Invalid at or after our own recovery point: cut, keep the bytes in `.bad/`, report.
  case r6 = "R6"
  /// Invalid below the recovery point: never cut; report it and serve the rest.
  case r7 = "R7"
  /// Empty, last: keep as the active segment.
  case r8 = "R8"
  /// Empty, between others: remove with its indexes. The first segment stays: its name is the
  /// log's start.
  case r9 = "R9"
  /// Invalid at or after a recovery point that is not ours, valid batches or another
  /// segment follow, or it cannot be an unfinished write: as R7.
  case r10 = "R10"
  /// The same, nothing valid follows: as R6.
  case r11 = "R11"
  /// Unreadable bytes at or after a recovery point, ours or not: as R7. Their content is unknown.
  case r12 = "R12"
  /// Invalid at or after a recovery point, ours or not, but recorded as damage by an earlier
  /// opening: as R7. It cannot be an unfinished write of a later session.
  case r13 = "R13"

  /// What is done with an invalid batch that matches the row.
  enum Treatment: Sendable, Equatable {
    /// Damage: marked, and the rest is served.
    case fence
    /// An unfinished write: cut off with everything that follows, and kept in `.bad/`.
    case cut
  }

  /// What is done with an invalid batch that matches the row.
  var treatment: Treatment {
    switch self {
    case .r6, .r11: .cut
    case .r1, .r2, .r3, .r4, .r5, .r7, .r8, .r9, .r10, .r12, .r13: .fence
    }
  }
}

/// The facts about a segment from which its row is determined.
package struct SegmentFacts: Sendable, Equatable {
  /// The kind of the first invalid batch, by `FaultFacts`.
  package enum Fault: Sendable, Equatable, CaseIterable {
    case belowRecoveryPoint
    /// At or after the point, and this engine wrote from the point on.
    case aboveOwnPoint
    /// At or after a point that does not say who wrote after it.
    case aboveForeignPointFollowed
    case aboveForeignPointLast
    /// At or after a point, with bytes that the disk cannot read.
    case unreadable
    /// At or after a point, and recorded as damage by an earlier opening.
    case noted
  }

  /// Whether the clean-shutdown marker was present.
  var isCleanStop: Bool
  package var isEmpty: Bool
  package var isLast: Bool
  /// Whether the segment contains the recovery point or is above it.
  var reachesRecoveryPoint: Bool
  var areIndexesSane: Bool
  /// nil if everything surveyed is valid.
  package var fault: Fault?

  package init(
    isCleanStop: Bool, isEmpty: Bool, isLast: Bool, reachesRecoveryPoint: Bool,
    areIndexesSane: Bool, fault: Fault?
  ) {
    self.isCleanStop = isCleanStop
    self.isEmpty = isEmpty
    self.isLast = isLast
    self.reachesRecoveryPoint = reachesRecoveryPoint
    self.areIndexesSane = areIndexesSane
    self.fault = fault
  }

  /// The row that applies.
  package var row: RecoveryRow {
    if isEmpty { return isLast ? .r8 : .r9 }
    if isCleanStop { return areIndexesSane && fault == nil ? .r1 : .r2 }
    guard reachesRecoveryPoint else { return areIndexesSane && fault == nil ? .r3 : .r4 }
    switch fault {
    case nil: return .r5
    case .belowRecoveryPoint: return .r7
    case .aboveOwnPoint: return .r6
    case .aboveForeignPointFollowed: return .r10
    case .aboveForeignPointLast: return .r11
    case .unreadable: return .r12
    case .noted: return .r13
    }
  }
}
