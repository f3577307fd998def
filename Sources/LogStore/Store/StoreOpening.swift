internal import DiskIO
internal import Glibc
internal import Logging

/// Opens a store, step by step: the checkpoints, a survey of every log, the marker's removal, and
/// then the changes in each log.
struct StoreOpening {
  let path: String
  let config: StoreConfig
  let context: StoreContext
  var report = StoreReport(wasClean: false, openMs: 0, logs: [], failed: [], notes: [])

  /// Directories of logs that this engine deleted, still to be removed.
  private(set) var deleted: [String] = []
  /// Whether a checkpoint names a log that no longer exists or a log's start that was not believed
  /// (after further appends nothing would show that it is wrong), or is corrupted.
  private(set) var holdsStaleCheckpoints = false
  /// The checkpoints' content for logs that could not be opened.
  private(set) var unopened = StoreCheckpoints()
  /// One sync for many logs, if the disk has one.
  private(set) var group: GroupSync?
  /// What the store's journal holds.
  private(set) var journal = JournalContents()
  /// Whether everything in it is done, so that it may be emptied.
  private(set) var isJournalDone = true
  /// Logs that a broker's cleaner was working on.
  private var compacted: Set<TopicPartition> = []

  private var disk: any Disk { context.disk }

  init(path: String, config: StoreConfig, context: StoreContext) {
    self.path = path
    self.config = config
    self.context = context
  }

  /// Opens every log of the store.
  mutating func run() throws(LogError) -> [Log] {
    do throws(DiskError) {
      let names = try disk.list(path)
      let wasClean = names.contains { $0.name == CleanShutdownFile.name }
      report.wasClean = wasClean
      try ensureIdentity(names)
      // Before anything is written that it must cover.
      if config.sharedSyncMin > 0 {
        group = try disk.sharedSync(of: "\(path)/\(MetaProperties.name)").map {
          GroupSync(
            $0, logCountMin: config.sharedSyncMin, othersBytesMax: config.sharedSyncOthersBytesMax,
            traffic: context.syncTraffic,
            logger: context.logger, metrics: context.metrics, now: config.monotonicNs)
        }
      }
      try checkFiles()
      let points = try readCheckpoint(.recoveryPoint)
      let starts = try readLogStarts()
      try readPolicies(starts)
      let found = try sort(names)
      journal = try JournalContents(disk, directory: path)
      report.sideFileDamage += journal.damage
      holdsStaleCheckpoints =
        !starts.faults.isEmpty
        || !Set(points.keys).union(starts.offsets.keys).isSubset(of: found)
      let logs = try load(found, wasClean: wasClean, points, starts.offsets)
      keepLines(points, starts.offsets)
      keepJournalEntries(Set(logs.map(\.topicPartition.description)))
      return logs
    } catch {
      throw LogError(error)
    }
  }

  private mutating func ensureIdentity(_ names: [DirectoryEntry]) throws(DiskError) {
    if names.contains(where: { $0.name == MetaProperties.name }) {
      do throws(CheckpointError) {
        if try MetaProperties.read(disk, directory: path) != nil { return }
      } catch {
        if case .disk(let error) = error { throw error }
        report.notes.append("\(error) (\(SideFileRemedy.metaProperties))")
        return
      }
      throw DiskError(.open, "\(path)/\(MetaProperties.name)", code: EISDIR)
    }
    var generator = SystemRandomNumberGenerator()
    try MetaProperties.fresh(using: &generator).write(disk, directory: path)
  }

  /// Reads the store's small files if everything is surveyed, and replaces a broker's unreadable
  /// cleaner checkpoint: the cleaner then begins at each log's start. The other checkpoints are
  /// written when the store is closed.
  private mutating func checkFiles() throws(DiskError) {
    if config.surveyDepth > .ends {
      let damage = SideFileVerifier(disk).storeFindings(path).damage
      report.mendedFiles = damage.filter(\.isMendedByOpen).map(\.file)
      report.sideFileDamage = damage.filter { !$0.isMendedByOpen }
    }
    let cleaned = try OffsetCheckpoint.usable(disk, directory: path, .cleaner)
    compacted = Set(cleaned.offsets.keys)
    guard let fault = cleaned.fault else { return }
    report.notes.append("\(fault); it is replaced by an empty one")
    try OffsetCheckpoint().write(disk, directory: path, .cleaner)
  }

