internal import RecordFormat

/// A log's idempotent and transactional producers, as of one offset.
///
/// The rules are Kafka's (`ProducerStateManager`, `ProducerAppendInfo`; docs/format.md#snapshot),
/// except for when an idle producer is forgotten: a producer is active when it appends, not when
/// its records say so (docs/decisions/0006-producer-state.md). A value; its owner orders the calls.
package struct ProducerState: Sendable {
  /// Batches remembered per producer, to detect duplicates.
  static let batchesMax = 5

  /// One of a producer's last batches.
  package struct Batch: Sendable, Equatable {
    package var lastSequence: Int32
    package var lastOffset: Int64
    package var offsetDelta: Int32
    /// The batch's greatest timestamp, milliseconds.
    package var timestamp: Int64

    package var baseOffset: Int64 { lastOffset - Int64(offsetDelta) }
    package var baseSequence: Int32 { ProducerState.sequence(lastSequence, minus: offsetDelta) }
  }

  /// One producer.
  package struct Producer: Sendable, Equatable {
    package var epoch: Int16
    /// Oldest first, at most `batchesMax`.
    package var batches: [Batch] = []
    /// Greatest timestamp of the last batch, or the last marker's.
    package var timestamp: Int64
    package var coordinatorEpoch: Int32 = -1
    /// First offset of the open transaction; nil if none is open.
    var transactionFirstOffset: Int64?
    /// When it last appended, as far as is known, milliseconds since 1970 UTC.
    var activeMs: Int64
  }

  /// How a producer's batch is judged.
  enum Verdict: Sendable, Equatable {
    case append
    /// The log already contains it, as this one.
    case duplicate(Batch)
  }

  /// By producer id.
  package private(set) var producers: [Int64: Producer] = [:]
  /// The state covers all batches below this offset.
  package var endOffset: Int64
  /// Idle producers are forgotten after so many milliseconds.
  let expirationMs: Int64

  /// Whether no producer is known.
  package var isEmpty: Bool { producers.isEmpty }

  /// No producer is known yet.
  package init(endOffset: Int64, expirationMs: Int64) {
    self.endOffset = endOffset
    self.expirationMs = expirationMs
  }

  // MARK: Appending

  /// Judges a client's batch before any of it is written.
  ///
  /// - Parameter header: With a producer id; neither transactional nor control.
  /// - Throws: `.outOfOrderSequence`, `.invalidProducerEpoch`, `.invalidTransactionState`.
  mutating func judge(_ header: BatchHeader, nowMs: Int64) throws(LogError) -> Verdict {
    guard let producer = producers[header.producerId] else { return .append }
    if isExpired(producer, nowMs: nowMs) {
      producers[header.producerId] = nil
      return .append
    }
    let lastSequence = Self.lastSequence(of: header)
    if header.producerEpoch == producer.epoch,
      let batch = producer.batches.first(where: {
        $0.lastSequence == lastSequence && $0.baseSequence == header.baseSequence
      })
    {
      return .duplicate(batch)
    }
    guard header.producerEpoch >= producer.epoch else {
      throw .invalidProducerEpoch(
        producerId: header.producerId, found: header.producerEpoch, current: producer.epoch)
    }
    let expected =
      header.producerEpoch > producer.epoch
      ? 0 : Self.sequence(producer.batches.last?.lastSequence ?? -1, plus: 1)
    guard header.baseSequence == expected else {
      throw .outOfOrderSequence(
        producerId: header.producerId, found: header.baseSequence, expected: expected)
    }
    if let first = producer.transactionFirstOffset {
      throw .invalidTransactionState(
        producerId: header.producerId, reason: "its transaction at offset \(first) is open")
    }
    return .append
  }

  /// Records a data batch that is in the log.
  package mutating func note(_ header: BatchHeader, activeMs: Int64) {
    note(
      header.producerId, header.producerEpoch, activeMs: activeMs, timestamp: header.maxTimestamp)
    producers[header.producerId]!.add(
      Batch(
        lastSequence: Self.lastSequence(of: header),
        lastOffset: header.lastOffset, offsetDelta: header.lastOffsetDelta,
        timestamp: header.maxTimestamp))
    if header.isTransactional, producers[header.producerId]!.transactionFirstOffset == nil {
      producers[header.producerId]!.transactionFirstOffset = header.baseOffset
    }
    endOffset = max(endOffset, header.nextOffset)
  }

  private mutating func note(
    _ producerId: Int64, _ epoch: Int16, activeMs: Int64, timestamp: Int64
  ) {
    guard let known = producers[producerId] else {
      producers[producerId] = Producer(epoch: epoch, timestamp: timestamp, activeMs: activeMs)
      return
    }
    // A new epoch starts over: earlier batches are no longer compared.
    if known.epoch != epoch { producers[producerId]!.batches.removeAll(keepingCapacity: true) }
    producers[producerId]!.epoch = epoch
    producers[producerId]!.timestamp = timestamp
    producers[producerId]!.activeMs = max(known.activeMs, activeMs)
  }

  // MARK: Transactions

  /// Records the marker that ends a transaction.
  ///
  /// - Returns: The transaction if it was aborted and held any record, as Kafka indexes it.
  mutating func noteMarker(
    _ header: BatchHeader, coordinatorEpoch: Int32, isAbort: Bool, timestamp: Int64,
    activeMs: Int64
  ) -> AbortedTransaction? {
    let first = producers[header.producerId]?.transactionFirstOffset
    note(header.producerId, header.producerEpoch, activeMs: activeMs, timestamp: timestamp)
    producers[header.producerId]!.coordinatorEpoch = coordinatorEpoch
    producers[header.producerId]!.transactionFirstOffset = nil
    endOffset = max(endOffset, header.nextOffset)
    guard isAbort, let first else { return nil }
    return AbortedTransaction(
      producerId: header.producerId, firstOffset: first, lastOffset: header.baseOffset,
      lastStableOffset: firstOpenOffset ?? header.nextOffset)
  }

  /// First offset of the oldest open transaction; nil if none is open.
  var firstOpenOffset: Int64? {
    producers.values.compactMap(\.transactionFirstOffset).min()
  }

  // MARK: Idle producers

  private func isExpired(_ producer: Producer, nowMs: Int64) -> Bool {
    // No addition to a time from a file: it may have any value and overflow.
    producer.transactionFirstOffset == nil && producer.activeMs <= nowMs - expirationMs
  }

  /// Forgets the producers that have been idle for too long.
  mutating func expire(nowMs: Int64) {
    producers = producers.filter { !isExpired($0.value, nowMs: nowMs) }
  }

  // MARK: Sequences

  private static func lastSequence(of header: BatchHeader) -> Int32 {
    header.baseSequence < 0
      ? -1 : sequence(header.baseSequence, plus: header.lastOffsetDelta)
  }

  /// Sequences count from 2147483647 on to 0.
  package static func sequence(_ sequence: Int32, plus count: Int32) -> Int32 {
    Int32(truncatingIfNeeded: (Int64(sequence) + Int64(count)) & 0x7fff_ffff)
  }

  package static func sequence(_ sequence: Int32, minus count: Int32) -> Int32 {
    Int32(truncatingIfNeeded: (Int64(sequence) - Int64(count)) & 0x7fff_ffff)
  }
}

