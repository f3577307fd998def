/// Kafka's names of broker settings that have another name here, so that a broker's configuration
/// is understood.
enum KafkaBrokerNames {
  /// One of Kafka's names for one of our settings.
  private struct Synonym {
    var name: String
    var ours: String
    /// Number of our units in one of its units; 1 if the value is used unchanged.
    var factor: Int64 = 1
  }

  /// In Kafka's order: of two for the same setting, the first one counts.
  private static let synonyms: [Synonym] = [
    Synonym(name: "log.dirs", ours: "data"),
    Synonym(name: "log.dir", ours: "data"),
    Synonym(name: "listeners", ours: "listen"),
    Synonym(name: "advertised.listeners", ours: "advertise"),
    Synonym(name: "log.retention.ms", ours: "retention.ms"),
    Synonym(name: "log.retention.minutes", ours: "retention.ms", factor: 60_000),
    Synonym(name: "log.retention.hours", ours: "retention.ms", factor: 3_600_000),
    Synonym(name: "log.retention.bytes", ours: "retention.bytes"),
    Synonym(name: "log.segment.bytes", ours: "segment.bytes"),
    Synonym(name: "log.roll.ms", ours: "segment.ms"),
    Synonym(name: "log.roll.hours", ours: "segment.ms", factor: 3_600_000),
    Synonym(name: "log.roll.jitter.ms", ours: "segment.jitter.ms"),
    Synonym(name: "log.roll.jitter.hours", ours: "segment.jitter.ms", factor: 3_600_000),
    Synonym(name: "log.index.size.max.bytes", ours: "segment.index.bytes"),
    Synonym(name: "log.index.interval.bytes", ours: "index.interval.bytes"),
    Synonym(name: "message.max.bytes", ours: "max.message.bytes"),
    Synonym(name: "log.cleanup.policy", ours: "cleanup.policy"),
    Synonym(name: "log.segment.delete.delay.ms", ours: "file.delete.delay.ms"),
    Synonym(name: "log.message.timestamp.type", ours: "message.timestamp.type"),
    Synonym(
      name: "log.message.timestamp.before.max.ms", ours: "message.timestamp.before.max.ms"),
    Synonym(name: "log.message.timestamp.after.max.ms", ours: "message.timestamp.after.max.ms"),
    Synonym(
      name: "log.message.timestamp.difference.max.ms",
      ours: "message.timestamp.difference.max.ms"),
  ]

  /// Kafka's names.
  static let all: [String] = synonyms.map(\.name)

  /// Our setting for one of Kafka's names, and the number of our units in one of its units; nil if
  /// there is none.
  static func meaning(of name: String) -> (ours: String, factor: Int64)? {
    synonyms.first { $0.name == name }.map { ($0.ours, $0.factor) }
  }

  /// Translates the settings of one place to our names. If several mean the same, ours counts, else
  /// the one that comes first in Kafka: milliseconds before minutes before hours.
  ///
  /// - Parameters:
  ///   - pairs: The settings there.
  ///   - place: Its name in messages.
  ///   - listeners: The listener settings of all places.
  ///   - ignored: Receives Kafka's settings that have no meaning here.
  /// - Throws: `.usage` for a value that cannot be used, and for settings of encryption or
  ///   authentication: ignoring these would serve data unprotected against the user's intention.
  static func translated(
    _ pairs: [(name: String, value: String)], from place: String, _ listeners: KafkaListeners,
    _ ignored: inout [KafkaOnlySetting.Ignored]
  ) throws(CommandFailure) -> [(name: String, value: String)] {
    var ranks: [String: Int] = [:]
    var values: [String: String] = [:]
    for (name, value) in pairs {
      if let reason = rejection(of: name) { throw .usage("\(place): \(name): \(reason)") }
      if let setting = KafkaOnlySetting.named(name) {
        if let reason = setting.rejection(of: value) {
          throw .usage("\(place): \(name): \(reason)")
        }
        ignored.append(KafkaOnlySetting.Ignored(place: place, name: name, value: value))
        continue
      }
      let rank = all.firstIndex(of: name) ?? -1
      let ours = rank < 0 ? name : synonyms[rank].ours
      // Checked even if another name counts, so that wrong values are always reported.
      let converted = rank < 0 ? value : try converted(value, synonyms[rank], place, listeners)
      // The same name again replaces the first, as in Java properties.
      if let other = ranks[ours], other < rank { continue }
      ranks[ours] = rank
      values[ours] = converted
    }
    return values.map { ($0.key, $0.value) }
  }

  private static func converted(
    _ value: String, _ synonym: Synonym, _ place: String, _ listeners: KafkaListeners
  ) throws(CommandFailure) -> String {
    func refused(_ reason: String) -> CommandFailure {
      .usage("\(place): \(synonym.name): '\(value)' \(reason)")
    }
    let text = ServeSettings.trimmed(value)
    switch synonym.name {
    case "log.dirs", "log.dir":
      if text.contains(",") { throw refused("names several directories; a store has one") }
      return text
    case "listeners", "advertised.listeners":
      do throws(KafkaListeners.Refusal) {
        return try listeners.address(text)
      } catch {
        throw refused(error.reason)
      }
    default:
      guard synonym.factor != 1 else { return text }
      guard let number = Int64(text) else { throw refused("is not a number") }
      if number < 0 { return text }
      let (product, overflows) = number.multipliedReportingOverflow(by: synonym.factor)
      if overflows { throw refused("is too large") }
      return "\(product)"
    }
  }

  /// Missing features.
  static let missingSecurity = "there is no encryption and no authentication"

  /// Why settings of encryption and authentication stop the start.
  static let noSecurity = "asks for what is not there: no encryption, no authentication"

  /// Why a setting stops the start: its user relies on protection.
  static func rejection(of name: String) -> String? {
    // Those of one listener: listener.name.external.ssl.keystore.location.
    let isProtection = ["ssl.", "sasl."].contains {
      name.hasPrefix($0) || name.hasPrefix("listener.name.") && name.contains(".\($0)")
    }
    return isProtection ? noSecurity : nil
  }

  /// The name that was probably meant, if one is similar enough.
  static func nearest(to name: String, in names: [String]) -> String? {
    let found = names.map { (name: $0, distance: distance(name, $0)) }.min {
      ($0.distance, $0.name) < ($1.distance, $1.name)
    }
    guard let found, found.distance <= max(2, name.count / 4) else { return nil }
    return found.name
  }

  /// How many letters must be inserted, removed or changed (Levenshtein).
  private static func distance(_ one: String, _ other: String) -> Int {
    let (one, other) = (Array(one.utf8.prefix(100)), Array(other.utf8))
    var row = Array(0...other.count)
    for (index, letter) in one.enumerated() {
      var corner = row[0]
      row[0] = index + 1
      for column in other.indices {
        let change = corner + (letter == other[column] ? 0 : 1)
        corner = row[column + 1]
        row[column + 1] = min(change, row[column] + 1, corner + 1)
      }
    }
    return row[other.count]
  }
}
