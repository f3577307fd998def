extension ApiSupport {
  /// v0 must be offered, or old librdkafka stops compressing (docs/protocol.md); v0 to v2 carry the
  /// old message formats, which a server refuses.
  static let produce = ApiSupport(versions: 0...9, flexibleFrom: 9)
}

/// Appends record batches to partitions.
public struct ProduceRequest: WireStruct {
  /// The transaction the records belong to, or null.
  public var transactionalId: String?

  /// Whose writes the answer waits for: 0 no answer, 1 the leader's, -1 all replicas'.
  public var acks: Int16 = 0

  /// How long to wait for replicas, in ms.
  public var timeoutMs: Int32 = 0

  /// The records, by topic.
  public var topicData: [Topic] = []

  /// Tagged fields that this package does not know.
  public var tags: [TaggedField] = []

  /// Every field at its default.
  public init() {}

  /// The records for one topic.
  public struct Topic: WireStruct {
    /// The topic.
    public var name = ""

    /// The records, by partition.
    public var partitionData: [Partition] = []

    /// Tagged fields that this package does not know.
    public var tags: [TaggedField] = []

    /// Every field at its default.
    public init() {}

    /// The records for one partition.
    public struct Partition: WireStruct {
      /// The partition.
      public var index: Int32 = 0

      /// The batch's position in the frame; null or empty is an error.
      public var records: ByteRange?

      /// Tagged fields that this package does not know.
      public var tags: [TaggedField] = []

      /// Every field at its default.
      public init() {}
    }
  }
}

extension ProduceRequest: Coded {
  package mutating func code<C: Coder>(_ coder: inout C) throws(ProtocolError) {
    try coder.field("TransactionalId", &transactionalId, since: 3)
    try coder.field("Acks", &acks)
    try coder.field("TimeoutMs", &timeoutMs)
    try coder.field("TopicData", &topicData)
    try coder.tags(&tags)
  }
}

extension ProduceRequest.Topic: Coded {
  package mutating func code<C: Coder>(_ coder: inout C) throws(ProtocolError) {
    try coder.field("Name", &name)
    try coder.field("PartitionData", &partitionData)
    try coder.tags(&tags)
  }
}

extension ProduceRequest.Topic.Partition: Coded {
  package mutating func code<C: Coder>(_ coder: inout C) throws(ProtocolError) {
    try coder.field("Index", &index)
    try coder.field("Records", &records)
    try coder.tags(&tags)
  }
}

/// The result for each batch.
public struct ProduceResponse: WireStruct {
  /// The results, by topic.
  public var responses: [Topic] = []

  /// How long the client was throttled, in ms; always 0 here.
  public var throttleTimeMs: Int32 = 0

  /// Tagged fields that this package does not know.
  public var tags: [TaggedField] = []

  /// Every field at its default.
  public init() {}

  /// The results for one topic.
  public struct Topic: WireStruct {
    /// The topic.
    public var name = ""

    /// The results, by partition.
    public var partitionResponses: [Partition] = []

    /// Tagged fields that this package does not know.
    public var tags: [TaggedField] = []

    /// Every field at its default.
    public init() {}

    /// The result for one partition.
    public struct Partition: WireStruct {
      /// The partition.
      public var index: Int32 = 0

      /// The error, or none.
      public var errorCode: ErrorCode = .none

      /// The offset of the first record appended, or -1.
      public var baseOffset: Int64 = 0

      /// The time that the log set for the records, or -1 if they keep their own.
      public var logAppendTimeMs: Int64 = -1

      /// The first offset of the log, or -1.
      public var logStartOffset: Int64 = -1

      /// The records that caused the refusal.
      public var recordErrors: [RecordError] = []

      /// The error in words, or null.
      public var errorMessage: String?

      /// Tagged fields that this package does not know.
      public var tags: [TaggedField] = []

      /// Every field at its default.
      public init() {}

      /// One record that caused the refusal of its batch.
      public struct RecordError: WireStruct {
        /// The record's index in the batch.
        public var batchIndex: Int32 = 0

        /// What is wrong with it, or null.
        public var batchIndexErrorMessage: String?

        /// Tagged fields that this package does not know.
        public var tags: [TaggedField] = []

        /// Every field at its default.
        public init() {}
      }
    }
  }
}

extension ProduceResponse: Coded {
  package mutating func code<C: Coder>(_ coder: inout C) throws(ProtocolError) {
    try coder.field("Responses", &responses)
    try coder.field("ThrottleTimeMs", &throttleTimeMs, since: 1)
    try coder.tags(&tags)
  }
}

extension ProduceResponse.Topic: Coded {
  package mutating func code<C: Coder>(_ coder: inout C) throws(ProtocolError) {
    try coder.field("Name", &name)
    try coder.field("PartitionResponses", &partitionResponses)
    try coder.tags(&tags)
  }
}

extension ProduceResponse.Topic.Partition: Coded {
  package mutating func code<C: Coder>(_ coder: inout C) throws(ProtocolError) {
    try coder.field("Index", &index)
    try coder.field("ErrorCode", &errorCode)
    try coder.field("BaseOffset", &baseOffset)
    try coder.field("LogAppendTimeMs", &logAppendTimeMs, since: 2)
    try coder.field("LogStartOffset", &logStartOffset, since: 5)
    try coder.field("RecordErrors", &recordErrors, since: 8)
    try coder.field("ErrorMessage", &errorMessage, since: 8)
    try coder.tags(&tags)
  }
}

extension ProduceResponse.Topic.Partition.RecordError: Coded {
  package mutating func code<C: Coder>(_ coder: inout C) throws(ProtocolError) {
    try coder.field("BatchIndex", &batchIndex)
    try coder.field("BatchIndexErrorMessage", &batchIndexErrorMessage)
    try coder.tags(&tags)
  }
}
