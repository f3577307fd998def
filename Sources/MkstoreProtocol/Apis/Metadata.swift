extension ApiSupport {
  /// v12 is the last version of Kafka 3.9; topics may be asked for by id from v10 on.
  static let metadata = ApiSupport(versions: 0...12, flexibleFrom: 9)
}

/// Asks for the brokers, and for topics with their partitions.
public struct MetadataRequest: WireStruct {
  /// The topics; null means all, and so does an empty array in v0.
  public var topics: [Topic]?

  /// Whether to create the topics that are missing.
  public var allowAutoTopicCreation = true

  /// Whether to answer what the client may do with the cluster.
  public var includeClusterAuthorizedOperations = false

  /// Whether to answer what the client may do with each topic.
  public var includeTopicAuthorizedOperations = false

  /// Tagged fields that this package does not know.
  public var tags: [TaggedField] = []

  /// Every field at its default.
  public init() {}

  /// One topic to ask for.
  public struct Topic: WireStruct {
    /// Its id, or zero if the name counts.
    public var topicId: KafkaUuid = KafkaUuid()

    /// Its name, or null if the id counts.
    public var name: String? = ""

    /// Tagged fields that this package does not know.
    public var tags: [TaggedField] = []

    /// Every field at its default.
    public init() {}
  }
}

extension MetadataRequest {
  /// Whether this request, of `version`, asks for every topic: null, or in v0 none.
  public func isForAllTopics(version: Int16) -> Bool {
    topics.map { version == 0 && $0.isEmpty } ?? true
  }
}

extension MetadataRequest: Coded {
  package mutating func code<C: Coder>(_ coder: inout C) throws(ProtocolError) {
    try coder.field("Topics", &topics, nullableSince: 1)
    try coder.field("AllowAutoTopicCreation", &allowAutoTopicCreation, since: 4)
    try coder.field(
      "IncludeClusterAuthorizedOperations", &includeClusterAuthorizedOperations,
      since: 8, until: 10)
    try coder.field("IncludeTopicAuthorizedOperations", &includeTopicAuthorizedOperations, since: 8)
    try coder.tags(&tags)
  }
}

extension MetadataRequest.Topic: Coded {
  package mutating func code<C: Coder>(_ coder: inout C) throws(ProtocolError) {
    try coder.field("TopicId", &topicId, since: 10)
    try coder.field("Name", &name, nullableSince: 10)
    try coder.tags(&tags)
  }
}

/// The brokers, and topics with their partitions.
public struct MetadataResponse: WireStruct {
  /// How long the client was throttled, in ms; always 0 here.
  public var throttleTimeMs: Int32 = 0

  /// Every broker.
  public var brokers: [Broker] = []

  /// The cluster, or null.
  public var clusterId: String?

  /// The broker that creates topics, or -1.
  public var controllerId: Int32 = -1

  /// Every topic that was asked for.
  public var topics: [Topic] = []

  /// What the client may do with the cluster, one bit each; `min` if not asked.
  public var clusterAuthorizedOperations: Int32 = .min

  /// Tagged fields that this package does not know.
  public var tags: [TaggedField] = []

  /// Every field at its default.
  public init() {}

  /// One broker.
  public struct Broker: WireStruct {
    /// Its id.
    public var nodeId: Int32 = 0

    /// The host that clients reach it at.
    public var host = ""

    /// The port that clients reach it at.
    public var port: Int32 = 0

    /// Its rack, or null.
    public var rack: String?

    /// Tagged fields that this package does not know.
    public var tags: [TaggedField] = []

    /// Every field at its default.
    public init() {}
  }

  /// One topic.
  public struct Topic: WireStruct {
    /// The error, or none.
    public var errorCode: ErrorCode = .none

    /// Its name; null for an unknown id.
    public var name: String? = ""

    /// Its id.
    public var topicId: KafkaUuid = KafkaUuid()

    /// Whether it is Kafka's own.
    public var isInternal = false

    /// Every partition.
    public var partitions: [Partition] = []

    /// What the client may do with it, one bit each; `min` if not asked.
    public var topicAuthorizedOperations: Int32 = .min

    /// Tagged fields that this package does not know.
    public var tags: [TaggedField] = []

    /// Every field at its default.
    public init() {}

    /// One partition.
    public struct Partition: WireStruct {
      /// The error, or none.
      public var errorCode: ErrorCode = .none

      /// Its number.
      public var partitionIndex: Int32 = 0

      /// The broker that leads it, or -1.
      public var leaderId: Int32 = 0

      /// The leader's epoch, or -1.
      public var leaderEpoch: Int32 = -1

      /// The brokers that hold it.
      public var replicaNodes: [Int32] = []

      /// Those of them that are in sync.
      public var isrNodes: [Int32] = []

      /// Those of them that are down.
      public var offlineReplicas: [Int32] = []

      /// Tagged fields that this package does not know.
      public var tags: [TaggedField] = []

      /// Every field at its default.
      public init() {}
    }
  }
}

extension MetadataResponse: Coded {
  package mutating func code<C: Coder>(_ coder: inout C) throws(ProtocolError) {
    try coder.field("ThrottleTimeMs", &throttleTimeMs, since: 3)
    try coder.field("Brokers", &brokers)
    try coder.field("ClusterId", &clusterId, since: 2)
    try coder.field("ControllerId", &controllerId, since: 1)
    try coder.field("Topics", &topics)
    try coder.field(
      "ClusterAuthorizedOperations", &clusterAuthorizedOperations, since: 8, until: 10)
    try coder.tags(&tags)
  }
}

extension MetadataResponse.Broker: Coded {
  package mutating func code<C: Coder>(_ coder: inout C) throws(ProtocolError) {
    try coder.field("NodeId", &nodeId)
    try coder.field("Host", &host)
    try coder.field("Port", &port)
    try coder.field("Rack", &rack, since: 1)
    try coder.tags(&tags)
  }
}

extension MetadataResponse.Topic: Coded {
  package mutating func code<C: Coder>(_ coder: inout C) throws(ProtocolError) {
    try coder.field("ErrorCode", &errorCode)
    try coder.field("Name", &name, nullableSince: 12)
    try coder.field("TopicId", &topicId, since: 10)
    try coder.field("IsInternal", &isInternal, since: 1)
    try coder.field("Partitions", &partitions)
    try coder.field("TopicAuthorizedOperations", &topicAuthorizedOperations, since: 8)
    try coder.tags(&tags)
  }
}

extension MetadataResponse.Topic.Partition: Coded {
  package mutating func code<C: Coder>(_ coder: inout C) throws(ProtocolError) {
    try coder.field("ErrorCode", &errorCode)
    try coder.field("PartitionIndex", &partitionIndex)
    try coder.field("LeaderId", &leaderId)
    try coder.field("LeaderEpoch", &leaderEpoch, since: 7)
    try coder.field("ReplicaNodes", &replicaNodes)
    try coder.field("IsrNodes", &isrNodes)
    try coder.field("OfflineReplicas", &offlineReplicas, since: 5)
    try coder.tags(&tags)
  }
}
