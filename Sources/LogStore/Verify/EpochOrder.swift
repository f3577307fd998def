import RecordFormat

/// Leader epochs never fall along a log; the CRC does not cover them.
enum EpochOrder {
  /// Kafka's "no epoch".
  private static let none: Int32 = -1

  /// Where the epochs of a log's batches fall, or are none that can be. No record is lost with it.
  static func damage(
    _ plans: [SegmentPlan], _ segments: [SegmentFindings]
  ) -> [DamagedRange] {
    var damage: [DamagedRange] = []
    var highest: SegmentFindings.EpochStart?
    for (plan, segment) in zip(plans, segments) {
      for start in segment.epochStarts where start.epoch != none {
        if let highest, start.epoch < highest.epoch {
          damage.append(
            range(plan, start, "falls from \(highest.epoch) at offset \(highest.offset)"))
        } else if start.epoch < none {
          damage.append(range(plan, start, "is none that can be"))
        }
        highest = start
      }
    }
    return damage
  }

  private static func range(
    _ plan: SegmentPlan, _ start: SegmentFindings.EpochStart, _ what: String
  ) -> DamagedRange {
    let field = start.position + BatchLayout.partitionLeaderEpoch
    return DamagedRange(
      file: plan.path, bytes: field..<field + MemoryLayout<Int32>.size,
      offsets: start.offset..<start.offset,
      reason: "the leader epoch \(start.epoch) at offset \(start.offset) \(what)")
  }
}
