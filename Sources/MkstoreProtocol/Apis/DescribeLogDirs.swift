extension ApiSupport {
  /// v1 is v0; v4 adds the sizes of the volume.
  static let describeLogDirs = ApiSupport(versions: 0...4, flexibleFrom: 2)
}

/// Asks how much the partitions take up on disk.
public struct DescribeLogDirsRequest: WireStruct {
  /// The topics; null means all.
  public var topics: [Topic]?

  /// Tagged fields that this package does not know.
  public var tags: [TaggedField] = []

  /// Every field at its default.
  public init() {}

  /// Partitions of one topic.
  public struct Topic: WireStruct {
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

extension DescribeLogDirsRequest: Coded {
  package mutating func code<C: Coder>(_ coder: inout C) throws(ProtocolError) {
    try coder.field("Topics", &topics)
    try coder.tags(&tags)
  }
}

extension DescribeLogDirsRequest.Topic: Coded {
  package mutating func code<C: Coder>(_ coder: inout C) throws(ProtocolError) {
    try coder.field("Topic", &topic)
    try coder.field("Partitions", &partitions)
    try coder.tags(&tags)
  }
}

/// How much the partitions take up on disk.
public struct DescribeLogDirsResponse: WireStruct {
  /// How long the client was throttled, in ms; always 0 here.
  public var throttleTimeMs: Int32 = 0

  /// The error, or none.
  public var errorCode: ErrorCode = .none

  /// The results, by directory.
  public var results: [Result] = []

  /// Tagged fields that this package does not know.
  public var tags: [TaggedField] = []

  /// Every field at its default.
  public init() {}

  /// One directory.
  public struct Result: WireStruct {
    /// The error, or none.
    public var errorCode: ErrorCode = .none

    /// Its absolute path.
    public var logDir = ""

    /// What it holds.
    public var topics: [Topic] = []

    /// The size of its volume, or -1.
    public var totalBytes: Int64 = -1

    /// What is free on its volume, or -1.
    public var usableBytes: Int64 = -1

    /// Tagged fields that this package does not know.
    public var tags: [TaggedField] = []

    /// Every field at its default.
    public init() {}

    /// Partitions of one topic.
    public struct Topic: WireStruct {
      /// The topic.
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

        /// The bytes of its segments.
        public var partitionSize: Int64 = 0

        /// How many offsets it is behind.
        public var offsetLag: Int64 = 0

        /// Whether it is a copy on its way to another directory.
        public var isFutureKey = false

        /// Tagged fields that this package does not know.
        public var tags: [TaggedField] = []

        /// Every field at its default.
        public init() {}
      }
    }
  }
}

extension DescribeLogDirsResponse: Coded {
  package mutating func code<C: Coder>(_ coder: inout C) throws(ProtocolError) {
    try coder.field("ThrottleTimeMs", &throttleTimeMs)
    try coder.field("ErrorCode", &errorCode, since: 3)
    try coder.field("Results", &results)
    try coder.tags(&tags)
  }
}

extension DescribeLogDirsResponse.Result: Coded {
  package mutating func code<C: Coder>(_ coder: inout C) throws(ProtocolError) {
    try coder.field("ErrorCode", &errorCode)
    try coder.field("LogDir", &logDir)
    try coder.field("Topics", &topics)
    try coder.field("TotalBytes", &totalBytes, since: 4)
    try coder.field("UsableBytes", &usableBytes, since: 4)
    try coder.tags(&tags)
  }
}

extension DescribeLogDirsResponse.Result.Topic: Coded {
  package mutating func code<C: Coder>(_ coder: inout C) throws(ProtocolError) {
    try coder.field("Name", &name)
    try coder.field("Partitions", &partitions)
    try coder.tags(&tags)
  }
}

extension DescribeLogDirsResponse.Result.Topic.Partition: Coded {
  package mutating func code<C: Coder>(_ coder: inout C) throws(ProtocolError) {
    try coder.field("PartitionIndex", &partitionIndex)
    try coder.field("PartitionSize", &partitionSize)
    try coder.field("OffsetLag", &offsetLag)
    try coder.field("IsFutureKey", &isFutureKey)
    try coder.tags(&tags)
  }
}
