extension ApiSupport {
  /// v0, which answers lists of offsets, is not offered.
  static let listOffsets = ApiSupport(versions: 1...7, flexibleFrom: 6)
}

/// Asks for offsets by time, or for the ends of logs.
public struct ListOffsetsRequest: WireStruct {
  /// The broker that asks, or -1 for a client.
  public var replicaId: Int32 = 0

  /// 0 read_uncommitted; 1 read_committed: the end is the last stable offset.
  public var isolationLevel: Int8 = 0

  /// What to look up, by topic.
  public var topics: [Topic] = []

  /// Whether the end is the last stable offset.
  public var isReadCommitted: Bool { isolationLevel == 1 }

  /// Tagged fields that this package does not know.
  public var tags: [TaggedField] = []

  /// Every field at its default.
  public init() {}

  /// What to look up in one topic.
  public struct Topic: WireStruct {
    /// The topic.
    public var name = ""

    /// What to look up, by partition.
    public var partitions: [Partition] = []

    /// Tagged fields that this package does not know.
    public var tags: [TaggedField] = []

    /// Every field at its default.
    public init() {}

    /// What to look up in one partition.
    public struct Partition: WireStruct {
      /// The partition.
      public var partitionIndex: Int32 = 0

      /// The leader epoch the client knows, or -1 not to check it.
      public var currentLeaderEpoch: Int32 = -1

      /// In place of a time: the log's end.
      public static let latestTimestamp: Int64 = -1
      /// In place of a time: the log's start.
      public static let earliestTimestamp: Int64 = -2
      /// In place of a time: the record with the largest one (v7).
      public static let maxTimestamp: Int64 = -3

      /// A time in ms, or one of the numbers above.
      public var timestamp: Int64 = 0

      /// Tagged fields that this package does not know.
      public var tags: [TaggedField] = []

      /// Every field at its default.
      public init() {}
    }
  }
}

extension ListOffsetsRequest: Coded {
  package mutating func code<C: Coder>(_ coder: inout C) throws(ProtocolError) {
    try coder.field("ReplicaId", &replicaId)
    try coder.field("IsolationLevel", &isolationLevel, since: 2)
    try coder.field("Topics", &topics)
    try coder.tags(&tags)
  }
}

extension ListOffsetsRequest.Topic: Coded {
  package mutating func code<C: Coder>(_ coder: inout C) throws(ProtocolError) {
    try coder.field("Name", &name)
    try coder.field("Partitions", &partitions)
    try coder.tags(&tags)
  }
}

extension ListOffsetsRequest.Topic.Partition: Coded {
  package mutating func code<C: Coder>(_ coder: inout C) throws(ProtocolError) {
    try coder.field("PartitionIndex", &partitionIndex)
    try coder.field("CurrentLeaderEpoch", &currentLeaderEpoch, since: 4)
    try coder.field("Timestamp", &timestamp)
    try coder.tags(&tags)
  }
}

/// Offsets by time.
public struct ListOffsetsResponse: WireStruct {
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
    public var name = ""

    /// The results, by partition.
    public var partitions: [Partition] = []

    /// Tagged fields that this package does not know.
    public var tags: [TaggedField] = []

    /// Every field at its default.
    public init() {}

    /// The result for one partition.
    public struct Partition: WireStruct {
      /// The partition.
      public var partitionIndex: Int32 = 0

      /// The error, or none.
      public var errorCode: ErrorCode = .none

      /// The time of the record found, or -1.
      public var timestamp: Int64 = -1

      /// The offset found, or -1.
      public var offset: Int64 = -1

      /// The epoch the record was written in, or -1.
      public var leaderEpoch: Int32 = -1

      /// Tagged fields that this package does not know.
      public var tags: [TaggedField] = []

      /// Every field at its default.
      public init() {}
    }
  }
}

extension ListOffsetsResponse: Coded {
  package mutating func code<C: Coder>(_ coder: inout C) throws(ProtocolError) {
    try coder.field("ThrottleTimeMs", &throttleTimeMs, since: 2)
    try coder.field("Topics", &topics)
    try coder.tags(&tags)
  }
}

extension ListOffsetsResponse.Topic: Coded {
  package mutating func code<C: Coder>(_ coder: inout C) throws(ProtocolError) {
    try coder.field("Name", &name)
    try coder.field("Partitions", &partitions)
    try coder.tags(&tags)
  }
}

extension ListOffsetsResponse.Topic.Partition: Coded {
  package mutating func code<C: Coder>(_ coder: inout C) throws(ProtocolError) {
    try coder.field("PartitionIndex", &partitionIndex)
    try coder.field("ErrorCode", &errorCode)
    try coder.field("Timestamp", &timestamp)
    try coder.field("Offset", &offset)
    try coder.field("LeaderEpoch", &leaderEpoch, since: 4)
    try coder.tags(&tags)
  }
}
