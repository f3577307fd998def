extension ApiSupport {
  /// v0 asked ZooKeeper; up to v7 one request names one group, from v8 on many.
  static let offsetFetch = ApiSupport(versions: 1...8, flexibleFrom: 6)
}

/// Asks for the offsets that groups committed.
public struct OffsetFetchRequest: WireStruct {
  /// The group, up to v7.
  public var groupId = ""

  /// The topics, up to v7; null means all that the group committed for.
  public var topics: [Topic]?

  /// The groups, from v8 on.
  public var groups: [Group] = []

  /// Whether offsets of transactions under way are to be waited for.
  public var requireStable = false

  /// Tagged fields that this package does not know.
  public var tags: [TaggedField] = []

  /// Every field at its default.
  public init() {}

  /// One group.
  public struct Group: WireStruct {
    /// The group.
    public var groupId = ""

    /// The topics; null means all that the group committed for.
    public var topics: [Topic]?

    /// Tagged fields that this package does not know.
    public var tags: [TaggedField] = []

    /// Every field at its default.
    public init() {}
  }

  /// Partitions of one topic.
  public struct Topic: WireStruct {
    /// The topic.
    public var name = ""

    /// The partitions.
    public var partitionIndexes: [Int32] = []

    /// Tagged fields that this package does not know.
    public var tags: [TaggedField] = []

    /// Every field at its default.
    public init() {}
  }
}

extension OffsetFetchRequest: Coded {
  package mutating func code<C: Coder>(_ coder: inout C) throws(ProtocolError) {
    try coder.field("GroupId", &groupId, until: 7)
    try coder.field("Topics", &topics, until: 7, nullableSince: 2)
    try coder.field("Groups", &groups, since: 8)
    try coder.field("RequireStable", &requireStable, since: 7)
    try coder.tags(&tags)
  }
}

extension OffsetFetchRequest.Group: Coded {
  package mutating func code<C: Coder>(_ coder: inout C) throws(ProtocolError) {
    try coder.field("GroupId", &groupId)
    try coder.field("Topics", &topics)
    try coder.tags(&tags)
  }
}

extension OffsetFetchRequest.Topic: Coded {
  package mutating func code<C: Coder>(_ coder: inout C) throws(ProtocolError) {
    try coder.field("Name", &name)
    try coder.field("PartitionIndexes", &partitionIndexes)
    try coder.tags(&tags)
  }
}

/// Committed offsets.
public struct OffsetFetchResponse: WireStruct {
  /// How long the client was held back, in ms; always 0 here.
  public var throttleTimeMs: Int32 = 0

  /// The offsets of the one group, up to v7.
  public var topics: [Topic] = []

  /// The error of the one group, or none, up to v7.
  public var errorCode: ErrorCode = .none

  /// The groups, from v8 on.
  public var groups: [Group] = []

  /// Tagged fields that this package does not know.
  public var tags: [TaggedField] = []

  /// Every field at its default.
  public init() {}

  /// What one group committed.
  public struct Group: WireStruct {
    /// The group.
    public var groupId = ""

    /// Its offsets.
    public var topics: [Topic] = []

    /// The error, or none.
    public var errorCode: ErrorCode = .none

    /// Tagged fields that this package does not know.
    public var tags: [TaggedField] = []

    /// Every field at its default.
    public init() {}
  }

  /// What was committed for one topic.
  public struct Topic: WireStruct {
    /// The topic.
    public var name = ""

    /// Its partitions.
    public var partitions: [Partition] = []

    /// Tagged fields that this package does not know.
    public var tags: [TaggedField] = []

    /// Every field at its default.
    public init() {}

    /// What was committed for one partition.
    public struct Partition: WireStruct {
      /// The partition.
      public var partitionIndex: Int32 = 0

      /// The offset, or -1 where none was committed.
      public var committedOffset: Int64 = 0

      /// The leader epoch of the last record before it, or -1.
      public var committedLeaderEpoch: Int32 = -1

      /// What was committed with it.
      public var metadata: String?

      /// The error, or none.
      public var errorCode: ErrorCode = .none

      /// Tagged fields that this package does not know.
      public var tags: [TaggedField] = []

      /// Every field at its default.
      public init() {}
    }
  }
}

extension OffsetFetchResponse: Coded {
  package mutating func code<C: Coder>(_ coder: inout C) throws(ProtocolError) {
    try coder.field("ThrottleTimeMs", &throttleTimeMs, since: 3)
    try coder.field("Topics", &topics, until: 7)
    try coder.field("ErrorCode", &errorCode, since: 2, until: 7)
    try coder.field("Groups", &groups, since: 8)
    try coder.tags(&tags)
  }
}

extension OffsetFetchResponse.Group: Coded {
  package mutating func code<C: Coder>(_ coder: inout C) throws(ProtocolError) {
    try coder.field("GroupId", &groupId)
    try coder.field("Topics", &topics)
    try coder.field("ErrorCode", &errorCode)
    try coder.tags(&tags)
  }
}

extension OffsetFetchResponse.Topic: Coded {
  package mutating func code<C: Coder>(_ coder: inout C) throws(ProtocolError) {
    try coder.field("Name", &name)
    try coder.field("Partitions", &partitions)
    try coder.tags(&tags)
  }
}

extension OffsetFetchResponse.Topic.Partition: Coded {
  package mutating func code<C: Coder>(_ coder: inout C) throws(ProtocolError) {
    try coder.field("PartitionIndex", &partitionIndex)
    try coder.field("CommittedOffset", &committedOffset)
    try coder.field("CommittedLeaderEpoch", &committedLeaderEpoch, since: 5)
    try coder.field("Metadata", &metadata)
    try coder.field("ErrorCode", &errorCode)
    try coder.tags(&tags)
  }
}
