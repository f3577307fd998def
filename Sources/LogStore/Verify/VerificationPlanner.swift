import DiskIO

/// Finds out what there is to verify under the given paths; reads names, checkpoints and marks
/// only.
struct VerificationPlanner {
  private let disk: any Disk
  private let depth: VerificationOptions.Depth
  private(set) var logs: [LogPlan] = []
  /// Findings that need no segment.
  private(set) var report = VerificationReport()

  init(_ disk: any Disk, depth: VerificationOptions.Depth) {
    self.disk = disk
    self.depth = depth
  }

  /// What the store around a log says of it.
  private struct StoreContext {
    var isClean = false
    var recoveryPoints = OffsetCheckpoint()
  }

  /// Adds a log directory, a store directory or a single `.log` file.
  mutating func add(_ path: String) throws(DiskError) {
    guard let status = try disk.status(path) else {
      throw DiskError.notFound(.status, path)
    }
    let path = PathText.trimmed(path)
    guard status.kind == .directory else {
      try addFile(path, status)
      return
    }
    let entries = try disk.list(path).sorted { $0.name < $1.name }
    let isLog = entries.contains {
      SegmentName($0.name) != nil || $0.name == PartitionMetadata.name
        || $0.name == DurableMark.fileName
    }
    if isLog {
      try addLog(path, entries, in: try context(of: PathText.parent(path)))
    } else {
      try addStore(path, entries)
    }
  }

  private mutating func addStore(
    _ path: String, _ entries: [DirectoryEntry]
  ) throws(DiskError) {
    let context = try context(of: path)
    for entry in entries {
      let entryPath = "\(path)/\(entry.name)"
      let name = LogDirectoryName(entry.name)
      guard kind(of: entry, entryPath, isOfLog: name.isLog) == .directory else {
        noteStoreFile(entry.name, entryPath)
        continue
      }
      switch name {
      case .log: addLog(entryPath, in: context)
      case .deleted: note(entryPath, "waits for deletion; not verified")
      case .future: note(entryPath, "is being moved here by Kafka; not verified")
      case .stray: note(entryPath, "was set aside by Kafka; not verified")
      case .other: note(entryPath, "is no log directory; not verified")
      }
    }
    if depth != .quick {
      let findings = SideFileVerifier(disk).storeFindings(path)
      report.sideFileDamage += findings.damage
      report.unreadable += findings.unreadable
    }
  }

  /// Adds a log of a store; what is wrong with it leaves the other logs to be looked at. A running
  /// writer may delete it meanwhile, and make another one of its name.
  private mutating func addLog(_ path: String, in context: StoreContext) {
    for attempt in 1...Self.attemptsMax {
      var found = VerificationPlanner(disk, depth: depth)
      do throws(DiskError) {
        let names = try disk.list(path).sorted { $0.name < $1.name }
        try found.addLog(path, names, in: context)
        take(found)
        return
      } catch {
        if isGone(path, error) { return note(path, "was removed while it was to be verified") }
        if error.isNotFound, attempt < Self.attemptsMax { continue }
        take(found)
        return report.unreadable.append(error)
      }
    }
  }

  /// How often a log that changes under its name is looked at.
  private static let attemptsMax = 3

  private mutating func take(_ found: VerificationPlanner) {
    logs += found.logs
    report.damage += found.report.damage
    report.sideFileDamage += found.report.sideFileDamage
    report.unreadable += found.report.unreadable
    report.notes += found.report.notes
  }

  /// Whether `error` comes of a log that has no directory any more.
  private func isGone(_ path: String, _ error: DiskError) -> Bool {
    guard error.isNotFound else { return false }
    do throws(DiskError) {
      return try disk.status(path) == nil
    } catch {
      return false
    }
  }

