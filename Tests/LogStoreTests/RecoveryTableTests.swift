import StoreTesting
import Testing

@testable import LogStore

/// Every combination of what is known of a segment meets exactly one row, and the right one.
@Suite struct RecoveryTableTests {
  /// The table of docs/durability.md#recovery once more, row by row, as conditions of their own.
  /// Said independently of `SegmentFacts.row`, which asks in an order.
  static let statement: [(row: RecoveryRow, holds: @Sendable (SegmentFacts) -> Bool)] = [
    (.r1, { $0.isCleanStop && !$0.isEmpty && $0.areIndexesSane && $0.fault == nil }),
    (.r2, { $0.isCleanStop && !$0.isEmpty && (!$0.areIndexesSane || $0.fault != nil) }),
    (.r3, { isUnclean($0) && isBelow($0) && $0.areIndexesSane && $0.fault == nil }),
    (.r4, { isUnclean($0) && isBelow($0) && (!$0.areIndexesSane || $0.fault != nil) }),
    (.r5, { isUnclean($0) && !isBelow($0) && $0.fault == nil }),
    (.r6, { isUnclean($0) && !isBelow($0) && $0.fault == .aboveOwnPoint }),
    (.r7, { isUnclean($0) && !isBelow($0) && $0.fault == .belowRecoveryPoint }),
    (.r8, { $0.isEmpty && $0.isLast }),
    (.r9, { $0.isEmpty && !$0.isLast }),
    (.r10, { isUnclean($0) && !isBelow($0) && $0.fault == .aboveForeignPointFollowed }),
    (.r11, { isUnclean($0) && !isBelow($0) && $0.fault == .aboveForeignPointLast }),
  ]

  private static func isUnclean(_ facts: SegmentFacts) -> Bool {
    !facts.isCleanStop && !facts.isEmpty
  }

  private static func isBelow(_ facts: SegmentFacts) -> Bool { !facts.reachesRecoveryPoint }

  static let all: [SegmentFacts] = {
    let flags = [false, true]
    let faults: [SegmentFacts.Fault?] = [nil] + SegmentFacts.Fault.allCases
    return flags.flatMap { isCleanStop in
      flags.flatMap { isEmpty in
        flags.flatMap { isLast in
          flags.flatMap { reaches in
            flags.flatMap { isSane in
              faults.map {
                SegmentFacts(
                  isCleanStop: isCleanStop, isEmpty: isEmpty, isLast: isLast,
                  reachesRecoveryPoint: reaches, areIndexesSane: isSane, fault: $0)
              }
            }
          }
        }
      }
    }
  }()

  @Test func everyCombinationMeetsExactlyOneRow() {
    #expect(Self.all.count == 160)
    var met: Set<RecoveryRow> = []
    for facts in Self.all {
      let rows = Self.statement.filter { $0.holds(facts) }.map(\.row)
      #expect(rows.count == 1, "\(facts): \(rows)")
      #expect(rows == [facts.row], "\(facts)")
      met.formUnion(rows)
    }
    #expect(met == Set(RecoveryRow.allCases))
  }

  @Test func onlyR6AndR11Cut() {
    // R7, R10: what follows damage is never deleted; R2, R4: an invalid batch there is damage.
    for facts in Self.all where !facts.isEmpty {
      let mayCut = [RecoveryRow.r6, .r11].contains(facts.row)
      let isUnpromised = facts.fault == .aboveOwnPoint || facts.fault == .aboveForeignPointLast
      if mayCut { #expect(isUnpromised && !facts.isCleanStop, "\(facts)") }
    }
  }
}
