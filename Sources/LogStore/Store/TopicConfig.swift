package import DiskIO
internal import RecordFormat

/// Settings of one topic that differ from the store's, with Kafka's names and values.
///
/// Kept in each partition's directory (`mkstore.topic`, docs/format.md#mkstoretopic), so that a
/// directory that is copied elsewhere takes its settings along.
public struct TopicConfig: Sendable, Equatable {
  /// Name of the file.
  package static let fileName = "mkstore.topic"
  /// Largest file that is read.
  package static let bytesMax = 64 << 10

  /// What a setting does here.
  public enum Effect: Sendable, Equatable {
    /// The engine goes by it.
    case acts
    /// Kept and shown; the engine goes another way, as the text says.
    case kept(String)
  }

  /// Names and values; each is a setting of Kafka's with a value that Kafka takes.
  public private(set) var values: [String: String]

  /// No overrides.
  public init() { values = [:] }

  /// Checks names and values as Kafka does.
  ///
  /// - Throws: `.invalidConfiguration` with the first (by name) that is wrong.
  public init(_ values: [String: String]) throws(LogError) {
    for (name, value) in values.sorted(by: { $0.key < $1.key }) {
      guard let setting = TopicSetting.all[name] else {
        throw .invalidConfiguration(name: name, reason: "no setting of a topic has this name")
      }
      if let reason = setting.check(value) {
        throw .invalidConfiguration(name: name, reason: reason)
      }
    }
    self.values = values
  }

  /// What the setting does here; nil where Kafka has none of the name.
  public static func effect(of name: String) -> Effect? { TopicSetting.all[name]?.effect }

  /// Every setting's name, sorted.
  public static var names: [String] { TopicSetting.all.keys.sorted() }

  /// Settings of a log: these over `base`.
  public func applied(to base: LogConfig) -> LogConfig {
    var config = base
    // By name, so that message.timestamp.difference.max.ms comes after what goes before it.
    for (name, value) in values.sorted(by: { $0.key < $1.key }) {
      TopicSetting.all[name]?.apply(value, to: &config)
    }
    return config
  }

  /// Whether `cleanup.policy` names compaction: Kafka then takes no record without a key.
  package var isCompacted: Bool { values["cleanup.policy"]?.contains("compact") ?? false }

  /// What a log with these settings goes by, by Kafka's names: the settings that act, and the
  /// overrides that are kept.
  public func effective(_ config: LogConfig) -> [String: String] {
    values.merging(TopicSetting.stated(by: config)) { _, acting in acting }
  }

  /// Reads a log's file; nil where it has none.
  package static func read(_ disk: any Disk, directory: String) throws(LogError) -> TopicConfig? {
    let path = "\(directory)/\(fileName)"
    do throws(CheckpointError) {
      guard let bytes = try SmallFile.read(disk, path, limit: bytesMax) else { return nil }
      let properties = try JavaProperties(bytes, path: path)
      var values: [String: String] = [:]
      for pair in properties.pairs { values[pair.key] = pair.value }
      return try make(values)
    } catch {
      throw .invalidConfiguration(name: path, reason: "\(error)")
    }
  }

  private static func make(_ values: [String: String]) throws(CheckpointError) -> TopicConfig {
    do throws(LogError) {
      return try TopicConfig(values)
    } catch {
      throw .unreadable(path: fileName, line: nil, what: "\(error)")
    }
  }

  /// The file's content: by rising name.
  package var encoded: [UInt8] {
    var properties = JavaProperties()
    for (name, value) in values.sorted(by: { $0.key < $1.key }) { properties[name] = value }
    return properties.encoded
  }
}
