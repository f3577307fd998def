internal import DiskIO

/// A truncation that was begun and not completed, as a survey takes it: the log is what it will be.
struct PendingTruncation {
  let truncation: Truncation
  /// Names that `.log` files have now, by base offset, where they will have another one.
  private let logNames: [Int64: String]

  /// Reads a log's file; nil where none is under way, or it counts no more.
  ///
  /// - Parameter names: Gets what is told of it.
  init?(
    _ directory: LogDirectory, _ names: inout LogFrame.NameFindings
  ) throws(DiskError) {
    let path = directory.path(Truncation.pendingName)
    var found: Truncation?
    do throws(CheckpointError) {
      found = try Truncation.read(Truncation.pendingName, in: directory)
      if found == nil { return nil }
    } catch {
      if case .disk(let error) = error { throw error }
    }
    guard let found, try TruncationExecution(found, in: directory).isPossible() else {
      let reason =
        found == nil
        ? "its CRC or another part of it is wrong, so that a truncation is not completed"
        : "the files are not as it says, so that a truncation is not completed: another program "
          + "changed the log"
      names.sideFileDamage.append(SideFileDamage(file: path, reason: reason, remedy: nil))
      names.actions.append(.remove(Truncation.pendingName, reason: reason))
      return nil
    }
    truncation = found
    logNames = try Self.logNames(found, in: directory)
    names.notes.append(
      VerificationNote(
        file: path,
        text: "\(found.summary) was begun and not completed; the next open for writing does"))
  }

  private static func logNames(
    _ truncation: Truncation, in directory: LogDirectory
  ) throws(DiskError) -> [Int64: String] {
    var names: [Int64: String] = [:]
    func note(_ name: String, _ base: Int64) throws(DiskError) {
      if names[base] == nil, try directory.disk.status(directory.path(name)) != nil {
        names[base] = name
      }
    }
    switch truncation.direction {
    case .remove:
      for stage in [SegmentName.Stage.cleaned, .swap] where truncation.isReplaced {
        let name = SegmentName(truncation.lastBase, .log, stage: stage)
        try note(name.fileName, truncation.lastBase)
      }
    case .undo:
      for file in truncation.files where file.name.kind == .log {
        try note("\(KeptBytes.directoryName)/\(file.keptAs)", file.name.baseOffset)
      }
    }
    return names
  }

  /// The names of the log's directory as they will be. What is known to be in the way is left out,
  /// and so are indexes that are rebuilt.
  func settled(_ entries: [DirectoryEntry]) -> [DirectoryEntry] {
    let bases = Set(truncation.files.map(\.name.baseOffset))
    let names = entries.filter { entry in
      if entry.name == Truncation.pendingName { return false }
      guard let name = SegmentName(entry.name) else { return true }
      if name.kind == .snapshot { return name.baseOffset <= truncation.shortEnd }
      if truncation.isReplaced, name.baseOffset == truncation.lastBase { return false }
      return !bases.contains(name.baseOffset)
    }
    let last = SegmentName(truncation.lastBase, .log)
    let new =
      truncation.direction == .undo
      ? truncation.files.map(\.name) : truncation.isReplaced ? [last] : []
    return (names + new.map { DirectoryEntry(name: $0.fileName, kind: .file) })
      .sorted { $0.name < $1.name }
  }

  /// The mark as it will be.
  func mark(_ directory: LogDirectory) -> DurableMark.Contents {
    DurableMark.Contents(durable: truncation.mark(bootIdentifier: directory.disk.bootIdentifier))
  }

  /// The epochs as they will be.
  var epochs: LeaderEpochCheckpoint { LeaderEpochCheckpoint(truncation.epochs) }

  /// What was noted of losses, without what is told of offsets that are gone.
  func settled(_ noted: KnownLosses.Content) -> KnownLosses.Content {
    func isLeft(_ range: DamagedRange) -> Bool {
      (range.offsets?.lowerBound ?? 0) < truncation.shortEnd
    }
    return KnownLosses.Content(
      losses: noted.losses.filter(isLeft), fenced: noted.fenced.filter(isLeft), ends: noted.ends)
  }

  /// Has the `.log` files read under the names that they have now.
  func rename(_ entries: inout [SegmentLayout.Entry]) {
    for index in entries.indices {
      if let name = logNames[entries[index].baseOffset] { entries[index].logName = name }
    }
  }
}

extension Truncation {
  /// For messages: what it does.
  var summary: String {
    switch direction {
    case .remove: "the removal of the records from offset \(shortEnd) on"
    case .undo: "putting back the records from offset \(shortEnd) on"
    }
  }
}
