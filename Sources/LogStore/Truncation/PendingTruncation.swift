internal import DiskIO

/// An unfinished truncation, for a survey, which sees the log in its final state.
struct PendingTruncation {
  let truncation: Truncation
  /// Current names of `.log` files, by base offset, if they differ from the final ones.
  private let logNames: [Int64: String]

  /// Reads a log's file; nil if no truncation is unfinished, or it no longer applies.
  ///
  /// - Parameter names: Receives the findings about it.
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

  /// The final names of the log's directory. Leftover files are omitted, and so are indexes that
  /// are rebuilt.
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

  /// The final mark.
  func mark(_ directory: LogDirectory) -> DurableMark.Contents {
    DurableMark.Contents(durable: truncation.mark(bootIdentifier: directory.disk.bootIdentifier))
  }

  /// The final epochs.
  var epochs: LeaderEpochCheckpoint { LeaderEpochCheckpoint(truncation.epochs) }

  /// The recorded losses, without those about offsets that no longer exist.
  func settled(_ noted: KnownLosses.Content) -> KnownLosses.Content {
    func isLeft(_ range: DamagedRange) -> Bool {
      (range.offsets?.lowerBound ?? 0) < truncation.shortEnd
    }
    return KnownLosses.Content(
      losses: noted.losses.filter(isLeft), fenced: noted.fenced.filter(isLeft), ends: noted.ends)
  }

  /// Makes the `.log` files be read under their current names.
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
