internal import RecordFormat
internal import Synchronization

/// Idempotent producers whose batches a log refused because of the disk, and which batch of each
/// must come first.
///
/// Such a producer must send the batch again (KAFKA_STORAGE_ERROR). Its later batches may arrive
/// first. They must not be refused as out of order, since the client would then renumber batches
/// that may be in the log. Nor may they be taken for the first ones of an unknown producer
/// (docs/decisions/0016-refused-batches.md). Shared by the `Log` objects of one log, so that
/// reopening a failed log keeps it. Any thread; its lock is a leaf.
package final class RefusedBatches: Sendable {
  /// Most producers remembered per log. If there are more, every producer unknown to the log waits
  /// like a remembered one.
  static let producersMax = 1024

  /// What one producer has to send again.
  fileprivate struct Entry {
    var epoch: Int16
    /// Sequence of the earliest batch that was refused.
    var first: Int32
    /// Sequence after the latest refused one.
    var end: Int32
    /// When the disk refused one of its batches last, milliseconds since 1970 UTC.
    var refusedMs: Int64
    /// Sequence of the first batch that was sent back to let `first` come before it, if `first` is
    /// already in the log.
    var sentBack: Int32?
  }

  private struct State {
    var producers: [Int64: Entry] = [:]
    /// When a producer was last refused that could not be remembered here.
    var overflowMs: Int64?

    var isEmpty: Bool { producers.isEmpty && overflowMs == nil }
  }

  private let state = Locked(State())
  /// Whether `state` holds anything; stored under its lock (release), loaded by every append of a
  /// producer (acquire).
  private let isUsed = Atomic<Bool>(false)
  private let expirationMs: Int64

  /// - Parameter expirationMs: A producer is forgotten this long after its last refusal.
  package init(expirationMs: Int64) {
    self.expirationMs = expirationMs
  }

  /// Whether no producer has anything to send again.
  @inline(__always)
  package var isEmpty: Bool { !isUsed.load(ordering: .acquiring) }

  /// Producers that are remembered; for tests and bounds.
  package var count: Int { state.withLock { $0.producers.count } }

  // MARK: Noting

  /// Records that a batch was not appended because of the disk, or may not have been.
  package func note(_ header: BatchHeader, nowMs: Int64) {
    guard header.producerId >= 0, header.baseSequence >= 0 else { return }
    note(
      header.producerId, epoch: header.producerEpoch, first: header.baseSequence,
      end: Self.end(of: header), nowMs: nowMs)
  }

  /// Records that batches with the sequences from `first` up to `end` must come again.
  package func note(
    _ producerId: Int64, epoch: Int16, first: Int32, end: Int32, nowMs: Int64
  ) {
    state.withLock { state in
      defer { isUsed.store(!state.isEmpty, ordering: .releasing) }
      let fresh = Entry(epoch: epoch, first: first, end: end, refusedMs: nowMs)
      if let known = state.producers[producerId], !isExpired(known.refusedMs, nowMs) {
        // A batch of an epoch that its producer has left.
        if known.epoch > epoch { return }
        state.producers[producerId] = known.epoch == epoch ? known.joined(with: fresh) : fresh
        return
      }
      if state.producers[producerId] == nil, state.producers.count >= Self.producersMax {
        state.producers = state.producers.filter { !isExpired($0.value.refusedMs, nowMs) }
        guard state.producers.count < Self.producersMax else {
          state.overflowMs = nowMs
          return
        }
      }
      state.producers[producerId] = fresh
    }
  }

  /// Records that a batch was refused only because an earlier one must come first.
  private func extend(_ header: BatchHeader, _ state: inout State) {
    guard let known = state.producers[header.producerId], known.epoch == header.producerEpoch else {
      return
    }
    if Self.precedes(known.end, Self.end(of: header)) {
      state.producers[header.producerId]?.end = Self.end(of: header)
    }
  }

  /// Records that a batch is in the log now, or was already.
  func didCome(_ header: BatchHeader, isDuplicate: Bool) {
    state.withLock { state in
      guard var entry = state.producers[header.producerId], entry.epoch <= header.producerEpoch
      else { return }
      // A batch that was already in the log says nothing about those before it.
      if isDuplicate, entry.epoch != header.producerEpoch || entry.first != header.baseSequence {
        return
      }
      entry.first = Self.end(of: header)
      entry.sentBack = nil
      let isDone = entry.epoch < header.producerEpoch || !Self.precedes(entry.first, entry.end)
      state.producers[header.producerId] = isDone ? nil : entry
      isUsed.store(!state.isEmpty, ordering: .releasing)
    }
  }

  // MARK: Judging

  /// Whether a batch that its producer sent before this one was refused and has not come again.
  func isAwaited(before header: BatchHeader, nowMs: Int64) -> Bool {
    if isEmpty { return false }
    return state.withLock { state in
      guard let entry = state.producers[header.producerId], !isExpired(entry.refusedMs, nowMs)
      else { return false }
      if entry.epoch != header.producerEpoch { return entry.epoch > header.producerEpoch }
      return Self.precedes(entry.first, header.baseSequence)
    }
  }

  /// The sequence that must come before a batch, if batches of its producer were refused.
  ///
  /// - Parameters:
  ///   - knownEpoch: The producer's epoch in the log; nil if the log does not know the producer.
  ///   - expected: The sequence after the producer's last one in the log, if the batch does not
  ///     have it; nil if the log would append the batch, or has it.
  /// - Returns: nil if the batch is judged as if nothing had been refused.
  func awaited(
    before header: BatchHeader, knownEpoch: Int16?, expected: Int32?, nowMs: Int64
  ) -> Int32? {
    state.withLock { (state) -> Int32? in
      forgetExpired(header.producerId, &state, nowMs)
      guard let entry = state.producers[header.producerId] else {
        return state.overflowMs == nil ? nil : awaitedOfAny(header, knownEpoch, expected)
      }
      if entry.isAcknowledged(before: header, knownEpoch, expected) {
        state.producers[header.producerId] = nil
        isUsed.store(!state.isEmpty, ordering: .releasing)
        return nil
      }
      let awaited = entry.awaited(before: header, knownEpoch, expected)
      if awaited != nil {
        if expected == nil, entry.sentBack == nil {
          state.producers[header.producerId]?.sentBack = header.baseSequence
        }
        extend(header, &state)
      }
      return awaited
    }
  }

  /// The same for a producer that may be one of those that could not be remembered.
  private func awaitedOfAny(_ header: BatchHeader, _ knownEpoch: Int16?, _ expected: Int32?)
    -> Int32?
  {
    if let expected { return expected }
    return knownEpoch == header.producerEpoch || header.baseSequence == 0 ? nil : 0
  }

  private func forgetExpired(_ producerId: Int64, _ state: inout State, _ nowMs: Int64) {
    if let entry = state.producers[producerId], isExpired(entry.refusedMs, nowMs) {
      state.producers[producerId] = nil
    }
    if let overflow = state.overflowMs, isExpired(overflow, nowMs) { state.overflowMs = nil }
    isUsed.store(!state.isEmpty, ordering: .releasing)
  }

  private func isExpired(_ refusedMs: Int64, _ nowMs: Int64) -> Bool {
    refusedMs <= nowMs - expirationMs
  }

  // MARK: Sequences

  private static func end(of header: BatchHeader) -> Int32 {
    ProducerState.sequence(
      ProducerState.sequence(header.baseSequence, plus: header.lastOffsetDelta), plus: 1)
  }

  /// Whether one sequence comes before another, the shorter way around.
  fileprivate static func precedes(_ one: Int32, _ other: Int32) -> Bool {
    let distance = ProducerState.sequence(other, minus: one)
    return distance != 0 && distance < 1 << 30
  }
}

