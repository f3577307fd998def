/// The producer information of a batch; none of it for plain appends.
///
/// ```swift
/// let options = BatchOptions(producerId: 7, producerEpoch: 0, baseSequence: 0)
/// let batch = try builder.finish(options)
/// ```
public struct BatchOptions: Sendable, Equatable {
  /// The idempotent producer's id; −1 for none.
  public var producerId: Int64
  /// Its generation; −1 for none.
  public var producerEpoch: Int16
  /// Sequence number of the first record; −1 for none.
  public var baseSequence: Int32
  /// Whether the batch is part of a transaction.
  public var isTransactional: Bool
  /// If not nil, the time of all records, with timestamp type LogAppendTime.
  public var logAppendTime: Int64?

  /// Options, each of which may be left out.
  public init(
    producerId: Int64 = -1, producerEpoch: Int16 = -1, baseSequence: Int32 = -1,
    isTransactional: Bool = false, logAppendTime: Int64? = nil
  ) {
    self.producerId = producerId
    self.producerEpoch = producerEpoch
    self.baseSequence = baseSequence
    self.isTransactional = isTransactional
    self.logAppendTime = logAppendTime
  }
}
