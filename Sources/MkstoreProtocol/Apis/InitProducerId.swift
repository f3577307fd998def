extension ApiSupport {
  /// From v3 on a producer may name the id it has.
  static let initProducerId = ApiSupport(versions: 0...4, flexibleFrom: 2)
}

/// Asks for a producer id.
public struct InitProducerIdRequest: WireStruct {
  /// The transactional producer's name, or null.
  public var transactionalId: String?

  /// Of no meaning without `transactionalId`.
  public var transactionTimeoutMs: Int32 = 0

  /// The id the producer has, or -1.
  public var producerId: Int64 = -1

  /// The epoch the producer has, or -1.
  public var producerEpoch: Int16 = -1

  /// Tagged fields that this package does not know.
  public var tags: [TaggedField] = []

  /// Every field at its default.
  public init() {}
}

extension InitProducerIdRequest: Coded {
  package mutating func code<C: Coder>(_ coder: inout C) throws(ProtocolError) {
    try coder.field("TransactionalId", &transactionalId)
    try coder.field("TransactionTimeoutMs", &transactionTimeoutMs)
    try coder.field("ProducerId", &producerId, since: 3)
    try coder.field("ProducerEpoch", &producerEpoch, since: 3)
    try coder.tags(&tags)
  }
}

/// A producer id.
public struct InitProducerIdResponse: WireStruct {
  /// How long the client was throttled, in ms; always 0 here.
  public var throttleTimeMs: Int32 = 0

  /// The error, or none.
  public var errorCode: ErrorCode = .none

  /// The id, or -1.
  public var producerId: Int64 = -1

  /// The epoch.
  public var producerEpoch: Int16 = 0

  /// Tagged fields that this package does not know.
  public var tags: [TaggedField] = []

  /// Every field at its default.
  public init() {}
}

extension InitProducerIdResponse: Coded {
  package mutating func code<C: Coder>(_ coder: inout C) throws(ProtocolError) {
    try coder.field("ThrottleTimeMs", &throttleTimeMs)
    try coder.field("ErrorCode", &errorCode)
    try coder.field("ProducerId", &producerId)
    try coder.field("ProducerEpoch", &producerEpoch)
    try coder.tags(&tags)
  }
}
