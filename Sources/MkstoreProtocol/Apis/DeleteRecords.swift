extension ApiSupport {
  /// All versions have the same fields.
  static let deleteRecords = ApiSupport(versions: 0...2, flexibleFrom: 2)
}

/// Deletes the oldest records of partitions.
public struct DeleteRecordsRequest: WireStruct {
  /// The topics.
  public var topics: [Topic] = []

  /// How long to wait for other replicas, in ms.
  public var timeoutMs: Int32 = 0

  /// Tagged fields that this package does not know.
  public var tags: [TaggedField] = []

  /// Every field at its default.
  public init() {}

  /// One topic.
  public struct Topic: WireStruct {
    /// Its name.
    public var name = ""

    /// The partitions.
    public var partitions: [Partition] = []

    /// Tagged fields that this package does not know.
    public var tags: [TaggedField] = []

    /// Every field at its default.
    public init() {}

    /// One partition.
    public struct Partition: WireStruct {
      /// Its number.
      public var partitionIndex: Int32 = 0

      /// The records before this offset are deleted; `DeleteRecordsRequest.highWatermark`: all
      /// that are acknowledged.
      public var offset: Int64 = 0

      /// Tagged fields that this package does not know.
      public var tags: [TaggedField] = []

      /// Every field at its default.
      public init() {}
    }
  }

  /// The offset that means the high watermark.
  public static let highWatermark: Int64 = -1
}

extension DeleteRecordsRequest: Coded {
  package mutating func code<C: Coder>(_ coder: inout C) throws(ProtocolError) {
    try coder.field("Topics", &topics)
    try coder.field("TimeoutMs", &timeoutMs)
    try coder.tags(&tags)
  }
}

extension DeleteRecordsRequest.Topic: Coded {
  package mutating func code<C: Coder>(_ coder: inout C) throws(ProtocolError) {
    try coder.field("Name", &name)
    try coder.field("Partitions", &partitions)
    try coder.tags(&tags)
  }
}

extension DeleteRecordsRequest.Topic.Partition: Coded {
  package mutating func code<C: Coder>(_ coder: inout C) throws(ProtocolError) {
    try coder.field("PartitionIndex", &partitionIndex)
    try coder.field("Offset", &offset)
    try coder.tags(&tags)
  }
}

/// Where each partition begins now.
public struct DeleteRecordsResponse: WireStruct {
  /// How long the client was throttled, in ms; always 0 here.
  public var throttleTimeMs: Int32 = 0

  /// The topics.
  public var topics: [Topic] = []

  /// Tagged fields that this package does not know.
  public var tags: [TaggedField] = []

  /// Every field at its default.
  public init() {}

  /// One topic.
  public struct Topic: WireStruct {
    /// Its name.
    public var name = ""

    /// The partitions.
    public var partitions: [Partition] = []

    /// Tagged fields that this package does not know.
    public var tags: [TaggedField] = []

    /// Every field at its default.
    public init() {}

    /// One partition.
    public struct Partition: WireStruct {
      /// Its number.
      public var partitionIndex: Int32 = 0

      /// The offset of its first record; -1 with an error.
      public var lowWatermark: Int64 = 0

      /// The error, or none.
      public var errorCode: ErrorCode = .none

      /// Tagged fields that this package does not know.
      public var tags: [TaggedField] = []

      /// Every field at its default.
      public init() {}
    }
  }
}

extension DeleteRecordsResponse: Coded {
  package mutating func code<C: Coder>(_ coder: inout C) throws(ProtocolError) {
    try coder.field("ThrottleTimeMs", &throttleTimeMs)
    try coder.field("Topics", &topics)
    try coder.tags(&tags)
  }
}

extension DeleteRecordsResponse.Topic: Coded {
  package mutating func code<C: Coder>(_ coder: inout C) throws(ProtocolError) {
    try coder.field("Name", &name)
    try coder.field("Partitions", &partitions)
    try coder.tags(&tags)
  }
}

extension DeleteRecordsResponse.Topic.Partition: Coded {
  package mutating func code<C: Coder>(_ coder: inout C) throws(ProtocolError) {
    try coder.field("PartitionIndex", &partitionIndex)
    try coder.field("LowWatermark", &lowWatermark)
    try coder.field("ErrorCode", &errorCode)
    try coder.tags(&tags)
  }
}
