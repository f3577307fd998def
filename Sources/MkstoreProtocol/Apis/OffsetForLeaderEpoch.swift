extension ApiSupport {
  /// v2 is the first that checks the current epoch.
  static let offsetForLeaderEpoch = ApiSupport(versions: 2...4, flexibleFrom: 4)
}

/// Asks where leader epochs end.
public struct OffsetForLeaderEpochRequest: WireStruct {
  /// The broker that asks, -1 for a consumer, -2 if it does not say.
  public var replicaId: Int32 = -2

  /// The epochs, by topic.
  public var topics: [Topic] = []

  /// Tagged fields that this package does not know.
  public var tags: [TaggedField] = []

  /// Every field at its default.
  public init() {}

  /// The epochs of one topic.
  public struct Topic: WireStruct {
    /// The topic.
    public var topic = ""

    /// The epochs, by partition.
    public var partitions: [Partition] = []

    /// Tagged fields that this package does not know.
    public var tags: [TaggedField] = []

    /// Every field at its default.
    public init() {}

    /// The epoch of one partition.
    public struct Partition: WireStruct {
      /// The partition.
      public var partition: Int32 = 0

      /// The leader epoch the client knows, or -1 not to check it.
      public var currentLeaderEpoch: Int32 = -1

      /// The epoch whose end is asked for.
      public var leaderEpoch: Int32 = 0

      /// Tagged fields that this package does not know.
      public var tags: [TaggedField] = []

      /// Every field at its default.
      public init() {}
    }
  }
}

extension OffsetForLeaderEpochRequest: Coded {
  package mutating func code<C: Coder>(_ coder: inout C) throws(ProtocolError) {
    try coder.field("ReplicaId", &replicaId, since: 3)
    try coder.field("Topics", &topics)
    try coder.tags(&tags)
  }
}

extension OffsetForLeaderEpochRequest.Topic: Coded {
  package mutating func code<C: Coder>(_ coder: inout C) throws(ProtocolError) {
    try coder.field("Topic", &topic)
    try coder.field("Partitions", &partitions)
    try coder.tags(&tags)
  }
}

extension OffsetForLeaderEpochRequest.Topic.Partition: Coded {
  package mutating func code<C: Coder>(_ coder: inout C) throws(ProtocolError) {
    try coder.field("Partition", &partition)
    try coder.field("CurrentLeaderEpoch", &currentLeaderEpoch)
    try coder.field("LeaderEpoch", &leaderEpoch)
    try coder.tags(&tags)
  }
}

/// Where leader epochs end.
public struct OffsetForLeaderEpochResponse: WireStruct {
  /// How long the client was throttled, in ms; always 0 here.
  public var throttleTimeMs: Int32 = 0

  /// The results, by topic.
  public var topics: [Topic] = []

  /// Tagged fields that this package does not know.
  public var tags: [TaggedField] = []

  /// Every field at its default.
  public init() {}

  /// The results for one topic.
  public struct Topic: WireStruct {
    /// The topic.
    public var topic = ""

    /// The results, by partition.
    public var partitions: [Partition] = []

    /// Tagged fields that this package does not know.
    public var tags: [TaggedField] = []

    /// Every field at its default.
    public init() {}

    /// The result for one partition.
    public struct Partition: WireStruct {
      /// The error, or none.
      public var errorCode: ErrorCode = .none

      /// The partition.
      public var partition: Int32 = 0

      /// The largest epoch up to the one asked for, or -1.
      public var leaderEpoch: Int32 = -1

      /// The offset after that epoch's last record, or -1.
      public var endOffset: Int64 = -1

      /// Tagged fields that this package does not know.
      public var tags: [TaggedField] = []

      /// Every field at its default.
      public init() {}
    }
  }
}

extension OffsetForLeaderEpochResponse: Coded {
  package mutating func code<C: Coder>(_ coder: inout C) throws(ProtocolError) {
    try coder.field("ThrottleTimeMs", &throttleTimeMs)
    try coder.field("Topics", &topics)
    try coder.tags(&tags)
  }
}

extension OffsetForLeaderEpochResponse.Topic: Coded {
  package mutating func code<C: Coder>(_ coder: inout C) throws(ProtocolError) {
    try coder.field("Topic", &topic)
    try coder.field("Partitions", &partitions)
    try coder.tags(&tags)
  }
}

extension OffsetForLeaderEpochResponse.Topic.Partition: Coded {
  package mutating func code<C: Coder>(_ coder: inout C) throws(ProtocolError) {
    try coder.field("ErrorCode", &errorCode)
    try coder.field("Partition", &partition)
    try coder.field("LeaderEpoch", &leaderEpoch)
    try coder.field("EndOffset", &endOffset)
    try coder.tags(&tags)
  }
}