  private mutating func readCheckpoint(
    _ name: OffsetCheckpoint.Name
  ) throws(DiskError) -> [TopicPartition: Int64] {
    let found = try OffsetCheckpoint.usable(disk, directory: path, name)
    // As in Kafka: without it the logs are scanned from their start.
    if let fault = found.fault {
      report.notes.append("\(fault); it is rewritten when the store is closed")
    }
    return found.offsets
  }

  private mutating func readLogStarts() throws(DiskError) -> LogStarts {
    let starts = try LogStarts(disk, directory: path)
    report.notes += starts.faults.map { "\($0); it is rewritten" }
    return starts
  }

  /// Determines which retention policies count: none from before a broker's session.
  private func readPolicies(_ starts: LogStarts) throws(DiskError) {
    let fault = try context.policies.load(nowMs: context.nowMs())
    if let fault {
      context.logger.warning(
        "which retention policies were confirmed is not known: none counts until it is again",
        metadata: ["error": "\(fault)"])
    }
    if starts.isBrokers { context.policies.forgetAll(nowMs: context.nowMs()) }
  }

  /// What the journal holds of logs that could not be opened is kept in a file of each, so that the
  /// journal can be used again.
  private mutating func keepJournalEntries(_ opened: Set<String>) {
    for (name, located) in journal.entries where !opened.contains(name) {
      let directory = LogDirectory(disk: disk, path: "\(path)/\(name)")
      do throws(DiskError) {
        // Deleted, with all that the journal says of it.
        guard LogDirectoryName(name).isLog, try disk.status(directory.path) != nil else { continue }
        try KeptEntries.add(try KeptEntries.encode(located, disk), to: directory)
      } catch {
        isJournalDone = false
        context.logger.error(
          """
          acknowledged records of a log that could not be opened stay in the journal, which is not \
          used until they are in a file of their own
          """,
          metadata: ["log": "\(name)", "error": "\(error)"])
      }
    }
  }

  /// It may be the only evidence of the start of a log that could not be opened this time.
  private mutating func keepLines(
    _ points: [TopicPartition: Int64], _ starts: [TopicPartition: Int64]
  ) {
    let names = report.failed.map { LogDirectoryName(PathText.lastComponent($0.directory)) }
    guard !names.isEmpty else { return }
    let highWatermarks = knownHighWatermarks()
    for case .log(let name) in names {
      unopened.points.offsets[name] = points[name]
      unopened.starts.offsets[name] = starts[name]
      unopened.highWatermarks.offsets[name] = highWatermarks[name]
    }
  }

  /// Only this engine uses the file: if it cannot be read, it is replaced.
  private func knownHighWatermarks() -> [TopicPartition: Int64] {
    do throws(DiskError) {
      return try OffsetCheckpoint.usable(disk, directory: path, .highWatermark).offsets
    } catch {
      return [:]
    }
  }

  private mutating func sort(_ names: [DirectoryEntry]) throws(DiskError) -> [TopicPartition] {
    let found = try LogDirectories(in: path, names, disk)
    for (name, meaning) in found.others {
      switch meaning {
      case .deleted where try DeletedLog.isOurs("\(path)/\(name)", disk):
        deleted.append("\(path)/\(name)")
      case .deleted, .future, .stray:
        report.notes.append("\(name) is a log that Kafka put away; it was left alone")
      case .log, .other:
        report.notes.append("\(name) is not a log directory; it was left alone")
      }
    }
    report.notes += found.notes
    for (directory, error) in found.broken { noteFailed(directory, error) }
    return found.logs
  }

  private mutating func noteFailed(_ directory: String, _ error: LogError) {
    report.failed.append((directory, error))
    context.logger.error(
      "a log could not be opened",
      metadata: ["log": "\(PathText.lastComponent(directory))", "error": "\(error)"])
  }

  /// The settings of each log, in the order of `found`; unreadable ones are reported.
  private func readSettings(_ found: [TopicPartition]) -> [LogSettings] {
    let (path, context) = (path, context)
    var settings = WorkerThreads.map(
      jobCount: found.count, threadCount: config.loaderThreads
    ) { index in
      LogSettings(
        readingFrom: LogDirectory(disk: context.disk, path: "\(path)/\(found[index])"))
    }
    for (name, found) in zip(found, settings) {
      guard let fault = found.fault else { continue }
      context.logger.error(
        "a topic's settings cannot be read, so nothing is appended to it",
        metadata: ["log": "\(name)", "error": "\(fault)"])
    }
    LogSettings.spreadFaults(&settings, of: found)
    return settings
  }

