extension ApiSupport {
  /// The response's header is v0 in every version.
  static let apiVersions = ApiSupport(versions: 0...4, flexibleFrom: 3)
}

/// Asks what the server speaks.
public struct ApiVersionsRequest: WireStruct {
  /// The client library.
  public var clientSoftwareName = ""

  /// The client library's version.
  public var clientSoftwareVersion = ""

  /// Tagged fields that this package does not know.
  public var tags: [TaggedField] = []

  /// Every field at its default.
  public init() {}
}

extension ApiVersionsRequest: Coded {
  package mutating func code<C: Coder>(_ coder: inout C) throws(ProtocolError) {
    try coder.field("ClientSoftwareName", &clientSoftwareName, since: 3)
    try coder.field("ClientSoftwareVersion", &clientSoftwareVersion, since: 3)
    try coder.tags(&tags)
  }
}

/// What the server speaks.
public struct ApiVersionsResponse: WireStruct {
  /// The error, or none.
  public var errorCode: ErrorCode = .none

  /// The APIs.
  public var apiKeys: [ApiVersion] = []

  /// How long the client was throttled, in ms; always 0 here.
  public var throttleTimeMs: Int32 = 0

  /// Features the server knows.
  public var supportedFeatures: [SupportedFeature] = []

  /// The epoch of the next, or -1.
  public var finalizedFeaturesEpoch: Int64 = -1

  /// Features the cluster has switched on.
  public var finalizedFeatures: [FinalizedFeature] = []

  /// Whether a controller is ready to take over from ZooKeeper.
  public var zkMigrationReady = false

  /// Tagged fields that this package does not know.
  public var tags: [TaggedField] = []

  /// Every field at its default.
  public init() {}

  /// The versions of one API.
  public struct ApiVersion: WireStruct {
    /// Its number.
    public var apiKey: Int16 = 0

    /// The lowest version.
    public var minVersion: Int16 = 0

    /// The highest version.
    public var maxVersion: Int16 = 0

    /// Tagged fields that this package does not know.
    public var tags: [TaggedField] = []

    /// Every field at its default.
    public init() {}
  }

  /// A feature the server knows.
  public struct SupportedFeature: WireStruct {
    /// Its name.
    public var name = ""

    /// The lowest version.
    public var minVersion: Int16 = 0

    /// The highest version.
    public var maxVersion: Int16 = 0

    /// Tagged fields that this package does not know.
    public var tags: [TaggedField] = []

    /// Every field at its default.
    public init() {}
  }

  /// A feature the cluster has switched on.
  public struct FinalizedFeature: WireStruct {
    /// Its name.
    public var name = ""

    /// The highest version in use.
    public var maxVersionLevel: Int16 = 0

    /// The lowest version in use.
    public var minVersionLevel: Int16 = 0

    /// Tagged fields that this package does not know.
    public var tags: [TaggedField] = []

    /// Every field at its default.
    public init() {}
  }
}

extension ApiVersionsResponse: Coded {
  package mutating func code<C: Coder>(_ coder: inout C) throws(ProtocolError) {
    try coder.field("ErrorCode", &errorCode)
    try coder.field("ApiKeys", &apiKeys)
    try coder.field("ThrottleTimeMs", &throttleTimeMs, since: 1)
    var section = try coder.openTags(tags)
    try coder.tag(0, "SupportedFeatures", &supportedFeatures, unless: [], in: &section)
    try coder.tag(1, "FinalizedFeaturesEpoch", &finalizedFeaturesEpoch, unless: -1, in: &section)
    try coder.tag(2, "FinalizedFeatures", &finalizedFeatures, unless: [], in: &section)
    try coder.tag(3, "ZkMigrationReady", &zkMigrationReady, unless: false, in: &section)
    try coder.closeTags(section, &tags)
  }
}

extension ApiVersionsResponse.ApiVersion: Coded {
  package mutating func code<C: Coder>(_ coder: inout C) throws(ProtocolError) {
    try coder.field("ApiKey", &apiKey)
    try coder.field("MinVersion", &minVersion)
    try coder.field("MaxVersion", &maxVersion)
    try coder.tags(&tags)
  }
}

extension ApiVersionsResponse.SupportedFeature: Coded {
  package mutating func code<C: Coder>(_ coder: inout C) throws(ProtocolError) {
    try coder.field("Name", &name)
    try coder.field("MinVersion", &minVersion)
    try coder.field("MaxVersion", &maxVersion)
    try coder.tags(&tags)
  }
}

extension ApiVersionsResponse.FinalizedFeature: Coded {
  package mutating func code<C: Coder>(_ coder: inout C) throws(ProtocolError) {
    try coder.field("Name", &name)
    try coder.field("MaxVersionLevel", &maxVersionLevel)
    try coder.field("MinVersionLevel", &minVersionLevel)
    try coder.tags(&tags)
  }
}
