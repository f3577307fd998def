import LogStore

/// A broker setting of Kafka 3.9 that has no meaning here. It is ignored with a reason if that is
/// harmless, and refused if users rely on it.
struct KafkaOnlySetting: Sendable {
  /// Kafka's name.
  let name: String
  /// Why it has no meaning.
  let reason: String
  /// Which values are ignored.
  let accepted: Accepted

  /// Values that are ignored.
  enum Accepted: Sendable {
    case all
    /// These; any other value asks for a missing feature.
    case these([String])
    /// A topic's setting: legal values.
    case legal(TopicSetting)
    /// A topic's setting that logs must fulfil: no other behaviour is accepted silently.
    case met(TopicSetting)
    /// `process.roles`: a broker's are.
    case roles
  }

  /// A setting that was given and is ignored.
  struct Ignored: Sendable {
    /// Where it was given.
    var place: String
    /// Its name.
    var name: String
    /// Its value.
    var value: String
  }

  static let all: [KafkaOnlySetting] = KafkaOnlyNames.rules + ofTopics

  /// Every name.
  static let names: [String] = all.map(\.name)

  private static let byName = Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0) })

  /// The setting of a name; also for a single listener (`listener.name.external.…`), if the setting
  /// itself has no meaning.
  static func named(_ name: String) -> KafkaOnlySetting? {
    let parts = name.split(separator: ".", maxSplits: 3, omittingEmptySubsequences: false)
    guard parts.count == 4, parts[0] == "listener", parts[1] == "name" else { return byName[name] }
    return byName[String(parts[3])]
  }

  /// Settings of topics that the engine does not apply, by the broker's names.
  private static let ofTopics: [KafkaOnlySetting] = TopicSetting.all.compactMap { name, setting in
    guard case .kept(let why) = setting.effect, let brokerName = setting.brokerName,
      name != "message.timestamp.difference.max.ms"
    else { return nil }
    // Users of these rely on them when a producer gets its answer.
    let isPromise = ["flush.messages", "flush.ms", "min.insync.replicas"].contains(name)
    return KafkaOnlySetting(
      name: brokerName, reason: why, accepted: isPromise ? .met(setting) : .legal(setting))
  }.sorted { $0.name < $1.name }

  // MARK: Values

  /// Why a value stops the start; nil if it is ignored.
  func rejection(of value: String) -> String? {
    let value = ServeSettings.trimmed(value)
    switch accepted {
    case .all: return nil
    case .these(let values):
      if values.contains(value.lowercased()) { return nil }
      // A value that may be secret is not shown.
      let given = values == [""] ? "it" : "'\(value)'"
      return "\(given) cannot be kept to: \(reason)"
    case .legal(let setting), .met(let setting): return setting.check(value)
    case .roles:
      let roles = value.split(separator: ",").map { ServeSettings.trimmed(String($0)) }
      if !roles.allSatisfy(["broker", "controller"].contains) {
        return "'\(value)' is not a list of broker, controller"
      }
      return roles.isEmpty || roles.contains("broker")
        ? nil : "'\(value)' is not a broker: there is no controller quorum, and nothing to serve"
    }
  }

  /// Why an ignored setting stops the start after all, for logs with these settings.
  static func rejection(of given: Ignored, by config: LogConfig) -> String? {
    guard case .met(let setting) = named(given.name)?.accepted else { return nil }
    return setting.rejection(of: ServeSettings.trimmed(given.value), in: config)
  }

  /// Messages of the start, a line for each reason.
  static func notes(_ ignored: [Ignored]) -> [String] {
    var reasons: [String] = []
    var given: [String: [String]] = [:]
    for setting in ignored {
      guard let reason = named(setting.name)?.reason else { continue }
      if given[reason] == nil { reasons.append(reason) }
      if given[reason]?.contains(setting.name) != true {
        given[reason, default: []].append(setting.name)
      }
    }
    return reasons.map { reason in
      let names = given[reason]?.sorted() ?? []
      return "\(names.joined(separator: ", ")): ignored, \(reason)"
    }
  }
}
