internal import Synchronization

/// The known damaged ranges of one segment. Any thread.
final class SegmentDamage: Sendable {
  private let list = Locked<[DamagedRange]>([])
  /// How many there are; stored with release after the list, loaded with acquire before it.
  private let count = Atomic<Int>(0)

  init() {}

  /// By position.
  var ranges: [DamagedRange] {
    count.load(ordering: .acquiring) == 0 ? [] : list.withLock { $0 }
  }

  /// Removes ranges of missing bytes whose offsets are covered by now.
  func forgetMissing(_ offsets: Range<Int64>) {
    list.withLock { ranges in
      ranges.removeAll { $0.bytes.isEmpty && $0.offsets?.overlaps(offsets) ?? false }
      count.store(ranges.count, ordering: .releasing)
    }
  }

  /// Records a damaged range; the same one twice counts once. Returns whether it is new.
  func add(_ range: DamagedRange) -> Bool {
    let isNew = list.withLock { ranges in
      if ranges.contains(where: { $0.bytes.lowerBound == range.bytes.lowerBound }) { return false }
      ranges.append(range)
      ranges.sort { $0.bytes.lowerBound < $1.bytes.lowerBound }
      count.store(ranges.count, ordering: .releasing)
      return true
    }
    return isNew
  }
}
