internal import Synchronization

/// What all threads may know of a log's producer state, and what was found of it at opening.
///
/// The state itself belongs to the holder of the writer lock (`WriterState.producers`). It is read
/// when it is first needed, since most logs have no such producers and none should pay for it at
/// opening (docs/decisions/0006-producer-state.md).
package final class ProducerTracking: Sendable {
  /// Whether only this engine wrote to the log since it last wrote its mark, so that a
  /// `mkstore.producers` that stands there speaks of this log as it is.
  package let isOwn: Bool
  private let isReady: Atomic<Bool>
  private let mayHold: Atomic<Bool>
  private let firstOpen = Atomic<Int64>(Int64.max)
  private let found = Locked(Found())

  /// What reading the log gave beside the state.
  private struct Found {
    /// Transaction indexes from here on are not believed: `aborted` tells.
    var scanStart = Int64.max
    var aborted: [AbortedTransaction] = []
    var indexes: [Int64: [AbortedTransaction]] = [:]
  }

  package init(isOwn: Bool, isKnownEmpty: Bool) {
    self.isOwn = isOwn
    isReady = Atomic(isKnownEmpty)
    mayHold = Atomic(!isKnownEmpty)
  }

  /// Whether the state was read (acquire; pairs with `setReady`): then the writer holds it.
  @inline(__always)
  package var isLoaded: Bool { isReady.load(ordering: .acquiring) }

  /// Whether the log may know any producer. Never false when one of its batches is published.
  package var mayHoldProducers: Bool { mayHold.load(ordering: .acquiring) }

  /// First offset of the oldest open transaction; Int64.max where none is open.
  package var firstOpenOffset: Int64 { firstOpen.load(ordering: .acquiring) }

  /// Holder of the writer lock, before it publishes the first batch of a producer.
  package func noteProducer() { mayHold.store(true, ordering: .releasing) }

  /// Publishes what reading the log gave.
  package func setReady(_ state: ProducerState, aborted: [AbortedTransaction], from start: Int64) {
    found.withLock { found in
      found.scanStart = min(found.scanStart, start)
      found.aborted += aborted
    }
    firstOpen.store(state.firstOpenOffset ?? Int64.max, ordering: .releasing)
    mayHold.store(!state.isEmpty, ordering: .releasing)
    isReady.store(true, ordering: .releasing)
  }

  /// Aborted transactions that were derived from the log, and from which offset on.
  package var derived: (start: Int64, aborted: [AbortedTransaction]) {
    found.withLock { ($0.scanStart, $0.aborted) }
  }

  /// A transaction index that was read before.
  package func index(at baseOffset: Int64) -> [AbortedTransaction]? {
    found.withLock { $0.indexes[baseOffset] }
  }

  package func keepIndex(_ entries: [AbortedTransaction], at baseOffset: Int64) {
    found.withLock { $0.indexes[baseOffset] = entries }
  }
}
