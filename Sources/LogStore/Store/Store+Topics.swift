internal import DiskIO
internal import Logging

/// Making, finding, changing and deleting topics and logs, and retention, which goes by their
/// settings.
extension Store {
  /// The logs of a topic, by partition.
  public func logs(ofTopic topic: String) -> [Log] {
    state.withLock { state in
      state.logs.values.filter { $0.topicPartition.topic == topic }
    }.sorted { $0.topicPartition.partition < $1.topicPartition.partition }
  }

  /// Every topic that has a log, sorted.
  public var topics: [String] {
    Set(state.withLock { $0.logs.keys.map(\.topic) }).sorted()
  }

  /// The log of a topic's partition.
  ///
  /// - Parameters:
  ///   - topic: The topic's name, by Kafka's rules.
  ///   - partition: The partition's number.
  ///   - creation: What happens where there is no such log yet.
  /// - Durability: A log that was made is durable when this returns.
  /// - Throws: `.notFound`, `.invalidName`; else as `createLogBlocking`.
  public func log(
    _ topic: String, partition: Int32 = 0, _ creation: Creation = .mustExist
  ) async throws(LogError) -> Log {
    let name: TopicPartition
    do throws(TopicPartitionError) {
      name = try TopicPartition(topic: topic, partition: partition)
    } catch {
      throw .invalidName(name: topic, reason: "\(error)")
    }
    if let found = log(name) { return found }
    guard creation == .createIfMissing else { throw .notFound(path: "\(path)/\(name)") }
    do throws(LogError) {
      return try await createLog(name)
    } catch {
      // Another task may have made it meanwhile.
      if error.code == .alreadyExists, let found = log(name) { return found }
      throw error
    }
  }

  /// Makes a new, empty log; see `createLogBlocking`.
  ///
  /// - Parameters:
  ///   - topicPartition: Its name.
  ///   - config: Settings of this session; nil: the store's.
  ///   - overrides: Settings of the topic, over `config`, which are kept with the log.
  /// - Throws: As `createLogBlocking`.
  public func createLog(
    _ topicPartition: TopicPartition, config: LogConfig? = nil,
    overrides: TopicConfig = TopicConfig()
  ) async throws(LogError) -> Log {
    try await OneOffThread.run { [self] () throws(LogError) in
      try createLogBlocking(topicPartition, config: config, overrides: overrides)
    }
  }

  /// Deletes a log; see `deleteLogBlocking`.
  ///
  /// - Throws: As `deleteLogBlocking`.
  public func deleteLog(_ topicPartition: TopicPartition) async throws(LogError) {
    try await OneOffThread.run { [self] () throws(LogError) in
      try deleteLogBlocking(topicPartition)
    }
  }

  /// Deletes all logs of a topic; see `deleteTopicBlocking`.
  ///
  /// - Throws: As `deleteTopicBlocking`.
  public func deleteTopic(_ topic: String) async throws(LogError) {
    try await OneOffThread.run { [self] () throws(LogError) in
      try deleteTopicBlocking(topic)
    }
  }

  /// Replaces the settings of a topic; see `alterTopicBlocking`.
  ///
  /// - Throws: As `alterTopicBlocking`.
  public func alterTopic(_ topic: String, _ overrides: TopicConfig) async throws(LogError) {
    try await OneOffThread.run { [self] () throws(LogError) in
      try alterTopicBlocking(topic, overrides)
    }
  }

  // MARK: Making

  /// Makes a new, empty log; durable when this returns. Blocks.
  ///
  /// - Parameters:
  ///   - topicPartition: Its name.
  ///   - config: Settings of this session; nil: the store's.
  ///   - overrides: Settings of the topic, over `config`. Kept with the log, so that it has them
  ///     whenever it is opened; give every partition of a topic the same.
  /// - Throws: `.alreadyExists`, `.invalidName` where the topic collides with another one as Kafka
  ///   judges it (`.` against `_`), `.invalidConfiguration` also for a setting that this engine
  ///   would take and not go by, `.settingsUnreadable` where another partition's settings cannot be
  ///   read, `.diskFull`, `.disk`, `.closed`.
  public func createLogBlocking(
    _ topicPartition: TopicPartition, config: LogConfig? = nil,
    overrides: TopicConfig = TopicConfig()
  ) throws(LogError) -> Log {
    let base = config ?? self.config.log
    try overrides.checkImplemented(over: base)
    let config = overrides.applied(to: base)
    return try naming.withLock { (_) throws(LogError) -> Log in
      let topic = topicPartition.topic
      let (isClosed, isTopicKnown, fault) = state.withLock { state in
        (state.isClosed, state.topicIds[topic] != nil, state.settingsFaults[topic])
      }
      if isClosed { throw .closed(path: path) }
      if let fault { throw fault }
      try forgetDeletedLogs()
      let directory = LogDirectory(
        disk: context.disk, path: "\(path)/\(topicPartition)",
        mapsIndexes: self.config.mapsIndexes)
      if log(topicPartition) != nil { throw .alreadyExists(path: directory.path) }
      // Once a topic, since ten thousand partitions would each look at all others.
      if !isTopicKnown { try refuseCollision(of: topicPartition) }
      var generator = SystemRandomNumberGenerator()
      let topicId =
        try knownTopicId(of: topicPartition.topic) ?? .random(using: &generator)
      let log = try makeLog(topicPartition, directory, config, overrides, topicId)
      state.withLock { state in
        state.logs[topicPartition] = log
        state.topicIds[topicPartition.topic] = topicId
      }
      log.writing.map { context.flusher.add($0.pipeline) }
      if config.hasRetention { startRetention() }
      return log
    }
  }

