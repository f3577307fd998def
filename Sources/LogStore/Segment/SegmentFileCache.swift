internal import DiskIO
internal import Synchronization

/// Bounds how many sealed segments of a store are open at once, whatever the number of segments.
///
/// Second chance: a segment used since the hand last passed is spared once. Files close with their
/// last user, so an evicted segment in use closes a little later. Any thread.
package final class SegmentFileCache: Sendable {
  /// Most sealed segments kept open.
  package let capacity: Int
  private let ring: Locked<Ring>

  private struct Ring {
    var segments: [Segment] = []
    var hand = 0
  }

  package init(capacity: Int) {
    self.capacity = max(1, capacity)
    ring = Locked(Ring())
  }

  /// The segment's open files, opened by `open` if they are not.
  func files(
    of segment: Segment, orOpen open: () throws(DiskError) -> SegmentFiles
  ) throws(DiskError) -> SegmentFiles {
    segment.recentlyUsed.store(true, ordering: .relaxed)
    if let files = segment.openFiles { return files }
    let files = try open()
    guard let kept = segment.keepOpen(files) else {
      throw DiskError.notFound(.open, files.log.path)
    }
    if kept === files { admit(segment) }
    return kept
  }

  /// Counts a segment whose files are already open, as after it was sealed.
  package func admit(_ segment: Segment) {
    let victim: Segment? = ring.withLock { ring in
      if ring.segments.contains(where: { $0 === segment }) { return nil }
      guard ring.segments.count >= capacity else {
        ring.segments.append(segment)
        return nil
      }
      while ring.segments[ring.hand].recentlyUsed.exchange(false, ordering: .relaxed) {
        ring.hand = (ring.hand + 1) % ring.segments.count
      }
      let victim = ring.segments[ring.hand]
      ring.segments[ring.hand] = segment
      ring.hand = (ring.hand + 1) % ring.segments.count
      return victim
    }
    if let victim, victim !== segment, !victim.isPinned { victim.keepOpen(nil) }
  }

  /// Closes and forgets a segment that is removed.
  package func remove(_ segment: Segment) {
    ring.withLock { ring in
      ring.segments.removeAll { $0 === segment }
      ring.hand = ring.segments.isEmpty ? 0 : ring.hand % ring.segments.count
    }
    segment.keepOpen(nil)
  }
}
