import RecordFormat

/// Leader epochs never fall along a log; the CRC does not cover them.
enum EpochOrder {
  /// Kafka's "no epoch".
  private static let none: Int32 = -1

  /// Where the epochs of a log's batches decrease, are impossible, or lie between two equal ones.
  /// No record is lost by it.
  static func damage(_ segments: [SegmentOutcome]) -> [DamagedRange] {
    let starts = segments.flatMap { segment in
      segment.epochStarts.filter { $0.epoch != none }.map { (segment.place, $0) }
    }
    var damage: [DamagedRange] = []
    var last: SegmentOutcome.EpochStart?
    for (index, (place, start)) in starts.enumerated() {
      if start.epoch < none {
        damage.append(range(place, start, "is not a valid one"))
      } else if let last, start.epoch != last.epoch, index + 1 < starts.count,
        starts[index + 1].1.epoch == last.epoch
      {
        damage.append(range(place, start, "is between records of epoch \(last.epoch)"))
        // The following batches continue with the epoch before it.
        continue
      } else if let last, start.epoch < last.epoch {
        damage.append(
          range(place, start, "falls from \(last.epoch) at offset \(last.offset)"))
      }
      last = start
    }
    return damage
  }

  private static func range(
    _ place: SegmentPlace, _ start: SegmentOutcome.EpochStart, _ what: String
  ) -> DamagedRange {
    let field = start.position + BatchLayout.partitionLeaderEpoch
    return DamagedRange(
      file: place.toldPath, bytes: field..<field + MemoryLayout<Int32>.size,
      offsets: start.offset..<start.offset,
      reason: "the leader epoch \(start.epoch) at offset \(start.offset) \(what)")
  }
}
