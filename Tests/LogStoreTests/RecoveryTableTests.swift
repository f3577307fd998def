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
    (.r12, { isUnclean($0) && !isBelow($0) && $0.fault == .unreadable }),
    (.r13, { isUnclean($0) && !isBelow($0) && $0.fault == .noted }),
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
    #expect(Self.all.count == 224)
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
    // R7, R10, R12, R13: what follows damage is never deleted; R2, R4: it is damage.
    for facts in Self.all where !facts.isEmpty {
      let mayCut = [RecoveryRow.r6, .r11].contains(facts.row)
      let isUnpromised = facts.fault == .aboveOwnPoint || facts.fault == .aboveForeignPointLast
      if mayCut { #expect(isUnpromised && !facts.isCleanStop, "\(facts)") }
    }
  }

  // MARK: Invalid batches and missing offsets

  /// What is cut is what nobody was promised and an interrupted write can have left.
  @Test func everyInvalidBatchIsCutOrFencedByTheTable() {
    var cuts = 0
    for place in FaultFacts.Place.allCases {
      for number in 0..<32 {
        let bits = (0..<5).map { number >> $0 & 1 == 1 }
        let facts = FaultFacts(
          place: place, isFollowed: bits[0], couldBeUnfinished: bits[1], isAfterDamage: bits[2],
          isUnreadable: bits[3], isNoted: bits[4])
        let row = SegmentFacts(
          isCleanStop: place == .afterCleanStop, isEmpty: false, isLast: !facts.isFollowed,
          reachesRecoveryPoint: true, areIndexesSane: true, fault: facts.fault
        ).row
        let isForeignEnd =
          !facts.isFollowed && facts.couldBeUnfinished && !facts.isAfterDamage
        let isCut =
          !facts.isUnreadable && !facts.isNoted
          && (place == .aboveOwnPoint || place == .aboveForeignPoint && isForeignEnd)
        #expect((row.treatment == .cut) == isCut, "\(facts): \(row)")
        cuts += isCut ? 1 : 0
      }
    }
    #expect(cuts == 9)
  }

  /// Every combination: synced offsets are lost, whatever else is known; a gap needs that nothing
  /// speaks against it; only our own unsynced end is cut.
  @Test func everyHoleIsLostOrAGapByTheTable() {
    var met: Set<String> = []
    for number in 0..<256 {
      let bits = (0..<8).map { number >> $0 & 1 == 1 }
      let facts = HoleFacts(
        isLast: bits[0], isOwnUnclean: bits[1], isAtPoint: bits[2], isGapless: bits[3],
        endsBelowPoint: bits[4], isNextBelowPoint: bits[5], hasEvidence: bits[6],
        isNoted: bits[7])
      met.insert("\(facts.verdict)")
      let isPromised =
        facts.isLast
        ? facts.endsBelowPoint
        : facts.isGapless && facts.isNextBelowPoint
          || facts.isOwnUnclean && facts.isAtPoint && facts.endsBelowPoint
      let isTold = !facts.isLast && (facts.isNoted || facts.hasEvidence)
      #expect((facts.verdict == .gap) == !(isPromised || isTold), "\(facts)")
      if isPromised {
        #expect([.lostBelowPoint, .lostBetween].contains(facts.verdict), "\(facts)")
      }
      if facts.isCut { #expect(facts.isOwnUnclean && !facts.isLast && !facts.isNextBelowPoint) }
    }
    #expect(met.count == HoleFacts.Verdict.allCases.count)
  }
}
