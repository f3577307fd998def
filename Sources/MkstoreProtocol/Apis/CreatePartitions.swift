extension ApiSupport {
  /// All versions have the same fields.
  static let createPartitions = ApiSupport(versions: 0...3, flexibleFrom: 2)
}

/// Adds partitions to topics.
public struct CreatePartitionsRequest: WireStruct {
  /// The topics.
  public var topics: [Topic] = []

  /// How long to wait for them to be there, in ms.
  public var timeoutMs: Int32 = 0

  /// Whether only to check the request.
  public var validateOnly = false

  /// Tagged fields that this package does not know.
  public var tags: [TaggedField] = []

  /// Every field at its default.
  public init() {}

  /// One topic to add partitions to.
  public struct Topic: WireStruct {
    /// Its name.
    public var name = ""

    /// The number of partitions it shall have in all.
    public var count: Int32 = 0

    /// The brokers for each new partition, or null.
    public var assignments: [Assignment]?

    /// Tagged fields that this package does not know.
    public var tags: [TaggedField] = []

    /// Every field at its default.
    public init() {}

    /// The brokers for one new partition.
    public struct Assignment: WireStruct {
      /// The brokers, the leader first.
      public var brokerIds: [Int32] = []

      /// Tagged fields that this package does not know.
      public var tags: [TaggedField] = []

      /// Every field at its default.
      public init() {}
    }
  }
}

extension CreatePartitionsRequest: Coded {
  package mutating func code<C: Coder>(_ coder: inout C) throws(ProtocolError) {
    try coder.field("Topics", &topics)
    try coder.field("TimeoutMs", &timeoutMs)
    try coder.field("ValidateOnly", &validateOnly)
    try coder.tags(&tags)
  }
}

extension CreatePartitionsRequest.Topic: Coded {
  package mutating func code<C: Coder>(_ coder: inout C) throws(ProtocolError) {
    try coder.field("Name", &name)
    try coder.field("Count", &count)
    try coder.field("Assignments", &assignments)
    try coder.tags(&tags)
  }
}

extension CreatePartitionsRequest.Topic.Assignment: Coded {
  package mutating func code<C: Coder>(_ coder: inout C) throws(ProtocolError) {
    try coder.field("BrokerIds", &brokerIds)
    try coder.tags(&tags)
  }
}

/// The result for each topic.
public struct CreatePartitionsResponse: WireStruct {
  /// How long the client was throttled, in ms; always 0 here.
  public var throttleTimeMs: Int32 = 0

  /// The results.
  public var results: [Topic] = []

  /// Tagged fields that this package does not know.
  public var tags: [TaggedField] = []

  /// Every field at its default.
  public init() {}

  /// The result for one topic.
  public struct Topic: WireStruct {
    /// The topic.
    public var name = ""

    /// The error, or none.
    public var errorCode: ErrorCode = .none

    /// The error in words, or null.
    public var errorMessage: String?

    /// Tagged fields that this package does not know.
    public var tags: [TaggedField] = []

    /// Every field at its default.
    public init() {}
  }
}

extension CreatePartitionsResponse: Coded {
  package mutating func code<C: Coder>(_ coder: inout C) throws(ProtocolError) {
    try coder.field("ThrottleTimeMs", &throttleTimeMs)
    try coder.field("Results", &results)
    try coder.tags(&tags)
  }
}

extension CreatePartitionsResponse.Topic: Coded {
  package mutating func code<C: Coder>(_ coder: inout C) throws(ProtocolError) {
    try coder.field("Name", &name)
    try coder.field("ErrorCode", &errorCode)
    try coder.field("ErrorMessage", &errorMessage)
    try coder.tags(&tags)
  }
}
