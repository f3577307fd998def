internal import DiskIO
internal import RecordFormat

/// The result of opening a log, from which `Log` starts.
struct LoadedLog {
  var topicPartition: TopicPartition
  var directory: LogDirectory
  var state: LogState
  /// nil in a log opened for reading only.
  var writer: WriterState?
  var logEndOffset: Int64
  var recoveryPoint: Int64
  /// Whether the directory has a durable mark.
  var hasMark: Bool
  /// Whether the mark was copied here and is to be replaced.
  var isMarkCopy: Bool
  var producers: ProducerTracking
  /// The greatest producer id, of those that a store assigns, in what was scanned; -1 if none.
  var greatestProducerId: Int64
  var report: RecoveryReport
  /// The truncation, begun before, that the opening completed.
  var truncation: Truncation?
}

/// Opens one log by the plan that a survey of it gives (docs/durability.md#recovery).
///
/// Reads a small number of bytes of index files and the log's unsynced tail, whatever its size;
/// segments below the recovery point are not even opened. With `access` `.write` it executes the
/// plan, durably, before it returns. With `.read` it changes nothing and gives the same view.
struct LogLoader: Sendable {
  /// Whether the directory may be changed.
  enum Access: Sendable { case read, write }

  private let topicPartition: TopicPartition
  private let directory: LogDirectory
  private let config: LogConfig
  private let access: Access
  private let hints: LogHints
  private let depth: SurveyOptions.Depth
  private let threadCount: Int
  private let nowMs: Int64

  /// - Parameters:
  ///   - depth: How far the log is surveyed; usually the unsynced end.
  ///   - threadCount: Segments surveyed at the same time, if all of them are.
  init(
    _ topicPartition: TopicPartition, in directory: LogDirectory, config: LogConfig,
    access: Access, hints: LogHints, depth: SurveyOptions.Depth = .ends, threadCount: Int = 1,
    nowMs: Int64
  ) {
    self.topicPartition = topicPartition
    self.directory = directory
    self.config = config
    self.access = access
    self.hints = hints
    self.depth = depth
    self.threadCount = threadCount
    self.nowMs = nowMs
  }

  /// Opens the log.
  func load() throws(DiskError) -> LoadedLog {
    guard access == .write else {
      let plan = try survey(hints)
      return loaded(plan, plan.view, writer: nil)
    }
    return try load(prepare())
  }

  /// The first half of opening a log for writing: surveys it, and durably records what only the
  /// store's clean stop proves. The log itself stays unchanged, except that an unfinished
  /// truncation is completed.
  func prepare() throws(DiskError) -> PlanExecution {
    let truncation = try TruncationExecution.complete(in: directory)
    var execution = PlanExecution(
      try survey(try replayJournal()), config: config, nowMs: nowMs, completed: truncation)
    try execution.noteFindings()
    return execution
  }

  /// Puts the journal's batches into the log's files, durably.
  private func replayJournal() throws(DiskError) -> LogHints {
    var hints = hints
    hints.journalLosses = []
    let entries = try KeptEntries.read(directory) + hints.journal
    if entries.isEmpty { return hints }
    let replay = try JournalReplay(
      entries, in: directory, startHint: hints.logStartOffset, fresh: true)
    try replay.run()
    hints.journalLosses = replay.losses
    // What the marker says of the files is from before.
    if !replay.writes.isEmpty { hints.isCleanStop = false }
    return hints
  }

  /// The second half.
  func load(_ prepared: PlanExecution) throws(DiskError) -> LoadedLog {
    var execution = prepared
    let plan = execution.plan
    if plan.frame.isCopy { try syncCopy(plan.frame) }
    try execution.run()
    var log = loaded(
      plan, execution.report, writer: WriterState(dormant: nil, leaderEpoch: plan.epochs.latest))
    log.writer?.dormant = try dormant(plan, log.state.segments, execution)
    log.truncation = execution.truncation
    try KeptEntries.remove(directory)
    return log
  }

  private func survey(_ hints: LogHints) throws(DiskError) -> RecoveryPlan {
    var options = SurveyOptions(depth: depth)
    options.isForWriting = access == .write
    options.threadCount = threadCount
    options.indexIntervalBytes = config.indexIntervalBytes
    let frame = try LogFrame.read(directory, hints, isForWriting: options.isForWriting)
    return try LogSurvey(frame, options).run { (place) throws(DiskError) in
      try open(place, frame)
    }
  }

  /// Opens a segment's file. After an unclean stop a writer syncs it first: what is only in the
  /// page cache is not durable yet, and nothing may be acknowledged on top of it. Then the pages
  /// are dropped, so that the walk sees the disk's content even if an earlier failed sync left lost
  /// pages marked clean. Bytes that the mark says were synced may stay in memory.
  private func open(
    _ place: SegmentPlace, _ frame: LogFrame
  ) throws(DiskError) -> any DiskFile {
    guard access == .write else { return try frame.directory.disk.open(place.logPath, .read) }
    let log = try directory.disk.open(place.logPath, .readWrite)
    guard !frame.isCleanStop || frame.isCopy else { return log }
    if hints.isSynced { try log.checkWritten() } else { try log.sync() }
    let size = try log.size()
    let start = frame.point.scanStart.flatMap { start in
      start.segmentBaseOffset == place.baseOffset ? start.position : nil
    }
    let synced = min(start ?? 0, size)
    log.advise(.dontNeed, at: synced, count: size - synced)
    return log
  }