  /// Before a log is made that a checkpoint may speak of without meaning it.
  private func forgetDeletedLogs() throws(LogError) {
    guard state.withLock({ $0.checkpointsNameDeleted }) else { return }
    do throws(DiskError) {
      try writeCheckpoints()
    } catch {
      throw LogError(error)
    }
  }

  private func refuseCollision(of new: TopicPartition) throws(LogError) {
    let known = Set(state.withLock { $0.logs.keys.map(\.topic) })
    if !known.contains(new.topic), let other = known.first(where: { new.collides(withTopic: $0) }) {
      throw .invalidName(
        name: new.topic,
        reason: "Kafka cannot tell it from topic '\(other)' in its metric names")
    }
  }

  private func makeLog(
    _ topicPartition: TopicPartition, _ directory: LogDirectory, _ config: LogConfig,
    _ overrides: TopicConfig, _ topicId: Uuid
  ) throws(LogError) -> Log {
    do throws(DiskError) {
      try context.disk.makeDirectory(directory.path)
    } catch  where error.isAlreadyThere {
      throw .alreadyExists(path: directory.path)
    } catch {
      throw LogError(error)
    }
    do throws(DiskError) {
      var settings = LogSettings(overrides: overrides)
      // Who makes a log decides on what is deleted of it.
      if config.hasRetention || overrides != TopicConfig() {
        settings.policySession = try context.policies.sessionForPolicy(nowMs: context.nowMs())
      }
      try StoreDirectory.fillLog(directory, in: path, topicId: topicId, settings)
      let loader = LogLoader(
        topicPartition, in: directory, config: config, access: .write,
        hints: .init(isCleanStop: true, recoveryPoint: nil, logStartOffset: nil),
        nowMs: context.nowMs())
      return Log(
        try loader.load(), config: config, context: context, settings: settings)
    } catch {
      takeBackOrLog(directory)
      throw LogError(error)
    }
  }

  private func takeBackOrLog(_ directory: LogDirectory) {
    do throws(DiskError) {
      try StoreDirectory.takeBackLog(directory)
    } catch {
      context.rateLimitedLog.log(
        .warning, cause: "left of a log",
        "what is left of a log that could not be made is in the way of the next one of its name",
        metadata: ["directory": "\(directory.path)", "error": "\(error)"])
    }
  }

  // MARK: Topic ids

  /// The id that a topic's partitions share, as Kafka keeps it in `partition.metadata`; a topic
  /// whose directories have none gets one. nil where there is no such topic.
  package func topicId(of topic: String) throws(LogError) -> Uuid? {
    if let known = state.withLock({ $0.topicIds[topic] }) { return known }
    return try naming.withLock { (_) throws(LogError) -> Uuid? in
      if let known = try knownTopicId(of: topic) { return known }
      let logs = logs(ofTopic: topic)
      if logs.isEmpty { return nil }
      var generator = SystemRandomNumberGenerator()
      let fresh = Uuid.random(using: &generator)
      do throws(DiskError) {
        for log in logs {
          try PartitionMetadata(topicId: fresh).write(context.disk, directory: log.path)
        }
      } catch {
        throw LogError(error)
      }
      state.withLock { $0.topicIds[topic] = fresh }
      return fresh
    }
  }

  /// What the directories say. Holder of `naming`.
  private func knownTopicId(of topic: String) throws(LogError) -> Uuid? {
    if let known = state.withLock({ $0.topicIds[topic] }) { return known }
    for log in logs(ofTopic: topic) {
      do throws(CheckpointError) {
        let metadata = try PartitionMetadata.read(context.disk, directory: log.path)
        guard let id = metadata?.topicId else { continue }
        state.withLock { $0.topicIds[topic] = id }
        return id
      } catch {
        if case .disk(let error) = error { throw LogError(error) }
        // Another partition may say it.
        context.rateLimitedLog.log(
          .warning, cause: "topic id", "a topic id was not read", metadata: ["error": "\(error)"])
      }
    }
    return nil
  }