  private mutating func addLog(
    _ path: String, _ entries: [DirectoryEntry], in context: StoreContext
  ) throws(DiskError) {
    var log = LogPlan(path: path)
    let mark = try judge(&log, in: context)
    var kinds: [Int64: Set<SegmentName.Kind>] = [:]
    var files: [DirectoryEntry] = []
    for entry in entries {
      let entryPath = "\(path)/\(entry.name)"
      guard let name = SegmentName(entry.name) else {
        noteLogFile(entry.name, entryPath, &log)
        continue
      }
      guard let kind = kind(of: entry, entryPath, isOfLog: true) else { continue }
      guard kind == .file else {
        report.sideFileDamage.append(
          SideFileDamage(
            file: entryPath, reason: "is no file, so it holds nothing of the log; move it away",
            isMendedByOpen: false))
        continue
      }
      files.append(DirectoryEntry(name: entry.name, kind: kind))
      if let stage = name.stage {
        if stage != .swap { note(entryPath, Self.meaning(of: stage)) }
      } else if name.kind == .snapshot {
        log.snapshots.append(name.baseOffset)
      } else {
        kinds[name.baseOffset, default: []].insert(name.kind)
      }
    }
    let layout = try SegmentLayout(files, in: LogDirectory(disk: disk, path: path))
    noteOrphans(path, kinds, telling: mark == nil ? Set(layout.orphans) : [])
    noteSwaps(path, layout)
    let copies = SoleCopy.find(layout, in: LogDirectory(disk: disk, path: path))
    report.damage += copies.flatMap(\.damage)
    var segments = layout.entries
    if mark == nil { setStraysAside(path, &segments) }
    for (index, entry) in segments.enumerated() {
      let next = index + 1 < segments.count ? segments[index + 1].baseOffset : nil
      log.segments.append(
        try segment(
          path, entry, next: next, kinds: kinds[entry.baseOffset] ?? [], in: context, log))
    }
    if log.segments.isEmpty { try noteLostLog(log) }
    log.rules = try rules(log, mark)
    for index in log.segments.indices { log.segments[index].rules = log.rules }
    logs.append(log)
  }

  /// Tells what is known of a log whose segments are all gone.
  private mutating func noteLostLog(_ log: LogPlan) throws(DiskError) {
    let directory = LogDirectory(disk: disk, path: log.path)
    // Indexes that are left tell of the segments they belong to.
    let lost = report.damage.filter { PathText.parent($0.file) == log.path }.compactMap(\.offsets)
    let end = lost.map(\.upperBound).max() ?? 0
    if !log.point.isOwn,
      let told = try EndEvidence.inSnapshots(log.snapshots, behind: end, in: directory)
    {
      report.damage.append(
        DamagedRange(
          file: directory.path(SegmentName(end, .log).fileName), bytes: 0..<0,
          offsets: end..<told.nextOffset,
          reason: "there is no segment, but \(told.fileName) tells that the log had reached offset "
            + "\(told.nextOffset)"))
    }
    guard log.point.offset > 0 else { return }
    report.sideFileDamage.append(
      SideFileDamage(
        file: log.path,
        reason: "there is no segment, but the log was synced up to offset \(log.point.offset)",
        isMendedByOpen: false))
  }

  /// Tells of indexes without their `.log`; `telling` are those that tell of a lost segment: none
  /// in a log of ours, where a crash may leave an index alone.
  private mutating func noteOrphans(
    _ path: String, _ kinds: [Int64: Set<SegmentName.Kind>], telling: Set<Int64>
  ) {
    let logs = kinds.filter { $0.value.contains(.log) }.keys
    for (baseOffset, found) in kinds where !found.contains(.log) {
      let next = logs.filter { $0 > baseOffset }.min()
      let directory = LogDirectory(disk: disk, path: path)
      let previous = logs.filter { $0 < baseOffset }.max()
      if telling.contains(baseOffset),
        let range = LostSegment.range(
          baseOffset, in: directory, after: previous, before: next)
      {
        report.damage.append(range)
      } else {
        note("\(path)/\(SegmentName.digits(baseOffset))", "an index without its .log file")
      }
    }
  }

