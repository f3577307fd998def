import LogStore

/// Messages of the start about retention.
enum RetentionNotice {
  /// How long new topics keep their records.
  static func ofNewTopics(_ config: LogConfig) -> String {
    let subject = "topics that are made here keep their records "
    guard config.cleanupPolicy.contains(.delete) else {
      return subject + "for ever (cleanup.policy \(config.cleanupPolicy))"
    }
    let size =
      config.retentionBytes < 0
      ? "" : "while newer ones take less than \(config.retentionBytes) bytes (retention.bytes)"
    if config.retentionMs < 0 {
      return subject + (size.isEmpty ? "for ever (retention.ms -1)" : size)
    }
    let time = "for \(duration(ms: config.retentionMs)) (retention.ms \(config.retentionMs))"
    return subject + time + (size.isEmpty ? "" : ", and only \(size)")
  }

  /// Topics named in a message; a copied directory may hold thousands.
  private static let namesMax = 10

  /// From which topics nothing is deleted although there is a rule; nil if there are none.
  static func unconfirmed(_ topics: [String], store: String) -> String? {
    guard let first = topics.first else { return nil }
    let named = topics.prefix(namesMax).joined(separator: ", ")
    let more = topics.count > namesMax ? " and \(topics.count - namesMax) more" : ""
    return "retention deletes nothing of \(Counted.text(topics.count, "topic")) with unconfirmed "
      + "settings: \(named)\(more). 'mkstore topics alter \(store) \(first) --confirm' "
      + "confirms them, or a request to alter retention.ms"
  }

  private static func duration(ms: Int64) -> String {
    let units: [(ms: Int64, name: String)] = [
      (86_400_000, "day"), (3_600_000, "hour"), (60_000, "minute"), (1000, "second"),
    ]
    for unit in units where ms > 0 && ms % unit.ms == 0 {
      return Counted.text(Int(ms / unit.ms), unit.name)
    }
    return "\(ms) ms"
  }
}
