extension ApiSupport {
  /// From v3 on with the types and documentation of settings.
  static let describeConfigs = ApiSupport(versions: 1...4, flexibleFrom: 4)
}

/// Asks for the configuration of topics or brokers.
public struct DescribeConfigsRequest: WireStruct {
  /// What to describe.
  public var resources: [Resource] = []

  /// Whether to answer every source of a value.
  public var includeSynonyms = false

  /// Whether to answer what each setting means.
  public var includeDocumentation = false

  /// Tagged fields that this package does not know.
  public var tags: [TaggedField] = []

  /// Every field at its default.
  public init() {}

  /// One topic or broker to describe.
  public struct Resource: WireStruct {
    /// 2 a topic, 4 a broker.
    public var resourceType: Int8 = 0

    /// The topic's name or the broker's id.
    public var resourceName = ""

    /// The settings to answer; null means all.
    public var configurationKeys: [String]?

    /// Tagged fields that this package does not know.
    public var tags: [TaggedField] = []

    /// Every field at its default.
    public init() {}
  }
}

extension DescribeConfigsRequest: Coded {
  package mutating func code<C: Coder>(_ coder: inout C) throws(ProtocolError) {
    try coder.field("Resources", &resources)
    try coder.field("IncludeSynonyms", &includeSynonyms)
    try coder.field("IncludeDocumentation", &includeDocumentation, since: 3)
    try coder.tags(&tags)
  }
}

extension DescribeConfigsRequest.Resource: Coded {
  package mutating func code<C: Coder>(_ coder: inout C) throws(ProtocolError) {
    try coder.field("ResourceType", &resourceType)
    try coder.field("ResourceName", &resourceName)
    try coder.field("ConfigurationKeys", &configurationKeys)
    try coder.tags(&tags)
  }
}

/// The configuration of topics or brokers.
public struct DescribeConfigsResponse: WireStruct {
  /// How long the client was throttled, in ms; always 0 here.
  public var throttleTimeMs: Int32 = 0

  /// The results.
  public var results: [Result] = []

  /// Tagged fields that this package does not know.
  public var tags: [TaggedField] = []

  /// Every field at its default.
  public init() {}

  /// The configuration of one topic or broker.
  public struct Result: WireStruct {
    /// The error, or none.
    public var errorCode: ErrorCode = .none

    /// The error in words, or null.
    public var errorMessage: String?

    /// 2 a topic, 4 a broker.
    public var resourceType: Int8 = 0

    /// The topic's name or the broker's id.
    public var resourceName = ""

    /// The settings.
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

      /// Whether it cannot be changed.
      public var readOnly = false

      /// Where it comes from: 1 the topic, 4 the broker's file, 5 the default.
      public var configSource: Int8 = -1

      /// Whether its value is hidden.
      public var isSensitive = false

      /// Every source of the value, the effective one first.
      public var synonyms: [Synonym] = []

      /// The type of the value: 1 boolean, 2 string, 3 int, 4 short, 5 long, 6 double, 7 list, 8
      /// class, 9 password.
      public var configType: Int8 = 0

      /// What the setting means, or null.
      public var documentation: String?

      /// Tagged fields that this package does not know.
      public var tags: [TaggedField] = []

      /// Every field at its default.
      public init() {}

      /// One source of a value.
      public struct Synonym: WireStruct {
        /// The setting's name there.
        public var name = ""

        /// The value there, or null.
        public var value: String?

        /// Where it is: as `configSource`.
        public var source: Int8 = 0

        /// Tagged fields that this package does not know.
        public var tags: [TaggedField] = []

        /// Every field at its default.
        public init() {}
      }
    }
  }
}

extension DescribeConfigsResponse: Coded {
  package mutating func code<C: Coder>(_ coder: inout C) throws(ProtocolError) {
    try coder.field("ThrottleTimeMs", &throttleTimeMs)
    try coder.field("Results", &results)
    try coder.tags(&tags)
  }
}

extension DescribeConfigsResponse.Result: Coded {
  package mutating func code<C: Coder>(_ coder: inout C) throws(ProtocolError) {
    try coder.field("ErrorCode", &errorCode)
    try coder.field("ErrorMessage", &errorMessage)
    try coder.field("ResourceType", &resourceType)
    try coder.field("ResourceName", &resourceName)
    try coder.field("Configs", &configs)
    try coder.tags(&tags)
  }
}

extension DescribeConfigsResponse.Result.Config: Coded {
  package mutating func code<C: Coder>(_ coder: inout C) throws(ProtocolError) {
    try coder.field("Name", &name)
    try coder.field("Value", &value)
    try coder.field("ReadOnly", &readOnly)
    try coder.field("ConfigSource", &configSource)
    try coder.field("IsSensitive", &isSensitive)
    try coder.field("Synonyms", &synonyms)
    try coder.field("ConfigType", &configType, since: 3)
    try coder.field("Documentation", &documentation, since: 3)
    try coder.tags(&tags)
  }
}

extension DescribeConfigsResponse.Result.Config.Synonym: Coded {
  package mutating func code<C: Coder>(_ coder: inout C) throws(ProtocolError) {
    try coder.field("Name", &name)
    try coder.field("Value", &value)
    try coder.field("Source", &source)
    try coder.tags(&tags)
  }
}