  /// Takes files out that have the name of a segment and are none; see `StraySegments`.
  private mutating func setStraysAside(
    _ path: String, _ segments: inout [SegmentLayout.Entry]
  ) {
    let candidates = segments.map {
      StraySegments.Candidate(
        baseOffset: $0.baseOffset, path: "\(path)/\($0.logName)",
        hasOffsetIndex: $0.hasOffsetIndex)
    }
    for stray in StraySegments.find(candidates, disk) {
      segments.removeAll { $0.baseOffset == stray.baseOffset }
      report.sideFileDamage.append(
        SideFileDamage(
          file: stray.path, reason: "is no segment of the log: it \(stray.reason)",
          isMendedByOpen: true))
    }
  }

  private func segment(
    _ directory: String, _ entry: SegmentLayout.Entry, next: Int64?,
    kinds: Set<SegmentName.Kind>, in context: StoreContext, _ log: LogPlan
  ) throws(DiskError) -> SegmentPlan {
    let path = "\(directory)/\(entry.logName)"
    return SegmentPlan(
      path: path, baseOffset: entry.baseOffset,
      offsetLimit: SegmentScanner.offsetLimit(after: entry.baseOffset, before: next),
      nextBaseOffset: next, byteCount: try disk.status(path)?.size ?? 0,
      isClean: context.isClean, point: log.point,
      indexes: depth == .quick || entry.isReplacement ? nil : kinds)
  }

  /// Tells what becomes of finished replacements, which the log's next opening puts in place.
  private mutating func noteSwaps(_ path: String, _ layout: SegmentLayout) {
    for rename in layout.renames {
      let isLog = SegmentName(rename.to)?.kind == .log
      note(
        "\(path)/\(rename.from)",
        "is about to take the place of a segment; "
          + (isLog ? "verified as that" : "made anew where it is wrong"))
    }
    for base in layout.damagedSwaps {
      report.sideFileDamage.append(
        SideFileDamage(
          file: "\(path)/\(SegmentName(base, .log, stage: .swap).fileName)",
          reason: SegmentLayout.damagedSwapReason, isMendedByOpen: true))
    }
    for file in layout.obsolete {
      guard let name = SegmentName(file), name.kind == .log else { continue }
      switch name.stage {
      case nil: note("\(path)/\(file)", "is about to be replaced; not verified")
      case .swap: note("\(path)/\(file)", Self.meaning(of: .cleaned))
      case .cleaned, .deleted: continue
      }
    }
  }

  /// A single file: its neighbours tell what may follow it.
  private mutating func addFile(_ path: String, _ status: FileStatus) throws(DiskError) {
    let directory = PathText.parent(path)
    let name = SegmentName(PathText.lastComponent(path))
    if let name, name.kind == .log, name.stage == nil {
      let context = try context(of: PathText.parent(directory))
      var found = VerificationPlanner(disk, depth: depth)
      try found.addLog(directory, try disk.list(directory), in: context)
      report.sideFileDamage += found.report.sideFileDamage.filter {
        PathText.lastComponent($0.file) == PathText.lastComponent(path)
      }
      for var segment in found.logs.flatMap(\.segments) where segment.baseOffset == name.baseOffset
      {
        segment.path = path
        logs.append(LogPlan(path: path, segments: [segment]))
      }
    } else if name == nil || name?.kind == .log {
      let baseOffset = name?.baseOffset ?? 0
      let limit = name.map { SegmentScanner.offsetLimit(after: $0.baseOffset) } ?? Int64.max
      let segment = SegmentPlan(
        path: path, baseOffset: baseOffset, offsetLimit: limit, byteCount: status.size,
        isClean: false, point: .unknown)
      logs.append(LogPlan(path: path, segments: [segment]))
    } else {
      report.sideFileDamage.append(
        SideFileDamage(
          file: path, reason: "is no .log file; give the log's directory to verify it",
          isMendedByOpen: false))
    }
  }