  /// Makes the segments of a copy durable that opening does not walk over: the copying tool may not
  /// have synced them, and the next mark will say that all of the log is.
  private func syncCopy(_ frame: LogFrame) throws(DiskError) {
    if hints.isSynced { return }
    for place in frame.places[..<frame.firstWalked] {
      guard let log = openIfReadable(place) else { continue }
      try log.sync()
    }
    try directory.disk.syncDirectory(PathText.parent(directory.path))
  }

  /// nil for a segment that may not be opened, which reads and `verify` report.
  private func openIfReadable(_ place: SegmentPlace) -> (any DiskFile)? {
    do throws(DiskError) {
      return try directory.disk.open(place.logPath, .read)
    } catch {
      return nil
    }
  }

  // MARK: The log after the plan

  private func loaded(
    _ plan: RecoveryPlan, _ report: RecoveryReport, writer: WriterState?
  ) -> LoadedLog {
    let segments = plan.segments.filter { $0.outcome?.refusal == nil }.map(segment)
    let bases = Set(segments.map(\.baseOffset))
    let indexed = plan.frame.layout.entries.filter(\.hasTransactionIndex).map(\.baseOffset)
    let state = LogState(
      segments: segments, startOffset: plan.logStartOffset,
      toldStartOffset: plan.frame.startEvidence.start,
      epochs: plan.epochs,
      snapshotOffsets: plan.snapshots, transactionIndexes: bases.intersection(indexed),
      rules: rules(plan, segments))
    return LoadedLog(
      topicPartition: topicPartition, directory: plan.frame.directory, state: state,
      writer: writer,
      logEndOffset: plan.logEndOffset, recoveryPoint: plan.logEndOffset,
      hasMark: plan.frame.mark.newest != nil, isMarkCopy: plan.frame.isCopy,
      producers: producers(plan),
      greatestProducerId: plan.greatestProducerId, report: report)
  }

  private func segment(_ place: SegmentPlace, _ outcome: SegmentOutcome?) -> Segment {
    let segment = Segment(
      baseOffset: place.baseOffset, logName: access == .read ? place.entry.logName : nil,
      directory: place.directory, end: nil, isSealed: true)
    guard let outcome else { return segment }
    for range in outcome.damage { segment.addDamage(range) }
    for run in outcome.verified { segment.verified.insert(run) }
    segment.publish(
      SegmentEnd(
        relativeOffset: UInt32(clamping: outcome.nextOffset - place.baseOffset),
        position: UInt32(clamping: outcome.end)))
    segment.setLargestTimestamp(outcome.largest)
    return segment
  }

  /// The last segment, if the log continues in it.
  private func dormant(
    _ plan: RecoveryPlan, _ segments: [Segment], _ execution: PlanExecution
  ) throws(DiskError) -> DormantSegment? {
    guard plan.goesOnInLast, let outcome = plan.segments.last?.outcome, let index = outcome.index,
      let segment = segments.last
    else { return nil }
    segment.markUnsealed()
    return DormantSegment(
      segment: segment, position: outcome.end, nextOffset: outcome.nextOffset,
      cursor: index.cursor, offsetEntries: execution.stored.offset,
      timeEntries: execution.stored.time,
      createdMs: try directory.disk.status(segment.path(.log))?.createdMs ?? nowMs,
      indexFault: execution.indexFault)
  }

  /// The rules for the log's batches from now on: those that applied now, or batches would be
  /// judged differently the next time. For a log that begins empty: that this engine writes it from
  /// its first record on.
  private func rules(_ plan: RecoveryPlan, _ segments: [Segment]) -> OwnLogRules {
    guard plan.frame.mark.newest == nil else { return plan.frame.rules }
    // The first session may have been killed between its first segment and its first mark.
    let isEmpty = segments.allSatisfy { $0.isEndKnown && $0.publishedEnd.position == 0 }
    let isNew = plan.logEndOffset == 0 && isEmpty && plan.frame.layout.snapshots.isEmpty
    return isNew ? OwnLogRules(epochs: plan.frame.epochs) : .none
  }

  private func producers(_ plan: RecoveryPlan) -> ProducerTracking {
    let end = plan.logEndOffset
    let newest = plan.frame.mark.newest
    return ProducerTracking(
      isOwn: newest.map { $0.recoveryPoint == end || !$0.isClean } ?? false,
      isKnownEmpty: isWithoutProducers(plan) || (end == 0 && plan.frame.layout.snapshots.isEmpty))
  }

  /// Whether the mark and what was scanned after it show that the log knows no producer.
  private func isWithoutProducers(_ plan: RecoveryPlan) -> Bool {
    guard let newest = plan.frame.mark.newest, newest.isWithoutProducers else { return false }
    if newest.recoveryPoint == plan.logEndOffset { return true }
    // Everything from our own point on was scanned.
    return !newest.isClean && !plan.frame.isCleanStop && !plan.sawProducers
  }
}
