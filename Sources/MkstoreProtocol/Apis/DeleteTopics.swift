extension ApiSupport {
  /// From v6 on topics may be named by id.
  static let deleteTopics = ApiSupport(versions: 1...6, flexibleFrom: 4)
}

/// Deletes topics.
public struct DeleteTopicsRequest: WireStruct {
  /// The topics, by name or by id.
  public var topics: [Topic] = []

  /// The topics, by name.
  public var topicNames: [String] = []

  /// How long to wait for them to be gone, in ms.
  public var timeoutMs: Int32 = 0

  /// Tagged fields that this package does not know.
  public var tags: [TaggedField] = []

  /// Every field at its default.
  public init() {}

  /// One topic to delete.
  public struct Topic: WireStruct {
    /// Its name, or null if the id counts.
    public var name: String?

    /// Its id, or zero if the name counts.
    public var topicId: KafkaUuid = KafkaUuid()

    /// Tagged fields that this package does not know.
    public var tags: [TaggedField] = []

    /// Every field at its default.
    public init() {}
  }
}

extension DeleteTopicsRequest: Coded {
  package mutating func code<C: Coder>(_ coder: inout C) throws(ProtocolError) {
    try coder.field("Topics", &topics, since: 6)
    try coder.field("TopicNames", &topicNames, until: 5)
    try coder.field("TimeoutMs", &timeoutMs)
    try coder.tags(&tags)
  }
}

extension DeleteTopicsRequest.Topic: Coded {
  package mutating func code<C: Coder>(_ coder: inout C) throws(ProtocolError) {
    try coder.field("Name", &name)
    try coder.field("TopicId", &topicId)
    try coder.tags(&tags)
  }
}

/// The result for each topic.
public struct DeleteTopicsResponse: WireStruct {
  /// How long the client was throttled, in ms; always 0 here.
  public var throttleTimeMs: Int32 = 0

  /// The results.
  public var responses: [Topic] = []

  /// Tagged fields that this package does not know.
  public var tags: [TaggedField] = []

  /// Every field at its default.
  public init() {}

  /// The result for one topic.
  public struct Topic: WireStruct {
    /// Its name; null for an unknown id.
    public var name: String? = ""

    /// Its id.
    public var topicId: KafkaUuid = KafkaUuid()

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

extension DeleteTopicsResponse: Coded {
  package mutating func code<C: Coder>(_ coder: inout C) throws(ProtocolError) {
    try coder.field("ThrottleTimeMs", &throttleTimeMs)
    try coder.field("Responses", &responses)
    try coder.tags(&tags)
  }
}

extension DeleteTopicsResponse.Topic: Coded {
  package mutating func code<C: Coder>(_ coder: inout C) throws(ProtocolError) {
    try coder.field("Name", &name, nullableSince: 6)
    try coder.field("TopicId", &topicId, since: 6)
    try coder.field("ErrorCode", &errorCode)
    try coder.field("ErrorMessage", &errorMessage, since: 5)
    try coder.tags(&tags)
  }
}