  private func context(of store: String) throws(DiskError) -> StoreContext {
    var context = StoreContext()
    context.isClean = try disk.status("\(store)/\(CleanShutdownFile.name)") != nil
    do throws(CheckpointError) {
      if let points = try OffsetCheckpoint.read(disk, directory: store, .recoveryPoint) {
        context.recoveryPoints = points
      }
    } catch {
      switch error {
      case .disk(let error): throw error
      // Said by the store's own verification; the log is then judged without it.
      case .unreadable: break
      }
    }
    return context
  }

  /// Notes how far the log is known to be durable: by its own mark, else by the store's checkpoint.
  ///
  /// - Returns: The newest slot of the mark.
  private func judge(
    _ log: inout LogPlan, in context: StoreContext
  ) throws(DiskError) -> MarkRecord? {
    let checkpoint = Self.topicPartition(log.path).flatMap { context.recoveryPoints.offsets[$0] }
    let mark = try DurableMark.read(LogDirectory(disk: disk, path: log.path))
    log.point = RecoveryPoint.judge(
      mark, checkpoint: checkpoint, bootIdentifier: disk.bootIdentifier)
    return mark.newest
  }

  /// What is known of the log's batches; see `LogLoader`.
  private func rules(_ log: LogPlan, _ newest: MarkRecord?) throws(DiskError) -> OwnLogRules {
    guard let newest, newest.isGapless else { return .none }
    let standsBeyond = log.segments.contains {
      newest.isOutrun(by: $0.baseOffset, byteCount: $0.byteCount)
    }
    var epochs: LeaderEpochCheckpoint?
    do throws(CheckpointError) {
      epochs = try LeaderEpochCheckpoint.read(disk, directory: log.path)
    } catch {
      // Unreadable: said where the small files are looked at.
      if case .disk(let error) = error { throw error }
    }
    return OwnLogRules(newest, standsBeyondMark: standsBeyond, epochs: epochs)
  }

  private mutating func noteLogFile(_ name: String, _ path: String, _ log: inout LogPlan) {
    if name == LeaderEpochCheckpoint.name {
      log.hasEpochCheckpoint = true
    } else if name == PartitionMetadata.name {
      log.hasMetadata = true
    } else if name == KeptBytes.directoryName {
      note(path, "bytes that recovery cut off the log and set aside")
    } else if !SegmentLayout.knownNames.contains(name) {
      note(path, name.hasSuffix(".tmp") ? "left over from a replaced file" : "unknown file")
    }
  }

  private mutating func noteStoreFile(_ name: String, _ path: String) {
    if SideFileVerifier.storeFiles.contains(name) { return }
    note(path, name.hasSuffix(".tmp") ? "left over from a replaced file" : "unknown file")
  }

  private mutating func note(_ file: String, _ text: String) {
    report.notes.append(VerificationNote(file: file, text: text))
  }

  /// What a name leads to, also through a symbolic link; nil where that leads nowhere, and of a
  /// part of a log (`isOfLog`) that is a finding.
  private mutating func kind(
    of entry: DirectoryEntry, _ path: String, isOfLog: Bool
  ) -> FileKind? {
    guard entry.kind == .symbolicLink else { return entry.kind }
    do throws(DiskError) {
      guard let kind = try disk.status(path)?.kind else { throw DiskError.notFound(.open, path) }
      return kind
    } catch {
      if isOfLog { report.unreadable.append(error) }
      return nil
    }
  }

  private static func meaning(of stage: SegmentName.Stage) -> String {
    switch stage {
    case .deleted: "waits to be removed; not verified"
    case .cleaned, .swap: "unfinished work of a cleaner; not verified"
    }
  }

  private static func topicPartition(_ path: String) -> TopicPartition? {
    guard case .log(let name) = LogDirectoryName(PathText.lastComponent(path)) else { return nil }
    return name
  }
}
