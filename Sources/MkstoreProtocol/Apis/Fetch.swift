extension ApiSupport {
  /// v4 must be offered, or old librdkafka writes old message formats (docs/protocol.md); v12 is
  /// the last version that names topics.
  static let fetch = ApiSupport(versions: 4...12, flexibleFrom: 12)
}

/// Asks for record batches from given offsets on.
public struct FetchRequest: WireStruct {
  /// The broker that asks, or -1 for a consumer.
  public var replicaId: Int32 = -1

  /// How long to wait for `minBytes`, in ms.
  public var maxWaitMs: Int32 = 0

  /// How many bytes to wait for.
  public var minBytes: Int32 = 0

  /// How many bytes the answer may have; the first batch is returned whole anyway.
  public var maxBytes: Int32 = .max

  /// 0 read_uncommitted: up to the high watermark; 1 read_committed: up to the last stable offset.
  public var isolationLevel: Int8 = 0

  /// Whether records of open and aborted transactions are withheld.
  public var isReadCommitted: Bool { isolationLevel == 1 }

  /// The fetch session, or 0 for none.
  public var sessionId: Int32 = 0

  /// The session's count: -1 no session, 0 asks for a new one.
  public var sessionEpoch: Int32 = -1

  /// What to fetch, or in a session what has changed.
  public var topics: [Topic] = []

  /// What to drop from the session.
  public var forgottenTopicsData: [ForgottenTopic] = []

  /// The rack of the client.
  public var rackId = ""

  /// The cluster the client means, or null; for brokers only.
  public var clusterId: String?

  /// Tagged fields that this package does not know.
  public var tags: [TaggedField] = []

  /// Every field at its default.
  public init() {}

  /// What to fetch of one topic.
  public struct Topic: WireStruct {
    /// The topic.
    public var topic = ""

    /// What to fetch, by partition.
    public var partitions: [Partition] = []

    /// Tagged fields that this package does not know.
    public var tags: [TaggedField] = []

    /// Every field at its default.
    public init() {}

    /// What to fetch of one partition.
    public struct Partition: WireStruct {
      /// The partition.
      public var partition: Int32 = 0

      /// The leader epoch the client knows, or -1 not to check it.
      public var currentLeaderEpoch: Int32 = -1

      /// The offset to start at.
      public var fetchOffset: Int64 = 0

      /// The epoch of the last record the client has, or -1.
      public var lastFetchedEpoch: Int32 = -1

      /// The first offset of a follower's log, or -1.
      public var logStartOffset: Int64 = -1

      /// How many bytes of this partition the answer may have.
      public var partitionMaxBytes: Int32 = 0

      /// Tagged fields that this package does not know.
      public var tags: [TaggedField] = []

      /// Every field at its default.
      public init() {}
    }
  }

  /// Partitions of one topic to drop from the session.
  public struct ForgottenTopic: WireStruct {
    /// The topic.
    public var topic = ""

    /// The partitions.
    public var partitions: [Int32] = []

    /// Tagged fields that this package does not know.
    public var tags: [TaggedField] = []

    /// Every field at its default.
    public init() {}
  }
}

extension FetchRequest: Coded {
  package mutating func code<C: Coder>(_ coder: inout C) throws(ProtocolError) {
    try coder.field("ReplicaId", &replicaId)
    try coder.field("MaxWaitMs", &maxWaitMs)
    try coder.field("MinBytes", &minBytes)
    try coder.field("MaxBytes", &maxBytes)
    try coder.field("IsolationLevel", &isolationLevel)
    try coder.field("SessionId", &sessionId, since: 7)
    try coder.field("SessionEpoch", &sessionEpoch, since: 7)
    try coder.field("Topics", &topics)
    try coder.field("ForgottenTopicsData", &forgottenTopicsData, since: 7)
    try coder.field("RackId", &rackId, since: 11)
    var section = try coder.openTags(tags)
    try coder.tag(0, "ClusterId", &clusterId, unless: nil, in: &section)
    try coder.closeTags(section, &tags)
  }
}

extension FetchRequest.Topic: Coded {
  package mutating func code<C: Coder>(_ coder: inout C) throws(ProtocolError) {
    try coder.field("Topic", &topic)
    try coder.field("Partitions", &partitions)
    try coder.tags(&tags)
  }
}

extension FetchRequest.Topic.Partition: Coded {
  package mutating func code<C: Coder>(_ coder: inout C) throws(ProtocolError) {
    try coder.field("Partition", &partition)
    try coder.field("CurrentLeaderEpoch", &currentLeaderEpoch, since: 9)
    try coder.field("FetchOffset", &fetchOffset)
    try coder.field("LastFetchedEpoch", &lastFetchedEpoch, since: 12)
    try coder.field("LogStartOffset", &logStartOffset, since: 5)
    try coder.field("PartitionMaxBytes", &partitionMaxBytes)
    try coder.tags(&tags)
  }
}

extension FetchRequest.ForgottenTopic: Coded {
  package mutating func code<C: Coder>(_ coder: inout C) throws(ProtocolError) {
    try coder.field("Topic", &topic)
    try coder.field("Partitions", &partitions)
    try coder.tags(&tags)
  }
}

/// Record batches, as gaps in the encoded frame.
public struct FetchResponse: WireStruct {
  /// How long the client was throttled, in ms; always 0 here.
  public var throttleTimeMs: Int32 = 0

  /// The error of the request as a whole, or none.
  public var errorCode: ErrorCode = .none

  /// The fetch session, or 0 for none.
  public var sessionId: Int32 = 0

