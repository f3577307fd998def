import LogStore

/// The output of `mkstore settings` for one setting, from the tables by which settings are read.
struct SettingRow: Sendable {
  /// To what the setting belongs.
  enum Scope: String, Sendable, CaseIterable {
    /// Of `mkstore serve`.
    case serve
    /// Of a topic.
    case topic
    /// Of Kafka's brokers: another name for one of ours, or one that has no meaning here.
    case kafka
  }

  var scope: Scope
  var name: String
  var type: String
  /// As it is read; nil if there is none.
  var standard: String?
  /// What applies if there is none.
  var unset: String?
  var unit: String?
  /// Which values are legal; nil if any is.
  var values: String?
  var changesAtRunTime = false
  /// Its meaning, one sentence.
  var meaning: String
  /// What it does here, if that differs from Kafka.
  var note: String?
  /// Our setting that it is another name for.
  var synonymOf: String?

  // MARK: All of them

  /// Every known setting, those of the server first.
  static let all: [SettingRow] =
    ServeSetting.all.map(SettingRow.init)
    + TopicSetting.all.sorted { $0.key < $1.key }.map(SettingRow.init)
    + KafkaBrokerNames.all.compactMap(SettingRow.init(synonym:))

  /// The settings of a name: of the server, of topics, or both; else one of Kafka's.
  static func named(_ name: String) -> [SettingRow] {
    let found = all.filter { $0.name == name }
    if !found.isEmpty { return found }
    return KafkaOnlySetting.named(name).map { [SettingRow(name, $0)] } ?? []
  }

  private init(_ setting: ServeSetting) {
    scope = .serve
    name = setting.name
    type = setting.values.typeName
    standard = setting.standard
    unset = setting.unset
    unit = Self.unit(of: setting.name)
    values = setting.form ?? setting.values.text
    meaning = setting.meaning
  }

  private init(_ name: String, _ setting: TopicSetting) {
    scope = .topic
    self.name = name
    type = setting.values.typeName
    standard = setting.standard
    unit = Self.unit(of: name)
    values = setting.values.text
    changesAtRunTime = true
    meaning = setting.meaning
    if case .kept(let why) = setting.effect { note = why }
  }

  /// One of Kafka's names for one of ours.
  private init?(synonym name: String) {
    guard let (ours, factor) = KafkaBrokerNames.meaning(of: name),
      let setting = ServeSetting.all.first(where: { $0.name == ours })
    else { return nil }
    self.init(setting)
    scope = .kafka
    self.name = name
    synonymOf = ours
    unit = Self.unit(of: name)
    meaning = "Kafka's name for \(ours)\(factor == 1 ? "" : ", in \(unit ?? "other units")")."
    if setting.form == "HOST:PORT" {
      (standard, values, unset) = (nil, "PLAINTEXT://HOST:PORT", "as \(ours)")
    }
    // In the units of the other name.
    if factor != 1 { (type, standard, values, unset) = ("long", nil, nil, "as \(ours)") }
  }

  /// One of Kafka's that has no meaning here.
  private init(_ name: String, _ setting: KafkaOnlySetting) {
    scope = .kafka
    self.name = name
    type = "string"
    switch setting.accepted {
    case .all, .roles: meaning = "Ignored: \(setting.reason)."
    case .these(let accepted):
      values = accepted.filter { !$0.isEmpty }.joined(separator: ", ")
      meaning = "Any other value stops the start: \(setting.reason)."
    case .legal(let topic):
      (type, values) = (topic.values.typeName, topic.values.text)
      meaning = "Ignored: \(setting.reason)."
    case .met(let topic):
      (type, values) = (topic.values.typeName, topic.values.text)
      meaning = "Ignored where it asks for what happens anyway, else refused: \(setting.reason)."
    }
    if setting.accepted.isRoles { values = "broker; broker,controller" }
    if values?.isEmpty == true { values = nil }
  }

  /// By the words of its name: `segment.ms`, `retention.bytes`, `log.roll.hours`.
  private static func unit(of name: String) -> String? {
    let words = name.split(separator: ".")
    return ["ms", "bytes", "minutes", "hours"].first { unit in words.contains { $0 == unit } }
  }
}

extension KafkaOnlySetting.Accepted {
  fileprivate var isRoles: Bool {
    if case .roles = self { true } else { false }
  }
}

extension TopicSetting.Values {
  /// Kafka's name of the values' type.
  var typeName: String {
    switch self {
    case .oneOf(["true", "false"]): "boolean"
    case .oneOf, .anything: "string"
    case .integer(let range): range.upperBound > Int64(Int32.max) ? "long" : "int"
    case .number: "double"
    case .someOf, .list: "list"
    }
  }

  /// Which are legal; nil if all are.
  var text: String? {
    switch self {
    case .integer(let range): "\(range.lowerBound) … \(range.upperBound)"
    case .number(let range): "\(range.lowerBound) … \(range.upperBound)"
    case .oneOf(let names): names.joined(separator: ", ")
    case .someOf(let names): "some of \(names.joined(separator: ", "))"
    case .list: "a comma-separated list"
    case .anything: nil
    }
  }
}
