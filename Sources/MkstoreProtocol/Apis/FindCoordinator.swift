extension ApiSupport {
  /// v0 must be offered, or old librdkafka uses no lz4 (docs/protocol.md); from v4 on one request
  /// asks for many keys.
  static let findCoordinator = ApiSupport(versions: 0...4, flexibleFrom: 3)
}

/// Asks which broker coordinates a group or a transaction.
public struct FindCoordinatorRequest: WireStruct {
  /// The group or transaction.
  public var key = ""

  /// `keyType` of a consumer group.
  public static let group: Int8 = 0
  /// `keyType` of a transaction.
  public static let transaction: Int8 = 1

  /// What the keys name.
  public var keyType = group

  /// The groups or transactions.
  public var coordinatorKeys: [String] = []

  /// Tagged fields that this package does not know.
  public var tags: [TaggedField] = []

  /// Every field at its default.
  public init() {}
}

extension FindCoordinatorRequest: Coded {
  package mutating func code<C: Coder>(_ coder: inout C) throws(ProtocolError) {
    try coder.field("Key", &key, until: 3)
    try coder.field("KeyType", &keyType, since: 1)
    try coder.field("CoordinatorKeys", &coordinatorKeys, since: 4)
    try coder.tags(&tags)
  }
}

/// The broker that coordinates, or brokers.
public struct FindCoordinatorResponse: WireStruct {
  /// How long the client was throttled, in ms; always 0 here.
  public var throttleTimeMs: Int32 = 0

  /// The error, or none.
  public var errorCode: ErrorCode = .none

  /// The error in words, or null.
  public var errorMessage: String?

  /// The broker's id, or -1.
  public var nodeId: Int32 = 0

  /// The broker's host.
  public var host = ""

  /// The broker's port, or -1.
  public var port: Int32 = 0

  /// The brokers, by key.
  public var coordinators: [Coordinator] = []

  /// Tagged fields that this package does not know.
  public var tags: [TaggedField] = []

  /// Every field at its default.
  public init() {}

  /// The broker that coordinates one key.
  public struct Coordinator: WireStruct {
    /// The group or transaction.
    public var key = ""

    /// The broker's id, or -1.
    public var nodeId: Int32 = 0

    /// The broker's host.
    public var host = ""

    /// The broker's port, or -1.
    public var port: Int32 = 0

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

extension FindCoordinatorResponse: Coded {
  package mutating func code<C: Coder>(_ coder: inout C) throws(ProtocolError) {
    try coder.field("ThrottleTimeMs", &throttleTimeMs, since: 1)
    try coder.field("ErrorCode", &errorCode, until: 3)
    try coder.field("ErrorMessage", &errorMessage, since: 1, until: 3)
    try coder.field("NodeId", &nodeId, until: 3)
    try coder.field("Host", &host, until: 3)
    try coder.field("Port", &port, until: 3)
    try coder.field("Coordinators", &coordinators, since: 4)
    try coder.tags(&tags)
  }
}

extension FindCoordinatorResponse.Coordinator: Coded {
  package mutating func code<C: Coder>(_ coder: inout C) throws(ProtocolError) {
    try coder.field("Key", &key)
    try coder.field("NodeId", &nodeId)
    try coder.field("Host", &host)
    try coder.field("Port", &port)
    try coder.field("ErrorCode", &errorCode)
    try coder.field("ErrorMessage", &errorMessage)
    try coder.tags(&tags)
  }
}