  /// After an unclean stop, content that is only in the page cache must become durable before it is
  /// trusted: for many logs by one sync, which begins once no other process writes.
  ///
  /// - Returns: Whether that was done; otherwise each log does it by itself.
  private func syncTogether(logCount: Int) -> Bool {
    guard let group, logCount >= group.logCountMin,
      group.mayRun(ownBytes: logCount * Self.expectedBytesPerLog)
    else { return false }
    return group.run(logCount: logCount)
  }

  /// What a log that was written to may have left in the page cache: the ends of its files.
  private static let expectedBytesPerLog = 64 << 10

  /// Threads that survey the segments of one log if all of them are surveyed: with few logs each
  /// may use the whole machine; with many, one that is far larger than the others still has more
  /// than one.
  private func surveyThreads(logCount: Int) -> Int {
    guard config.surveyDepth > .ends else { return 1 }
    let processors = max(1, AllowedProcessors.list().count)
    return max(min(processors, 8), processors / max(1, min(logCount, config.loaderThreads)))
  }

  /// Surveys every log before the marker is removed, and changes them after that.
  private mutating func load(
    _ found: [TopicPartition], wasClean: Bool, _ points: [TopicPartition: Int64],
    _ starts: [TopicPartition: Int64]
  ) throws(DiskError) -> [Log] {
    let (config, context) = (config, context)
    let group = !wasClean && syncTogether(logCount: found.count) ? group : nil
    let settings = readSettings(found)
    let threadCount = surveyThreads(logCount: found.count)
    let loaders = zip(found, settings).map { log, settings in
      var hints = LogHints(
        isCleanStop: wasClean, recoveryPoint: points[log], logStartOffset: starts[log],
        isCompacted: compacted.contains(log),
        isSynced: group?.covers("\(path)/\(log)") ?? false)
      hints.journal = journal.entries[log.description] ?? []
      return loader(log, settings, threadCount: threadCount, hints: hints)
    }
    let prepared = WorkerThreads.map(
      jobCount: found.count, threadCount: config.loaderThreads
    ) { index in
      Result { () throws(DiskError) in try loaders[index].prepare() }
    }
    if prepared.contains(where: { Self.isOutrun($0) }) {
      context.policies.forgetAll(nowMs: context.nowMs())
    }
    do throws(DiskError) {
      try context.policies.writeIfNeeded()
    } catch  where error.isDiskFull {
      // No checkpoint is written before it is.
    }
    // Before any log is changed: a crash from here on is no clean stop (P2). What only the clean
    // stop proves is recorded by now.
    if wasClean { try CleanShutdownFile.remove(disk, directory: path) }
    let results = WorkerThreads.map(
      jobCount: found.count, threadCount: config.loaderThreads
    ) { index -> Result<Log, LogError> in
      let settings = settings[index]
      do throws(DiskError) {
        var loaded = try loaders[index].load(prepared[index].get())
        if let note = settings.note { loaded.report.notes.append(note) }
        if let fault = settings.fault { loaded.report.notes.append("\(fault)") }
        return .success(
          Log(
            loaded, config: settings.overrides.applied(to: config.log), context: context,
            settings: settings))
      } catch {
        return .failure(LogError(error))
      }
    }
    var logs: [Log] = []
    for (topicPartition, result) in zip(found, results) {
      switch result {
      case .success(let log):
        report.logs.append((topicPartition, log.recovery))
        context.tellDropped(log.recovery, of: topicPartition)
        if starts[topicPartition] ?? 0 > log.logStartOffset { holdsStaleCheckpoints = true }
        logs.append(log)
      case .failure(let error):
        noteFailed("\(path)/\(topicPartition)", error)
      }
    }
    return logs
  }

  /// Whether another program wrote to a log after we closed it.
  private static func isOutrun(_ prepared: Result<PlanExecution, DiskError>) -> Bool {
    if case .success(let execution) = prepared { execution.plan.frame.isOutrun } else { false }
  }

  private func loader(
    _ log: TopicPartition, _ settings: LogSettings, threadCount: Int, hints: LogHints
  ) -> LogLoader {
    LogLoader(
      log,
      in: LogDirectory(disk: disk, path: "\(path)/\(log)", mapsIndexes: config.mapsIndexes),
      config: settings.overrides.applied(to: config.log), access: .write, hints: hints,
      depth: config.surveyDepth, threadCount: threadCount, nowMs: context.nowMs())
  }
}
