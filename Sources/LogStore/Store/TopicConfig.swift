internal import RecordFormat

/// Settings of one topic that differ from the store's, with Kafka's names and values.
///
/// ```swift
/// let settings = try TopicConfig(["retention.ms": "86400000", "segment.bytes": "67108864"])
/// try await store.createLog(name, overrides: settings)
/// ```
///
/// Stored in each partition's directory (`mkstore.topic`, docs/format.md#mkstoretopic), so that a
/// copy of a directory includes its settings.
public struct TopicConfig: Sendable, Equatable {
  /// What a setting does here.
  ///
  /// ```swift
  /// if case .kept(let reason) = TopicConfig.effect(of: "preallocate") { print(reason) }
  /// ```
  public enum Effect: Sendable, Equatable {
    /// The engine applies it.
    case acts
    /// Stored and shown; the engine does not apply it, as the text explains.
    case kept(String)
  }

  /// Names and values; each is a setting of Kafka's with a value that Kafka accepts.
  public private(set) var values: [String: String]

  /// No overrides.
  public init() { values = [:] }

  /// Checks names and values as Kafka does.
  ///
  /// - Throws: `.invalidConfiguration` with the first (by name) that is wrong.
  public init(_ values: [String: String]) throws(LogError) {
    for (name, value) in values.sorted(by: { $0.key < $1.key }) {
      guard let setting = TopicSetting.all[name] else {
        throw Self.unknown(name)
      }
      if let reason = setting.check(value) {
        throw .invalidConfiguration(name: name, reason: reason)
      }
    }
    self.values = values
  }

  /// What the setting does here; nil if Kafka has no such setting.
  public static func effect(of name: String) -> Effect? { TopicSetting.all[name]?.effect }

  /// Every setting's name, sorted.
  public static var names: [String] { TopicSetting.all.keys.sorted() }

  /// Settings of a log: these over `base`.
  public func applied(to base: LogConfig) -> LogConfig {
    var config = base
    // By name, so that message.timestamp.difference.max.ms comes after the settings that override
    // it.
    for (name, value) in values.sorted(by: { $0.key < $1.key }) {
      TopicSetting.all[name]?.apply(value, to: &config)
    }
    return config
  }

  /// The effective settings of a log with these overrides, by Kafka's names: the settings that are
  /// applied, and the overrides that are only stored.
  public func effective(_ config: LogConfig) -> [String: String] {
    values.merging(TopicSetting.stated(by: config)) { _, acting in acting }
  }
}
