internal import Synchronization

/// The part of a log's producer state that all threads may read, and what opening found of it.
///
/// The state itself belongs to the holder of the writer lock (`WriterState.producers`). It is
/// loaded when it is first needed, since most logs have no such producers and none should pay for
/// it at opening (docs/decisions/0006-producer-state.md).
package final class ProducerTracking: Sendable {
  /// Whether only this engine wrote to the log since it last wrote its mark, so that an existing
  /// `mkstore.producers` matches the log.
  let isOwn: Bool
  private let isReady: Atomic<Bool>
  private let mayHold: Atomic<Bool>
  private let firstOpen = Atomic<Int64>(Int64.max)
  private let found = Locked(Found())

  /// The results of reading the log besides the state.
  private struct Found {
    /// Transaction indexes from here on are not used: `aborted` is used instead.
    var scanStart = Int64.max
    var aborted: [AbortedTransaction] = []
    var indexes: [Int64: [AbortedTransaction]] = [:]
  }

  package init(isOwn: Bool, isKnownEmpty: Bool) {
    self.isOwn = isOwn
    isReady = Atomic(isKnownEmpty)
    mayHold = Atomic(!isKnownEmpty)
  }

  /// Whether the state was loaded (acquire; pairs with `setReady`): the writer then holds it.
  @inline(__always)
  package var isLoaded: Bool { isReady.load(ordering: .acquiring) }

  /// Whether the log may know any producer. Never false when one of its batches is published.
  var mayHoldProducers: Bool { mayHold.load(ordering: .acquiring) }

  /// First offset of the oldest open transaction; Int64.max if none is open.
  var firstOpenOffset: Int64 { firstOpen.load(ordering: .acquiring) }

  /// For the holder of the writer lock, before it publishes the first batch of a producer.
  func noteProducer() { mayHold.store(true, ordering: .releasing) }

  /// Publishes the results of reading the log.
  func setReady(_ state: ProducerState, aborted: [AbortedTransaction], from start: Int64) {
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

  func keepIndex(_ entries: [AbortedTransaction], at baseOffset: Int64) {
    found.withLock { $0.indexes[baseOffset] = entries }
  }
}
