internal import Synchronization

/// The greatest producer id of a store's own range that its logs told of since it was last asked
/// for.
///
/// Logs tell what they read anyway (the tail at opening, snapshots, the state of producers) and any
/// producer that is new to them; who gives ids out goes on above. Ids outside the range are never
/// given out, so they are not kept. Any thread.
package final class KnownProducerIds: Sendable {
  private let greatest = Atomic<Int64>(-1)

  package init() {}

  /// Notes an id that a log knows.
  package func note(_ producerId: Int64) {
    guard ProducerIdRange.contains(producerId) else { return }
    // Relaxed: only the number counts.
    _ = greatest.max(producerId, ordering: .relaxed)
  }

  /// The greatest id told of since the last call, -1 where there was none.
  package func take() -> Int64 { greatest.exchange(-1, ordering: .relaxed) }
}