  /// The results, by topic.
  public var responses: [Topic] = []

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
      /// The partition.
      public var partitionIndex: Int32 = 0

      /// The error, or none.
      public var errorCode: ErrorCode = .none

      /// The end of what is on every replica, or -1 after an error.
      public var highWatermark: Int64 = 0

      /// The end of what read_committed clients may read; librdkafka reads no further.
      public var lastStableOffset: Int64 = -1

      /// The first offset of the log, or -1.
      public var logStartOffset: Int64 = -1

      /// Null for read_uncommitted.
      public var abortedTransactions: [AbortedTransaction]?

      /// A broker nearer to the client, or -1.
      public var preferredReadReplica: Int32 = -1

      /// The batches; Kafka sends an empty range, not null, when there are none.
      public var records: ByteRange?

      /// Where the client's log diverges from ours, or nil; for followers.
      public var divergingEpoch: DivergingEpoch?

      /// The leader, if the client has it wrong, else nil.
      public var currentLeader: LeaderIdAndEpoch?

      /// The snapshot to fetch instead, or nil; for followers.
      public var snapshotId: SnapshotId?

      /// Tagged fields that this package does not know.
      public var tags: [TaggedField] = []

      /// Every field at its default.
      public init() {}

      /// A transaction to skip.
      public struct AbortedTransaction: WireStruct {
        /// Its producer.
        public var producerId: Int64 = 0

        /// The offset of its first record.
        public var firstOffset: Int64 = 0

        /// Tagged fields that this package does not know.
        public var tags: [TaggedField] = []

        /// Every field at its default.
        public init() {}
      }

      /// Where two logs diverge.
      public struct DivergingEpoch: WireStruct {
        /// The largest epoch both have.
        public var epoch: Int32 = -1

        /// The end offset of that epoch.
        public var endOffset: Int64 = -1

        /// Tagged fields that this package does not know.
        public var tags: [TaggedField] = []

        /// Every field at its default.
        public init() {}
      }

      /// A leader.
      public struct LeaderIdAndEpoch: WireStruct {
        /// Its node id, or -1 if unknown.
        public var leaderId: Int32 = -1

        /// Its epoch.
        public var leaderEpoch: Int32 = -1

        /// Tagged fields that this package does not know.
        public var tags: [TaggedField] = []

        /// Every field at its default.
        public init() {}
      }

      /// A snapshot.
      public struct SnapshotId: WireStruct {
        /// The offset after its last record.
        public var endOffset: Int64 = -1

        /// Its epoch.
        public var epoch: Int32 = -1

        /// Tagged fields that this package does not know.
        public var tags: [TaggedField] = []

        /// Every field at its default.
        public init() {}
      }
    }
  }
}

extension FetchResponse: Coded {
  package mutating func code<C: Coder>(_ coder: inout C) throws(ProtocolError) {
    try coder.field("ThrottleTimeMs", &throttleTimeMs)
    try coder.field("ErrorCode", &errorCode, since: 7)
    try coder.field("SessionId", &sessionId, since: 7)
    try coder.field("Responses", &responses)
    try coder.tags(&tags)
  }
}

extension FetchResponse.Topic: Coded {
  package mutating func code<C: Coder>(_ coder: inout C) throws(ProtocolError) {
    try coder.field("Topic", &topic)
    try coder.field("Partitions", &partitions)
    try coder.tags(&tags)
  }
}

extension FetchResponse.Topic.Partition: Coded {
  package mutating func code<C: Coder>(_ coder: inout C) throws(ProtocolError) {
    try coder.field("PartitionIndex", &partitionIndex)
    try coder.field("ErrorCode", &errorCode)
    try coder.field("HighWatermark", &highWatermark)
    try coder.field("LastStableOffset", &lastStableOffset)
    try coder.field("LogStartOffset", &logStartOffset, since: 5)
    try coder.field("AbortedTransactions", &abortedTransactions)
    try coder.field("PreferredReadReplica", &preferredReadReplica, since: 11)
    try coder.field("Records", &records)
    var section = try coder.openTags(tags)
    try coder.tag(0, "DivergingEpoch", &divergingEpoch, in: &section)
    try coder.tag(1, "CurrentLeader", &currentLeader, in: &section)
    try coder.tag(2, "SnapshotId", &snapshotId, in: &section)
    try coder.closeTags(section, &tags)
  }
}

extension FetchResponse.Topic.Partition.AbortedTransaction: Coded {
  package mutating func code<C: Coder>(_ coder: inout C) throws(ProtocolError) {
    try coder.field("ProducerId", &producerId)
    try coder.field("FirstOffset", &firstOffset)
    try coder.tags(&tags)
  }
}

extension FetchResponse.Topic.Partition.DivergingEpoch: Coded {
  package mutating func code<C: Coder>(_ coder: inout C) throws(ProtocolError) {
    try coder.field("Epoch", &epoch)
    try coder.field("EndOffset", &endOffset)
    try coder.tags(&tags)
  }
}

extension FetchResponse.Topic.Partition.LeaderIdAndEpoch: Coded {
  package mutating func code<C: Coder>(_ coder: inout C) throws(ProtocolError) {
    try coder.field("LeaderId", &leaderId)
    try coder.field("LeaderEpoch", &leaderEpoch)
    try coder.tags(&tags)
  }
}

extension FetchResponse.Topic.Partition.SnapshotId: Coded {
  package mutating func code<C: Coder>(_ coder: inout C) throws(ProtocolError) {
    try coder.field("EndOffset", &endOffset)
    try coder.field("Epoch", &epoch)
    try coder.tags(&tags)
  }
}
