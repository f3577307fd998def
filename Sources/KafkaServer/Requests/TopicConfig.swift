package import LogStore
internal import RecordFormat

/// A topic's settings by Kafka's names, as text.
package struct TopicConfig: Sendable {
  /// One setting, as clients are told.
  package struct Entry: Sendable {
    /// Kafka's name.
    package var name: String
    /// The value in force.
    package var value: String
    /// Kafka's number for the value's type.
    package var type: Int8
    /// What it means, one sentence.
    package var documentation: String
    /// What it is where nobody says.
    package var defaultValue: String
  }

  /// Kafka's numbers of value types.
  private enum ValueType {
    static let string: Int8 = 2
    static let int: Int8 = 3
    static let long: Int8 = 5
    static let list: Int8 = 7
  }

  /// Every setting of `config`, by name.
  package static func entries(_ config: LogConfig) -> [Entry] {
    let base = LogConfig()
    func entry(
      _ name: String, _ type: Int8, _ documentation: String, _ value: (LogConfig) -> String
    ) -> Entry {
      Entry(
        name: name, value: value(config), type: type, documentation: documentation,
        defaultValue: value(base))
    }
    return [
      entry("cleanup.policy", ValueType.list, "What becomes of old segments.") { _ in "delete" },
      entry("compression.type", ValueType.string, "The codec of stored batches.") { _ in
        "producer"
      },
      entry("index.interval.bytes", ValueType.int, "Bytes between index entries.") {
        "\($0.indexIntervalBytes)"
      },
      entry("max.message.bytes", ValueType.int, "The largest batch, as stored.") {
        "\($0.maxMessageBytes)"
      },
      entry("message.timestamp.type", ValueType.string, "Who says a record's time.") {
        $0.timestampType == .logAppendTime ? "LogAppendTime" : "CreateTime"
      },
      entry("segment.bytes", ValueType.int, "The largest segment.") { "\($0.segmentBytes)" },
      entry("segment.index.bytes", ValueType.int, "The largest index of a segment.") {
        "\($0.segmentIndexBytes)"
      },
      entry("segment.ms", ValueType.long, "The oldest segment that is appended to.") {
        "\($0.segmentMs)"
      },
    ]
  }

  /// Sets one setting; returns what is wrong with it, or nil.
  package static func set(_ name: String, _ value: String?, in config: inout LogConfig) -> String? {
    guard let value else { return "\(name) has no value" }
    func number<T: FixedWidthInteger>(_ path: WritableKeyPath<LogConfig, T>) -> String? {
      guard let parsed = T(value) else { return "\(name): '\(value)' is not a whole number" }
      config[keyPath: path] = parsed
      return nil
    }
    switch name {
    case "index.interval.bytes": return number(\.indexIntervalBytes)
    case "max.message.bytes": return number(\.maxMessageBytes)
    case "segment.bytes": return number(\.segmentBytes)
    case "segment.index.bytes": return number(\.segmentIndexBytes)
    case "segment.ms": return number(\.segmentMs)
    case "message.timestamp.type":
      switch value {
      case "CreateTime": config.timestampType = .createTime
      case "LogAppendTime": config.timestampType = .logAppendTime
      default: return "\(name): '\(value)' is neither CreateTime nor LogAppendTime"
      }
      return nil
    case "cleanup.policy": return value == "delete" ? nil : "\(name): only 'delete' is supported"
    case "compression.type":
      return value == "producer" ? nil : "\(name): only 'producer' is supported"
    default: return "unknown topic config name: \(name)"
    }
  }
}
