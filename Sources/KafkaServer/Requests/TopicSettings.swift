package import LogStore

/// A topic's settings as clients are told them.
package struct TopicSettings: Sendable {
  /// Where a value comes from, by Kafka's numbers.
  package enum Source: Int8, Sendable {
    case topic = 1
    case broker = 4
    case standard = 5
  }

  /// One setting.
  package struct Entry: Sendable {
    /// Kafka's name.
    package var name: String
    /// The value in force.
    package var value: String
    /// Where the value comes from.
    package var source: Source
    /// What the setting does here, where that is not what Kafka says.
    package var note: String?

    /// Kafka's number of the value's type: 1 boolean, 2 string, 3 int, 5 long, 6 double, 7 list.
    package var type: Int8 {
      switch name {
      case "cleanup.policy": return 7
      case _ where name.hasSuffix(".ms") || name == "retention.bytes": return 5
      case "min.cleanable.dirty.ratio": return 6
      default: break
      }
      if Bool(value) != nil { return 1 }
      return Int64(value) == nil ? 2 : 3
    }
  }

  /// What this engine does where a topic says nothing, for settings it does not act on.
  private static let kept = [
    "cleanup.policy": "delete", "compression.type": "producer", "min.insync.replicas": "1",
    "retention.bytes": "-1", "retention.ms": "-1",
  ]

  /// The settings of a topic, by name.
  ///
  /// - Parameters:
  ///   - config: What its logs go by.
  ///   - overrides: What the topic itself says.
  package static func entries(
    _ config: LogConfig, _ overrides: TopicConfig
  ) -> [Entry] {
    let standard = TopicConfig().effective(LogConfig())
    let values = kept.merging(overrides.effective(config)) { _, stated in stated }
    return values.map { name, value in
      var entry = Entry(name: name, value: value, source: .standard)
      if overrides.values[name] != nil {
        entry.source = .topic
      } else if let common = standard[name], common != value {
        entry.source = .broker
      }
      if case .kept(let why) = TopicConfig.effect(of: name) { entry.note = why }
      return entry
    }.sorted { $0.name < $1.name }
  }
}
