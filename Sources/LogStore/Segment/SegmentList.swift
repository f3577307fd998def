internal import Synchronization

/// The segments of a log in order of their base offsets.
///
/// An immutable snapshot behind a lock, with an atomic generation: readers keep a snapshot and look
/// only at the generation until it moves (2–3 ns), so that reading never takes the lock in steady
/// state. Changed by the holder of the writer lock; the new snapshot is stored before the
/// generation (release).
package final class SegmentList: Sendable {
  /// Segments by rising base offset (I2); never empty in an open log.
  package struct Snapshot: Sendable {
    package var segments: [Segment]
    package var generation: UInt64

    /// Index of the last segment whose base offset is at or below `offset`; nil where all lie
    /// above.
    package func index(of offset: Int64) -> Int? {
      var low = 0
      var high = segments.count
      while low < high {
        let middle = (low + high) / 2
        if segments[middle].baseOffset <= offset { low = middle + 1 } else { high = middle }
      }
      return low == 0 ? nil : low - 1
    }
  }

  private let current: Locked<Snapshot>
  private let generationWord: Atomic<UInt64>

  package init(_ segments: [Segment]) {
    current = Locked(Snapshot(segments: segments, generation: 1))
    generationWord = Atomic(1)
  }

  /// Moves with every change (acquire).
  @inline(__always)
  package var generation: UInt64 { generationWord.load(ordering: .acquiring) }

  /// The list as it stands.
  package var snapshot: Snapshot { current.withLock { $0 } }

  /// Changes the list; writer only.
  package func update(_ change: (inout [Segment]) -> Void) {
    current.withLock { snapshot in
      change(&snapshot.segments)
      snapshot.generation += 1
      generationWord.store(snapshot.generation, ordering: .releasing)
    }
  }
}
