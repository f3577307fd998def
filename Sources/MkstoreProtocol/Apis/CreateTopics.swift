extension ApiSupport {
  /// From v5 on the answer has the partitions and the configuration.
  static let createTopics = ApiSupport(versions: 2...7, flexibleFrom: 5)
}

/// Creates topics.
public struct CreateTopicsRequest: WireStruct {
  /// The topics.
  public var topics: [Topic] = []

  /// How long to wait for them to be there, in ms.
  public var timeoutMs: Int32 = 60_000

  /// Whether only to check the request.
  public var validateOnly = false

  /// Tagged fields that this package does not know.
  public var tags: [TaggedField] = []

  /// Every field at its default.
  public init() {}

  /// One topic to create.
  public struct Topic: WireStruct {
    /// Its name.
    public var name = ""

    /// The number of partitions, or -1 for the default or with `assignments`.
    public var numPartitions: Int32 = 0

    /// The number of replicas, or -1 likewise.
    public var replicationFactor: Int16 = 0

    /// The brokers for each partition; usually empty.
    public var assignments: [Assignment] = []

    /// The configuration other than the default.
    public var configs: [Config] = []

    /// Tagged fields that this package does not know.
    public var tags: [TaggedField] = []

    /// Every field at its default.
    public init() {}

    /// The brokers for one partition.
    public struct Assignment: WireStruct {
      /// The partition.
      public var partitionIndex: Int32 = 0

      /// The brokers, the leader first.
      public var brokerIds: [Int32] = []

      /// Tagged fields that this package does not know.
      public var tags: [TaggedField] = []

      /// Every field at its default.
      public init() {}
    }

    /// One setting.
    public struct Config: WireStruct {
      /// Its name.
      public var name = ""

      /// Its value, or null.
      public var value: String?

      /// Tagged fields that this package does not know.
      public var tags: [TaggedField] = []

      /// Every field at its default.
      public init() {}
    }
  }
}

extension CreateTopicsRequest: Coded {
  package mutating func code<C: Coder>(_ coder: inout C) throws(ProtocolError) {
    try coder.field("Topics", &topics)
    try coder.field("timeoutMs", &timeoutMs)
    try coder.field("validateOnly", &validateOnly)
    try coder.tags(&tags)
  }
}

extension CreateTopicsRequest.Topic: Coded {
  package mutating func code<C: Coder>(_ coder: inout C) throws(ProtocolError) {
    try coder.field("Name", &name)
    try coder.field("NumPartitions", &numPartitions)
    try coder.field("ReplicationFactor", &replicationFactor)
    try coder.field("Assignments", &assignments)
    try coder.field("Configs", &configs)
    try coder.tags(&tags)
  }
}

extension CreateTopicsRequest.Topic.Assignment: Coded {
  package mutating func code<C: Coder>(_ coder: inout C) throws(ProtocolError) {
    try coder.field("PartitionIndex", &partitionIndex)
    try coder.field("BrokerIds", &brokerIds)
    try coder.tags(&tags)
  }
}

extension CreateTopicsRequest.Topic.Config: Coded {
  package mutating func code<C: Coder>(_ coder: inout C) throws(ProtocolError) {
    try coder.field("Name", &name)
    try coder.field("Value", &value)
    try coder.tags(&tags)
  }
}

/// The result for each topic.
public struct CreateTopicsResponse: WireStruct {
  /// How long the client was throttled, in ms; always 0 here.
  public var throttleTimeMs: Int32 = 0

  /// The results.
  public var topics: [Topic] = []

  /// Tagged fields that this package does not know.
  public var tags: [TaggedField] = []

  /// Every field at its default.
  public init() {}

  /// The result for one topic.
  public struct Topic: WireStruct {
    /// The topic.
    public var name = ""

    /// Its id.
    public var topicId: KafkaUuid = KafkaUuid()

    /// The error, or none.
    public var errorCode: ErrorCode = .none

    /// The error in words, or null.
    public var errorMessage: String?

    /// Its number of partitions, or -1.
    public var numPartitions: Int32 = -1

    /// Its number of replicas, or -1.
    public var replicationFactor: Int16 = -1

    /// Its configuration; null if it may not be shown.
    public var configs: [Config]?

    /// Why the configuration is not shown.
    public var topicConfigErrorCode: ErrorCode = .none

    /// Tagged fields that this package does not know.
    public var tags: [TaggedField] = []

    /// Every field at its default.
    public init() {}

    /// One setting.
    public struct Config: WireStruct {
      /// Its name.
      public var name = ""

      /// Its value, or null.
      public var value: String?

      /// Whether it cannot be changed.
      public var readOnly = false

      /// Where it comes from: 1 the topic, 4 the broker's file, 5 the default.
      public var configSource: Int8 = -1

      /// Whether its value is hidden.
      public var isSensitive = false

      /// Tagged fields that this package does not know.
      public var tags: [TaggedField] = []

      /// Every field at its default.
      public init() {}
    }
  }
}

extension CreateTopicsResponse: Coded {
  package mutating func code<C: Coder>(_ coder: inout C) throws(ProtocolError) {
    try coder.field("ThrottleTimeMs", &throttleTimeMs)
    try coder.field("Topics", &topics)
    try coder.tags(&tags)
  }
}

extension CreateTopicsResponse.Topic: Coded {
  package mutating func code<C: Coder>(_ coder: inout C) throws(ProtocolError) {
    try coder.field("Name", &name)
    try coder.field("TopicId", &topicId, since: 7)
    try coder.field("ErrorCode", &errorCode)
    try coder.field("ErrorMessage", &errorMessage)
    try coder.field("NumPartitions", &numPartitions, since: 5)
    try coder.field("ReplicationFactor", &replicationFactor, since: 5)
    try coder.field("Configs", &configs, since: 5)
    var section = try coder.openTags(tags)
    try coder.tag(0, "TopicConfigErrorCode", &topicConfigErrorCode, unless: .none, in: &section)
    try coder.closeTags(section, &tags)
  }
}

extension CreateTopicsResponse.Topic.Config: Coded {
  package mutating func code<C: Coder>(_ coder: inout C) throws(ProtocolError) {
    try coder.field("Name", &name)
    try coder.field("Value", &value)
    try coder.field("ReadOnly", &readOnly)
    try coder.field("ConfigSource", &configSource)
    try coder.field("IsSensitive", &isSensitive)
    try coder.tags(&tags)
  }
}
