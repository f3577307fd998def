extension ApiSupport {
  /// All versions have the same fields.
  static let incrementalAlterConfigs = ApiSupport(versions: 0...1, flexibleFrom: 1)
}

/// Changes single settings of topics or brokers.
public struct IncrementalAlterConfigsRequest: WireStruct {
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

    /// The changes, each of another setting.
    public var configs: [Config] = []

    /// Tagged fields that this package does not know.
    public var tags: [TaggedField] = []

    /// Every field at its default.
    public init() {}

    /// One setting.
    public struct Config: WireStruct {
      /// Its name.
      public var name = ""

      /// The operation: 0 set, 1 delete, 2 append to a list, 3 subtract from one.
      public var configOperation: Int8 = 0

      /// The value; null if it is deleted.
      public var value: String?

      /// Tagged fields that this package does not know.
      public var tags: [TaggedField] = []

      /// Every field at its default.
      public init() {}
    }
  }
}

extension IncrementalAlterConfigsRequest: Coded {
  package mutating func code<C: Coder>(_ coder: inout C) throws(ProtocolError) {
    try coder.field("Resources", &resources)
    try coder.field("ValidateOnly", &validateOnly)
    try coder.tags(&tags)
  }
}

extension IncrementalAlterConfigsRequest.Resource: Coded {
  package mutating func code<C: Coder>(_ coder: inout C) throws(ProtocolError) {
    try coder.field("ResourceType", &resourceType)
    try coder.field("ResourceName", &resourceName)
    try coder.field("Configs", &configs)
    try coder.tags(&tags)
  }
}

extension IncrementalAlterConfigsRequest.Resource.Config: Coded {
  package mutating func code<C: Coder>(_ coder: inout C) throws(ProtocolError) {
    try coder.field("Name", &name)
    try coder.field("ConfigOperation", &configOperation)
    try coder.field("Value", &value)
    try coder.tags(&tags)
  }
}

/// The result for the settings of each topic or broker.
public struct IncrementalAlterConfigsResponse: WireStruct {
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

extension IncrementalAlterConfigsResponse: Coded {
  package mutating func code<C: Coder>(_ coder: inout C) throws(ProtocolError) {
    try coder.field("ThrottleTimeMs", &throttleTimeMs)
    try coder.field("Responses", &responses)
    try coder.tags(&tags)
  }
}

extension IncrementalAlterConfigsResponse.Resource: Coded {
  package mutating func code<C: Coder>(_ coder: inout C) throws(ProtocolError) {
    try coder.field("ErrorCode", &errorCode)
    try coder.field("ErrorMessage", &errorMessage)
    try coder.field("ResourceType", &resourceType)
    try coder.field("ResourceName", &resourceName)
    try coder.tags(&tags)
  }
}
