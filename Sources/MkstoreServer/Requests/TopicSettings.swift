internal import LogStore

/// A topic's settings as shown to clients.
struct TopicSettings: Sendable {
  /// Where a value comes from, by Kafka's numbers.
  package enum Source: Int8, Sendable {
    case topic = 1
    case broker = 4
    case standard = 5
  }

  /// A value at one of its sources.
  package struct Synonym: Sendable {
    /// Its name there.
    package var name: String
    /// The value there.
    package var value: String
    /// The source.
    package var source: Source
  }

  /// One setting.
  package struct Entry: Sendable {
    /// Kafka's name.
    package var name: String
    /// The effective value.
    package var value: String
    /// Where the value comes from.
    package var source: Source
    /// Kafka's number of the value's type: 1 boolean, 2 string, 3 int, 5 long, 6 double, 7 list.
    package var type: Int8
    /// Whether it can only be set at the server's start.
    package var isReadOnly: Bool
    /// Every source, the effective one first.
    package var synonyms: [Synonym]
    /// What the setting does here, if that differs from Kafka.
    package var note: String?
  }

  /// Every setting of a topic, by name.
  ///
  /// - Parameters:
  ///   - config: The effective settings of its logs.
  ///   - overrides: The topic's own settings.
  ///   - base: The settings of topics without their own.
  package static func entries(
    _ config: LogConfig, _ overrides: TopicConfig, over base: LogConfig
  ) -> [Entry] {
    TopicSetting.all.map { name, setting in
      var synonyms = brokerSynonyms(name, setting, base)
      let common = setting.stated(by: base) ?? setting.standard
      let override = overrides.values[name]
      let value = setting.stated(by: config) ?? override ?? common
      if override != nil {
        synonyms.insert(Synonym(name: name, value: value, source: .topic), at: 0)
      }
      var entry = Entry(
        name: name, value: value, source: common == setting.standard ? .standard : .broker,
        type: setting.typeNumber, isReadOnly: false, synonyms: synonyms)
      if override != nil { entry.source = .topic }
      if case .kept(let why) = setting.effect { entry.note = why }
      return entry
    }.sorted { $0.name < $1.name }
  }

  /// The server's value for a topic's setting and, as in Kafka 3.9, its default if the broker's
  /// setting has one.
  private static func brokerSynonyms(
    _ name: String, _ setting: TopicSetting, _ base: LogConfig
  ) -> [Synonym] {
    guard let brokerName = setting.brokerName else { return [] }
    var synonyms: [Synonym] = []
    let common = setting.stated(by: base) ?? setting.standard
    if common != setting.standard {
      synonyms.append(Synonym(name: brokerName, value: common, source: .broker))
    }
    switch name {
    case "flush.ms", "segment.ms", "segment.jitter.ms": break
    case "retention.ms":
      synonyms.append(Synonym(name: "log.retention.hours", value: "168", source: .standard))
    default:
      synonyms.append(Synonym(name: brokerName, value: setting.standard, source: .standard))
    }
    return synonyms
  }

  /// The settings of topics as the broker's, by the broker's names: those of topics without their
  /// own.
  static func brokerEntries(_ base: LogConfig) -> [Entry] {
    TopicSetting.all.compactMap { name, setting in
      guard let brokerName = setting.brokerName, let value = setting.stated(by: base) else {
        return nil
      }
      return Entry(
        name: brokerName, value: value,
        source: value == setting.standard ? .standard : .broker, type: setting.typeNumber,
        isReadOnly: true, synonyms: [])
    }
  }
}
