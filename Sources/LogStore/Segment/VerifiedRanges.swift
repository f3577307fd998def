internal import Synchronization

/// The bytes of a segment whose CRC this process has checked (or which it wrote itself), so that
/// they may be served without another check.
///
/// Ranges are whole batches. The largest run from the front of what was read is kept in one atomic
/// word (start and end), read without a lock on the hot path; the rest is under a lock. A word is
/// stored with release after the check and loaded with acquire.
final class VerifiedRanges: Sendable {
  private let run: Atomic<UInt64>
  private let others = Locked<[Range<Int>]>([])

  init() {
    run = Atomic(0)
  }

  /// Whether all of `range` was checked.
  @inline(__always)
  func contains(_ range: Range<Int>) -> Bool {
    let word = run.load(ordering: .acquiring)
    if Int(word >> 32) <= range.lowerBound && range.upperBound <= Int(word & 0xffff_ffff) {
      return true
    }
    return others.withLock { ranges in
      ranges.contains { $0.lowerBound <= range.lowerBound && range.upperBound <= $0.upperBound }
    }
  }

  /// End of the checked bytes that begin at or before `position`; `position` itself if it is
  /// unchecked.
  func verifiedEnd(from position: Int) -> Int {
    let word = run.load(ordering: .acquiring)
    let (start, end) = (Int(word >> 32), Int(word & 0xffff_ffff))
    if start <= position && position < end { return end }
    return others.withLock { ranges in
      ranges.first { $0.contains(position) }?.upperBound ?? position
    }
  }

  /// Records that the writer appended `range`, which follows the run it began with.
  @inline(__always)
  func appended(_ range: Range<Int>) {
    let word = run.load(ordering: .relaxed)
    if word & 0xffff_ffff == UInt64(range.lowerBound) && word != 0 {
      // Exchanged, so that what another thread removed meanwhile stays removed.
      let longer = word & ~0xffff_ffff | UInt64(range.upperBound)
      let (isLonger, _) = run.compareExchange(
        expected: word, desired: longer, successOrdering: .releasing, failureOrdering: .relaxed)
      if isLonger { return }
    }
    insert(range)
  }

  /// Records that `range` was checked; bytes beyond the positions that a segment can have are
  /// checked each time.
  func insert(_ range: Range<Int>) {
    let range = range.clamped(to: 0..<Int(UInt32.max))
    guard !range.isEmpty else { return }
    change { ranges in
      ranges.append(range)
      ranges.sort { $0.lowerBound < $1.lowerBound }
      var merged: [Range<Int>] = []
      for next in ranges {
        if let last = merged.last, next.lowerBound <= last.upperBound {
          merged[merged.count - 1] = last.lowerBound..<max(last.upperBound, next.upperBound)
        } else {
          merged.append(next)
        }
      }
      ranges = merged
    }
  }

  /// Removes `range`: its bytes have changed since they were checked.
  func remove(_ range: Range<Int>) {
    guard !range.isEmpty else { return }
    change { ranges in
      ranges = ranges.flatMap { known -> [Range<Int>] in
        let before = known.lowerBound..<max(known.lowerBound, range.lowerBound)
        let behind = min(known.upperBound, range.upperBound)..<known.upperBound
        return [before.clamped(to: known), behind.clamped(to: known)].filter { !$0.isEmpty }
      }
    }
  }

  /// Changes all ranges, including the run; the longest one is the run afterwards.
  private func change(_ body: (inout [Range<Int>]) -> Void) {
    others.withLock { ranges in
      let word = run.load(ordering: .relaxed)
      let current = Int(word >> 32)..<Int(word & 0xffff_ffff)
      if !current.isEmpty { ranges.append(current) }
      body(&ranges)
      let longest = ranges.indices.max { ranges[$0].count < ranges[$1].count }
      let chosen = longest.map { ranges.remove(at: $0) } ?? 0..<0
      run.store(UInt64(chosen.lowerBound) << 32 | UInt64(chosen.upperBound), ordering: .releasing)
    }
  }

  /// Removes everything, as after the cache was dropped: the next read checks again.
  func removeAll() {
    others.withLock { ranges in
      ranges.removeAll()
      run.store(0, ordering: .releasing)
    }
  }
}
