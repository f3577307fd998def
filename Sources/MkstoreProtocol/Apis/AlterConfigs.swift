extension ApiSupport {
  /// All versions have the same fields.
  static let alterConfigs = ApiSupport(versions: 0...2, flexibleFrom: 2)
}

/// Replaces all settings of topics or brokers.
public struct AlterConfigsRequest: WireStruct {
  /// What to change.
  public var resources: [Resource] = []

  /// Whether to only validate the changes.
  public var validateOnly = false

  /// Tagged fields that this package does not know.
  public var tags: [TaggedField] = []

  /// Every field at its default.
  public init() {}

  /// One topic or broker to change.
  public struct Resource: WireStruct {
    /// 2 a topic, 4 a broker.
    public var resourceType: Int8 = 0

    /// The topic's name or the broker's id.
    public var resourceName = ""

    /// The settings; those that are not named get their defaults.
    public var configs: [Config] = []

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

      /// Tagged fields that this package does not know.
      public var tags: [TaggedField] = []

      /// Every field at its default.
      public init() {}
    }
  }
}

extension AlterConfigsRequest: Coded {
  package mutating func code<C: Coder>(_ coder: inout C) throws(ProtocolError) {
    try coder.field("Resources", &resources)
    try coder.field("ValidateOnly", &validateOnly)
    try coder.tags(&tags)
  }
}

extension AlterConfigsRequest.Resource: Coded {
  package mutating func code<C: Coder>(_ coder: inout C) throws(ProtocolError) {
    try coder.field("ResourceType", &resourceType)
    try coder.field("ResourceName", &resourceName)
    try coder.field("Configs", &configs)
    try coder.tags(&tags)
  }
}

extension AlterConfigsRequest.Resource.Config: Coded {
  package mutating func code<C: Coder>(_ coder: inout C) throws(ProtocolError) {
    try coder.field("Name", &name)
    try coder.field("Value", &value)
    try coder.tags(&tags)
  }
}

/// The result for the settings of each topic or broker.
public struct AlterConfigsResponse: WireStruct {
  /// How long the client was throttled, in ms; always 0 here.
  public var throttleTimeMs: Int32 = 0

  /// One answer for each resource.
  public var responses: [Resource] = []

  /// Tagged fields that this package does not know.
  public var tags: [TaggedField] = []

  /// Every field at its default.
  public init() {}

  /// The result for one resource.
  public struct Resource: WireStruct {
    /// The error, or none.
    public var errorCode: ErrorCode = .none

    /// The error in words, or null.
    public var errorMessage: String?

    /// 2 a topic, 4 a broker.
    public var resourceType: Int8 = 0

    /// The topic's name or the broker's id.
    public var resourceName = ""

    /// Tagged fields that this package does not know.
    public var tags: [TaggedField] = []

    /// Every field at its default.
    public init() {}
  }
}

extension AlterConfigsResponse: Coded {
  package mutating func code<C: Coder>(_ coder: inout C) throws(ProtocolError) {
    try coder.field("ThrottleTimeMs", &throttleTimeMs)
    try coder.field("Responses", &responses)
    try coder.tags(&tags)
  }
}

extension AlterConfigsResponse.Resource: Coded {
  package mutating func code<C: Coder>(_ coder: inout C) throws(ProtocolError) {
    try coder.field("ErrorCode", &errorCode)
    try coder.field("ErrorMessage", &errorMessage)
    try coder.field("ResourceType", &resourceType)
    try coder.field("ResourceName", &resourceName)
    try coder.tags(&tags)
  }
}
