internal import DiskIO
internal import Logging

/// Topics' settings while the store is open, and retention, which goes by them.
extension LogManager {
  /// Replaces the settings of a topic that differ from the store's. They act at once.
  ///
  /// This also decides on what may be deleted: of a topic that a broker wrote, or from before a
  /// broker's last session, retention deletes nothing until this was called, be it with the same
  /// settings.
  ///
  /// - Durability: Durable when this returns. The file of partition 0 comes last, so that after a
  ///   crash before that the topic has the old settings or a part of its partitions the new ones;
  ///   call it again.
  /// - Throws: `.notFound` where the topic has no log, `.invalidConfiguration`, `.closed`; `.disk`
  ///   or `.diskFull`, and then a part of the partitions may have the new settings.
  public func alterTopic(_ topic: String, _ overrides: TopicConfig) throws(LogError) {
    try alterTopic(topic, overrides, confirmsPolicy: true)
  }

  /// The same. Without `confirmsPolicy` nothing is decided on what may be deleted: it stays as
  /// unconfirmed as it is.
  package func alterTopic(
    _ topic: String, _ overrides: TopicConfig, confirmsPolicy: Bool
  ) throws(LogError) {
    let config = overrides.applied(to: self.config.log)
    try config.validate()
    try naming.withLock { (_) throws(LogError) in
      if state.withLock({ $0.isClosed }) { throw .closed(path: path) }
      let logs = logs(ofTopic: topic)
      if logs.isEmpty { throw .notFound(path: "\(path)/\(topic)") }
      do throws(DiskError) {
        let confirmed =
          confirmsPolicy ? try context.policies.sessionForPolicy(nowMs: context.nowMs()) : nil
        for log in logs.reversed() {
          let session = confirmed ?? log.environment.settings.policySession
          try TopicConfigFile.write(
            overrides, policySession: session, context.disk, directory: log.path)
          log.environment.setSettings(
            LogSettings(overrides: overrides, policySession: session), config: config)
        }
      } catch {
        throw LogError(error)
      }
      state.withLock { $0.settingsFaults[topic] = nil }
    }
    startRetention()
  }

  /// Topics of which retention deletes nothing although their settings say so, since nobody has
  /// confirmed them here (`alterTopic`); sorted.
  public var topicsWithUnconfirmedRetention: [String] {
    Set(
      unsortedLogs.filter { $0.config.hasRetention && !$0.isPolicyConfirmed }
        .map(\.topicPartition.topic)
    ).sorted()
  }

  /// Every log, in no order.
  var unsortedLogs: [Log] { state.withLock { Array($0.logs.values) } }

  // MARK: Retention

  /// Begins the checks for what retention deletes, once, where any log may need one.
  func startRetention() {
    if state.withLock({ $0.checksRetention }) { return }
    let isNeeded = unsortedLogs.contains {
      $0.config.hasRetention || !LogRetention($0, nowMs: 0).isIdle
    }
    guard isNeeded else { return }
    let isFirst = state.withLock { state in
      defer { state.checksRetention = true }
      return !state.checksRetention && !state.isClosed
    }
    guard isFirst else { return }
    context.housekeeper.schedule(
      RetentionJob(self), afterMs: Int64(min(config.retentionCheckIntervalMs, Self.firstCheckMs)))
  }

  /// As in Kafka: the first check comes half a minute after the start.
  private static let firstCheckMs = 30_000
}

extension Log {
  /// Whether somebody decided on what may be deleted of the log since the last session of a broker
  /// in the store's directory.
  public var isPolicyConfirmed: Bool {
    context.policies.counts(environment.settings.policySession)
  }
}
