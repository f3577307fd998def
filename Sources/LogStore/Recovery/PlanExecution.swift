internal import DiskIO

/// Executes a plan, durably, action by action, and reports what was done.
///
/// The order of the actions is that of their crash points (docs/durability.md): after any crash the
/// next survey gives the rest of the same plan.
struct PlanExecution: Sendable {
  let plan: RecoveryPlan
  let config: LogConfig
  private let nowMs: Int64
  /// The plan's report, completed by where bytes were kept.
  private(set) var report: RecoveryReport
  let truncation: Truncation?
  /// Entries in the index files of the last segment that may be kept.
  private(set) var stored: (offset: Int, time: Int) = (0, 0)
  /// Why its indexes must be rebuilt from the log first.
  private(set) var indexFault: DiskError?
  private var isDirectoryDirty = false
  private var cutCount = 0

  private var directory: LogDirectory { plan.frame.directory }
  private var disk: any Disk { directory.disk }

  /// - Parameter truncation: What was completed before the plan was made.
  init(
    _ plan: RecoveryPlan, config: LogConfig, nowMs: Int64, completed truncation: Truncation? = nil
  ) {
    self.plan = plan
    self.config = config
    self.nowMs = nowMs
    self.truncation = truncation
    report = plan.report
    if let truncation { report.note(truncation, in: plan.frame.directory) }
  }

  /// Does what must precede the removal of the store's clean marker: records durably what only the
  /// marker proves.
  mutating func noteFindings() throws(DiskError) {
    for action in plan.actions where action.isNote { try carryOut(action) }
  }

  /// Does the rest.
  mutating func run() throws(DiskError) {
    // Names that the previous process made.
    let hasWalked = plan.segments.contains { $0.outcome != nil }
    var hasOldNames = hasWalked && !plan.frame.hints.isSynced
    for action in plan.actions where !action.isNote {
      if !isAboutNames(action), isDirectoryDirty {
        try syncDirectory()
        hasOldNames = false
      }
      try carryOut(action)
    }
    let isNeeded =
      !plan.frame.isCleanStop || plan.frame.isCopy || report.isEventful || isDirectoryDirty
    if isDirectoryDirty || hasOldNames, isNeeded { try syncDirectory() }
    boundKept()
    noteHistory()
  }

  /// Once the bytes kept by this opening are durable, the oldest kept files are removed.
  private mutating func boundKept() {
    guard let bytesMax = config.keptBytesMax,
      plan.frame.layout.hasKeptBytes || !report.cuts.isEmpty
    else { return }
    do throws(DiskError) {
      let kept = try KeptFiles(of: directory)
      let removal = kept.remove(
        kept.excess(over: bytesMax, staying: Set(report.cuts.compactMap(\.keptAs))))
      report.droppedKeptFiles = removal.removed
      report.notes += removal.failures.map { "\($0); more is kept than the bound allows" }
    } catch {
      report.notes.append("\(error); whether more is kept than the bound allows is not known")
    }
  }

  private mutating func noteHistory() {
    guard report.isEventful || plan.frame.layout.hasHistory else { return }
    let note = RecoveryHistory.add(
      report, to: directory, nowMs: nowMs, linesMax: config.historyLinesMax)
    if let note { report.notes.append(note) }
  }

  private func isAboutNames(_ action: RecoveryAction) -> Bool {
    switch action {
    case .remove, .rename: true
    case .noteLosses, .writeMark, .setAside, .cut, .writeIndexes, .writeStart, .writeEpochs,
      .writeHistory:
      false
    }
  }

  private mutating func syncDirectory() throws(DiskError) {
    try disk.syncDirectory(directory.path)
    isDirectoryDirty = false
  }

  private mutating func carryOut(_ action: RecoveryAction) throws(DiskError) {
    switch action {
    case .noteLosses(let losses): try note(losses)
    case .writeMark(let record): _ = try DurableMark.replace(directory, with: record)
    case .setAside(let name, _, _):
      report.cuts[cutCount].keptAs = try KeptBytes.move(
        name.baseOffset, stage: name.stage, in: directory)
      cutCount += 1
      try syncDirectory()
    case .remove(let name, _):
      try KeptBytes.remove(directory.path(name), disk)
      isDirectoryDirty = true
    case .rename(let from, let to):
      try disk.rename(directory.path(from), to: directory.path(to))
      isDirectoryDirty = true
    case .cut(let base, let position, _, _): try cut(base, at: position)
    case .writeIndexes(let work): try write(work)
    case .writeStart(let offset): try keepStart(at: offset)
    case .writeEpochs(let epochs):
      let path = directory.path(LeaderEpochCheckpoint.name)
      if try disk.status(path)?.kind == .directory { try disk.removeDirectory(path) }
      try epochs.write(disk, directory: directory.path)
    // Last, so that it includes everything that was done.
    case .writeHistory: break
    }
  }

  private mutating func note(_ losses: KnownLosses.Content) throws(DiskError) {
    do throws(DiskError) {
      try SmallFile.writeAtomically(
        disk, directory: directory.path, name: KnownLosses.fileName, KnownLosses.encode(losses))
    } catch  where error.isDiskFull {
      report.notes.append("the disk is full: \(KnownLosses.fileName) could not be written")
    }
  }

  private mutating func keepStart(at offset: Int64) throws(DiskError) {
    do throws(DiskError) {
      try LogStartFile(offset).write(directory)
    } catch  where error.isDiskFull {
      report.notes.append("the disk is full: \(LogStartFile.name) could not be written")
    }
  }

  private mutating func cut(_ base: Int64, at position: Int) throws(DiskError) {
    let name = SegmentName(base, .log).fileName
    let log = try disk.open(directory.path(name), .readWrite)
    let bytes = position..<max(position, try log.size())
    let source = ReadAroundFile.around(log)
    let kept = try KeptBytes.keep(bytes, of: source, named: name, in: directory)
    report.cuts[cutCount].keptAs = kept
    cutCount += 1
    for lost in source.unreadable(in: bytes) {
      report.notes.append(
        "the disk cannot read the \(lost.count) bytes at position \(lost.lowerBound) of "
          + "\(log.path), which are cut off; each of them is 0xFF in "
          + "\(kept ?? KeptBytes.directoryName)")
    }
    try log.truncate(to: position)
    try log.sync()
  }

  private mutating func write(_ work: RecoveryAction.IndexWork) throws(DiskError) {
    let isSealed = work.baseOffset < plan.frame.places[plan.frame.firstWalked].baseOffset
    var writing = IndexWriting(
      work, in: directory, only: isSealed ? work.isTold : nil,
      isCleanStop: plan.frame.isCleanStop)
    stored = try writing.run()
    indexFault = writing.fault
    for path in writing.rebuilt where !report.rebuiltIndexes.contains(path) {
      report.rebuiltIndexes.append(path)
    }
    isDirectoryDirty = isDirectoryDirty || writing.madeNames
    report.notes += writing.notes
  }
}
