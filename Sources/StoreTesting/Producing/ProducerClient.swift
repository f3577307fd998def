/// A model of a real client's idempotent producer of one partition: it numbers its batches, keeps
/// several in flight, resends batches on request, and raises its epoch when a batch is out of
/// order.
///
/// As in librdkafka and Kafka's Java client: a batch is resent with its sequence. One that is out
/// of order is resent as long as an earlier one is not acknowledged. Otherwise nothing more is sent
/// until nothing is in flight; then the epoch rises and all unacknowledged records get new
/// sequences from 0 on. So a wrong answer shows as a record that is in the log twice, or not in its
/// place.
struct ProducerClient {
  /// Most batches in flight, as in clients.
  static let inFlightMax = 5

  /// Which client's behaviour it follows when batches must be resent.
  enum Habit: CaseIterable, Sendable {
    /// Resends one at a time, the earliest first, as the Java client.
    case cautious
    /// Sends the next one as soon as fewer than `inFlightMax` are in flight.
    case eager
  }

  /// The server's answer to a batch.
  package enum Answer: Equatable, Sendable {
    case acknowledged(Int64)
    /// KAFKA_STORAGE_ERROR, NOT_LEADER_OR_FOLLOWER: the same again.
    case again
    /// OUT_OF_ORDER_SEQUENCE_NUMBER, INVALID_PRODUCER_EPOCH.
    case outOfOrder
  }

  /// Records that are sent together.
  package struct Batch: Equatable, Sendable {
    /// Numbers of the producer's records.
    package var records: Range<Int>
    package var epoch: Int16
    package var sequence: Int32
  }

  package let producerId: Int64
  package let recordCount: Int
  let habit: Habit
  /// Offset that each record was acknowledged with.
  package private(set) var acknowledged: [Int: Int64] = [:]
  /// How often the epoch rose.
  private(set) var epochsRaised = 0
  private var epoch: Int16 = 0
  private var nextSequence: Int32
  private var nextRecord = 0
  /// To be resent, by rising records.
  private var waiting: [Batch] = []
  /// Sent and not answered, in order of sending.
  private var inFlight: [Batch] = []
  /// Nothing is sent until nothing is in flight; then the epoch rises.
  private var isDraining = false

  package init(producerId: Int64, recordCount: Int, habit: Habit, firstSequence: Int32) {
    self.producerId = producerId
    self.recordCount = recordCount
    self.habit = habit
    nextSequence = firstSequence
  }

  /// Whether every record is acknowledged.
  package var isDone: Bool { acknowledged.count == recordCount }

  // MARK: Sending

  /// The next batch to send, in flight from now on; nil if none may be sent.
  ///
  /// - Parameter recordsMax: Most records of a new batch.
  package mutating func send(recordsMax: Int) -> Batch? {
    guard !isDraining, inFlight.count < Self.inFlightMax else { return nil }
    if let again = waiting.first {
      let isEarliest = inFlight.allSatisfy { again.records.lowerBound < $0.records.lowerBound }
      guard habit == .eager || isEarliest else { return nil }
      waiting.removeFirst()
      inFlight.append(again)
      return again
    }
    guard nextRecord < recordCount else { return nil }
    let end = min(recordCount, nextRecord + recordsMax)
    let batch = Batch(records: nextRecord..<end, epoch: epoch, sequence: nextSequence)
    nextRecord = end
    nextSequence = Self.sequence(nextSequence, plus: batch.records.count)
    inFlight.append(batch)
    return batch
  }

  /// The connection ended: batches in flight may be in the log or not.
  package mutating func disconnect() {
    for batch in inFlight { putBack(batch) }
    inFlight = []
    raiseEpochIfDrained()
  }

  // MARK: Answers

  /// Processes the answer to the oldest batch in flight.
  package mutating func receive(_ answer: Answer) {
    let batch = inFlight.removeFirst()
    switch answer {
    case .acknowledged(let offset):
      for (index, record) in batch.records.enumerated() {
        acknowledged[record] = offset + Int64(index)
      }
    case .again: putBack(batch)
    case .outOfOrder:
      let isEarliest = (waiting + inFlight).allSatisfy {
        batch.records.lowerBound < $0.records.lowerBound
      }
      if isEarliest { isDraining = true }
      putBack(batch)
    }
    raiseEpochIfDrained()
  }

  private mutating func putBack(_ batch: Batch) {
    let index = waiting.firstIndex { $0.records.lowerBound > batch.records.lowerBound }
    waiting.insert(batch, at: index ?? waiting.endIndex)
  }

  private mutating func raiseEpochIfDrained() {
    guard isDraining, inFlight.isEmpty else { return }
    isDraining = false
    epochsRaised += 1
    epoch += 1
    nextSequence = 0
    for index in waiting.indices {
      waiting[index].epoch = epoch
      waiting[index].sequence = nextSequence
      nextSequence = Self.sequence(nextSequence, plus: waiting[index].records.count)
    }
  }

  /// Sequences count from 2147483647 on to 0.
  private static func sequence(_ sequence: Int32, plus count: Int) -> Int32 {
    Int32((Int64(sequence) + Int64(count)) & 0x7fff_ffff)
  }
}

extension ProducerClient: CustomStringConvertible {
  package var description: String {
    "producer \(producerId) (\(habit)), epoch \(epoch), \(acknowledged.count) of \(recordCount) "
      + "records acknowledged, in flight \(inFlight), to be sent again \(waiting)"
  }
}