  // MARK: Deleting

  /// Deletes a log; gone for good when this returns, whatever happens after.
  ///
  /// Its directory is renamed as Kafka does it and removed in the background. Whoever waits for the
  /// log or uses it from now on gets `.closed`; bytes that a reader was given before
  /// (`FileRecords`) can still be sent.
  ///
  /// - Throws: `.notFound`, `.closed`; `.disk` or `.diskFull`, and then the log is closed but may
  ///   be deleted again.
  public func deleteLogBlocking(_ topicPartition: TopicPartition) throws(LogError) {
    try deleteLogs([topicPartition])
  }

  /// Deletes all logs of a topic, the last partition first: what is left of a topic whose deletion
  /// failed, or met a crash, are its first ones, and it may be deleted again.
  ///
  /// - Throws: `.notFound` where it has none, else as `deleteLog`.
  public func deleteTopicBlocking(_ topic: String) throws(LogError) {
    let logs = logs(ofTopic: topic)
    guard !logs.isEmpty else { throw .notFound(path: "\(path)/\(topic)") }
    try deleteLogs(logs.reversed().map(\.topicPartition))
  }

  private func deleteLogs(_ names: [TopicPartition]) throws(LogError) {
    try naming.withLock { (_) throws(LogError) in
      if state.withLock({ $0.isClosed }) { throw .closed(path: path) }
      var renamed: [String] = []
      var failure: LogError?
      for name in names {
        do throws(LogError) {
          renamed.append(try rename(name))
        } catch {
          failure = error
          break
        }
      }
      do throws(DiskError) {
        // A checkpoint that still names the log would speak of the next one of its name.
        if !renamed.isEmpty { try writeCheckpoints() }
      } catch {
        state.withLock { $0.checkpointsNameDeleted = true }
        // On a full disk the logs are gone all the same, and they free what a checkpoint takes.
        if !error.isDiskFull { failure = failure ?? LogError(error) }
      }
      context.endJournalEntries(ofDeleted: names.filter { log($0) == nil })
      for path in renamed { removeFiles(ofDeleted: path) }
      if let failure { throw failure }
    }
  }

  /// Removes the files of a deleted log's directory, soon.
  func removeFiles(ofDeleted directory: String) {
    context.housekeeper.schedule(DeletedLogRemoval(directory, in: path, context))
  }

  private func rename(_ name: TopicPartition) throws(LogError) -> String {
    guard let log = log(name) else { throw .notFound(path: "\(path)/\(name)") }
    log.endForDeletion()
    var generator = SystemRandomNumberGenerator()
    do throws(DiskError) {
      let path = try DeletedLog.rename(
        log.environment.directory, in: path, to: DeletedLog.name(for: name, using: &generator))
      state.withLock { state in
        state.logs[name] = nil
        if !state.logs.keys.contains(where: { $0.topic == name.topic }) {
          state.topicIds[name.topic] = nil
          state.settingsFaults[name.topic] = nil
        }
      }
      return path
    } catch {
      throw LogError(error)
    }
  }

  // MARK: Settings

  /// Replaces the settings of a topic that differ from the store's. They act at once.
  ///
  /// This also confirms the retention policy: of a topic that a broker wrote, or that is older than
  /// a broker's last session, retention deletes nothing until this was called, even with the same
  /// settings.
  ///
  /// - Durability: Durable when this returns. The file of partition 0 comes last, so that after a
  ///   crash before that the topic has the old settings or a part of its partitions the new ones;
  ///   call it again.
  /// - Throws: `.notFound` where the topic has no log, `.invalidConfiguration` also for a value
  ///   that this engine does not go by and the topic does not have yet, `.closed`; `.disk` or
  ///   `.diskFull`, and then a part of the partitions may have the new settings.
  public func alterTopicBlocking(_ topic: String, _ overrides: TopicConfig) throws(LogError) {
    try alterTopicBlocking(topic, overrides, confirmsPolicy: true)
  }

  /// The same. Without `confirmsPolicy` nothing is decided on what may be deleted: it stays as
  /// unconfirmed as it is.
  package func alterTopicBlocking(
    _ topic: String, _ overrides: TopicConfig, confirmsPolicy: Bool
  ) throws(LogError) {
    let config = overrides.applied(to: self.config.log)
    try naming.withLock { (_) throws(LogError) in
      if state.withLock({ $0.isClosed }) { throw .closed(path: path) }
      let logs = logs(ofTopic: topic)
      guard let first = logs.first else { throw .notFound(path: "\(path)/\(topic)") }
      try overrides.checkImplemented(over: self.config.log, since: first.overrides)
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

  /// Topics of which retention deletes nothing although their settings say so, since no one has
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
