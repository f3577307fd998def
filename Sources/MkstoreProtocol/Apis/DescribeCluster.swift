extension ApiSupport {
  /// Flexible in every version.
  static let describeCluster = ApiSupport(versions: 0...1, flexibleFrom: 0)
}

/// Asks for the brokers.
public struct DescribeClusterRequest: WireStruct {
  /// Whether to answer what the client may do with the cluster.
  public var includeClusterAuthorizedOperations = false

  /// `endpointType` of brokers.
  public static let brokers: Int8 = 1

  /// What is described: `brokers`, or 2 controllers.
  public var endpointType = brokers

  /// Tagged fields that this package does not know.
  public var tags: [TaggedField] = []

  /// Every field at its default.
  public init() {}
}

extension DescribeClusterRequest: Coded {
  package mutating func code<C: Coder>(_ coder: inout C) throws(ProtocolError) {
    try coder.field("IncludeClusterAuthorizedOperations", &includeClusterAuthorizedOperations)
    try coder.field("EndpointType", &endpointType, since: 1)
    try coder.tags(&tags)
  }
}

/// The brokers.
public struct DescribeClusterResponse: WireStruct {
  /// How long the client was throttled, in ms; always 0 here.
  public var throttleTimeMs: Int32 = 0

  /// The error, or none.
  public var errorCode: ErrorCode = .none

  /// The error in words, or null.
  public var errorMessage: String?

  /// 1 brokers, 2 controllers.
  public var endpointType: Int8 = 1

  /// The cluster.
  public var clusterId = ""

  /// The controller's id, or -1.
  public var controllerId: Int32 = -1

  /// Every broker.
  public var brokers: [Broker] = []

  /// What the client may do with the cluster, one bit each; `min` if not asked.
  public var clusterAuthorizedOperations: Int32 = .min

  /// Tagged fields that this package does not know.
  public var tags: [TaggedField] = []

  /// Every field at its default.
  public init() {}

  /// One broker.
  public struct Broker: WireStruct {
    /// Its id.
    public var brokerId: Int32 = 0

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
}

extension DescribeClusterResponse: Coded {
  package mutating func code<C: Coder>(_ coder: inout C) throws(ProtocolError) {
    try coder.field("ThrottleTimeMs", &throttleTimeMs)
    try coder.field("ErrorCode", &errorCode)
    try coder.field("ErrorMessage", &errorMessage)
    try coder.field("EndpointType", &endpointType, since: 1)
    try coder.field("ClusterId", &clusterId)
    try coder.field("ControllerId", &controllerId)
    try coder.field("Brokers", &brokers)
    try coder.field("ClusterAuthorizedOperations", &clusterAuthorizedOperations)
    try coder.tags(&tags)
  }
}

extension DescribeClusterResponse.Broker: Coded {
  package mutating func code<C: Coder>(_ coder: inout C) throws(ProtocolError) {
    try coder.field("BrokerId", &brokerId)
    try coder.field("Host", &host)
    try coder.field("Port", &port)
    try coder.field("Rack", &rack)
    try coder.tags(&tags)
  }
}
