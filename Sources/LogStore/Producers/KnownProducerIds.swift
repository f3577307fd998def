internal import Synchronization

/// The greatest producer id of a store's own range that its logs reported since the last call of
/// `take`.
///
/// Logs report ids from what they read anyway (the tail at opening, snapshots, the state of
/// producers) and from each producer that is new to them; the store then assigns ids above. Ids
/// outside the range are never assigned, so they are not kept. Any thread.
package final class KnownProducerIds: Sendable {
  private let greatest = Atomic<Int64>(-1)

  package init() {}

  /// Notes an id that a log knows.
  package func note(_ producerId: Int64) {
    guard ProducerIdRange.contains(producerId) else { return }
    // Relaxed: only the number counts.
    _ = greatest.max(producerId, ordering: .relaxed)
  }

  /// The greatest id reported since the last call, -1 if there was none.
  package func take() -> Int64 { greatest.exchange(-1, ordering: .relaxed) }
}
