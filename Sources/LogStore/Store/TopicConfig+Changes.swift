/// Changes of a topic's settings, by Kafka's operations.
extension TopicConfig {
  /// A change of one setting.
  ///
  /// ```swift
  /// let changed = try settings.changed(
  ///   by: [("retention.ms", .set("86400000")), ("segment.bytes", .delete)], over: LogConfig())
  /// try await store.alterTopic("orders", changed)
  /// ```
  public enum Change: Sendable, Equatable {
    /// Sets a value.
    case set(String)
    /// Restores the store's value.
    case delete
    /// Adds elements, separated by commas, to a list; elements that it has are not repeated.
    case append(String)
    /// Removes elements, separated by commas, from a list.
    case subtract(String)
  }

  /// These settings after some changes, in order.
  ///
  /// - Parameters:
  ///   - changes: The changes; a later one sees the result of an earlier one.
  ///   - base: The store's settings, which are the initial lists if the topic has none.
  /// - Throws: `.invalidConfiguration` with the first setting that Kafka would refuse or that this
  ///   engine does not implement.
  public func changed(
    by changes: [(name: String, change: Change)], over base: LogConfig
  ) throws(LogError) -> TopicConfig {
    var values = self.values
    for (name, change) in changes {
      switch change {
      case .set(let value): values[name] = value
      case .delete: values[name] = nil
      case .append(let added):
        var elements = try elements(of: name, values[name], base)
        for element in TopicSetting.elements(added) where !elements.contains(element) {
          elements.append(element)
        }
        values[name] = elements.joined(separator: ",")
      case .subtract(let removed):
        let gone = TopicSetting.elements(removed)
        values[name] = try elements(of: name, values[name], base)
          .filter { !gone.contains($0) }.joined(separator: ",")
      }
    }
    let config = try TopicConfig(values)
    try config.checkImplemented(over: base, since: self)
    return config
  }

  /// Refuses settings that this engine would store but not apply.
  ///
  /// - Parameters:
  ///   - base: The store's settings.
  ///   - earlier: The topic's current settings: values from before this was checked can stay.
  /// - Throws: `.invalidConfiguration` with the first one (by name); also if the settings, each
  ///   legal, contradict each other.
  public func checkImplemented(
    over base: LogConfig, since earlier: TopicConfig = TopicConfig()
  ) throws(LogError) {
    let config = applied(to: base)
    let changed = values.filter { earlier.values[$0.key] != $0.value }
    for (name, value) in changed.sorted(by: { $0.key < $1.key }) {
      if let reason = TopicSetting.all[name]?.rejection(of: value, in: config) {
        throw .invalidConfiguration(name: name, reason: reason)
      }
    }
    try config.validate()
  }

  private func elements(
    of name: String, _ value: String?, _ base: LogConfig
  ) throws(LogError) -> [String] {
    guard let setting = TopicSetting.all[name] else { throw Self.unknown(name) }
    guard setting.isList else {
      throw .invalidConfiguration(
        name: name, reason: "is not a list, so elements cannot be added or removed")
    }
    return TopicSetting.elements(value ?? setting.stated(by: base) ?? setting.standard)
  }

  static func unknown(_ name: String) -> LogError {
    .invalidConfiguration(name: name, reason: "no setting of a topic has this name")
  }
}