// MARK: - Files

extension ProducerState {
  /// Loads a snapshot, which holds only the last batch of each producer.
  ///
  /// - Parameter activeMs: When a producer was last active, as far as is known.
  package init(
    _ snapshot: ProducerSnapshot, endOffset: Int64, expirationMs: Int64,
    activeMs: (ProducerSnapshot.Producer) -> Int64
  ) {
    self.init(endOffset: endOffset, expirationMs: expirationMs)
    for entry in snapshot.producers {
      var producer = Producer(
        epoch: entry.producerEpoch, timestamp: entry.timestamp,
        coordinatorEpoch: entry.coordinatorEpoch,
        transactionFirstOffset: entry.currentTxnFirstOffset < 0
          ? nil : entry.currentTxnFirstOffset,
        activeMs: activeMs(entry))
      if entry.lastOffset >= 0 {
        producer.batches.append(
          Batch(
            lastSequence: entry.lastSequence, lastOffset: entry.lastOffset,
            offsetDelta: entry.offsetDelta, timestamp: entry.timestamp))
      }
      producers[entry.producerId] = producer
    }
  }

  /// Adds a producer as a file has it.
  package mutating func restore(_ producerId: Int64, _ producer: Producer) {
    producers[producerId] = producer
  }

  /// The content of Kafka's snapshot at `endOffset`, by rising producer id.
  package var snapshot: ProducerSnapshot {
    ProducerSnapshot(
      producers.sorted { $0.key < $1.key }.map { producerId, producer in
        let last = producer.batches.last
        return ProducerSnapshot.Producer(
          producerId: producerId, producerEpoch: producer.epoch,
          lastSequence: last?.lastSequence ?? -1, lastOffset: last?.lastOffset ?? -1,
          offsetDelta: last?.offsetDelta ?? 0, timestamp: producer.timestamp,
          coordinatorEpoch: producer.coordinatorEpoch,
          currentTxnFirstOffset: producer.transactionFirstOffset ?? -1)
      })
  }
}

extension ProducerState.Producer {
  fileprivate mutating func add(_ batch: ProducerState.Batch) {
    if batches.count == ProducerState.batchesMax { batches.removeFirst() }
    batches.append(batch)
  }
}