extension RefusedBatches.Entry {
  /// Merges two entries of the same epoch.
  fileprivate func joined(with other: Self) -> Self {
    var result = self
    if RefusedBatches.precedes(other.first, first) { result.first = other.first }
    if RefusedBatches.precedes(end, other.end) { result.end = other.end }
    // It came, and was refused once more: its producer still waits for an answer.
    if !RefusedBatches.precedes(first, other.first) { result.sentBack = nil }
    result.refusedMs = max(refusedMs, other.refusedMs)
    return result
  }

  /// Whether the refused batch was acknowledged to its producer after all.
  ///
  /// A batch of a closed connection may be refused after the same batch came again by another
  /// connection. It is in the log, and is not sent once more. A client without an answer sends the
  /// earliest batch first. So if a later one comes twice, and the refused one has not come in
  /// between, it never will.
  fileprivate func isAcknowledged(
    before header: BatchHeader, _ knownEpoch: Int16?, _ expected: Int32?
  ) -> Bool {
    header.producerEpoch == epoch && knownEpoch == epoch && expected == nil
      && sentBack == header.baseSequence
  }

  /// See `RefusedBatches.awaited`.
  fileprivate func awaited(before header: BatchHeader, _ knownEpoch: Int16?, _ expected: Int32?)
    -> Int32?
  {
    if header.producerEpoch < epoch { return first }
    if header.producerEpoch > epoch { return header.baseSequence == 0 ? nil : 0 }
    let sequence = header.baseSequence
    guard let expected else {
      // It follows what is in the log, or is there. But refused ones that are there must come again
      // first, or their producer would have more in flight than the log remembers.
      if knownEpoch == epoch { return RefusedBatches.precedes(first, sequence) ? first : nil }
      // Only the first one may begin.
      return sequence == first ? nil : first
    }
    // The refused batch has come again and still does not follow: what is missing before it was
    // acknowledged (without a sync) and lost.
    if sequence == first, RefusedBatches.precedes(expected, first) { return nil }
    return RefusedBatches.precedes(first, expected) ? first : expected
  }
}
