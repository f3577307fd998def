internal import DiskIO

/// Executes `mkstore.truncation`, durably, by steps each of which may be done already: a crash or
/// an error in between leaves the file, and the next opening continues.
///
/// Segments lose their names beginning at the log's end, and get them back beginning at its front,
/// so that a broker which opens the directory meanwhile finds a shorter log without a hole.
struct TruncationExecution {
  private let truncation: Truncation
  private let directory: LogDirectory
  private var disk: any Disk { directory.disk }

  init(_ truncation: Truncation, in directory: LogDirectory) {
    self.truncation = truncation
    self.directory = directory
  }

  /// Completes an unfinished truncation of a log, if there is one; it must be possible.
  static func complete(in directory: LogDirectory) throws(DiskError) -> Truncation? {
    let found: Truncation?
    do throws(CheckpointError) {
      found = try Truncation.read(Truncation.pendingName, in: directory)
    } catch {
      // The survey reports it, and the file is removed.
      if case .disk(let error) = error { throw error }
      return nil
    }
    guard let found else { return nil }
    let execution = TruncationExecution(found, in: directory)
    guard try execution.isPossible() else { return nil }
    try execution.run()
    return found
  }

  /// Whether the files are as it says, before or after each of its steps; otherwise another program
  /// changed the log since, and it no longer applies.
  func isPossible() throws(DiskError) -> Bool {
    for file in truncation.files {
      let kept = try disk.status(path(keptAs: file))?.size
      let named = try disk.status(directory.path(file.name.fileName))?.size
      guard kept == file.byteCount || named == file.byteCount else { return false }
    }
    guard truncation.direction == .remove, truncation.isReplaced else { return true }
    for stage in [SegmentName.Stage.cleaned, .swap] {
      if try disk.status(path(.log, stage)) != nil { return true }
    }
    // The new file has its name already; the old one of that name is in `.bad/`.
    let old = truncation.files.first { $0.name == SegmentName(truncation.lastBase, .log) }
    if let old, try disk.status(path(keptAs: old)) == nil { return false }
    return try disk.status(path(.log, nil)) != nil
  }

  /// Executes it, or the rest of it.
  func run() throws(DiskError) {
    switch truncation.direction {
    case .remove: try remove()
    case .undo: try putBack()
    }
    try settleSmallFiles()
    let pending = directory.path(Truncation.pendingName)
    let done = directory.path(Truncation.doneName)
    if truncation.direction == .remove {
      try disk.rename(pending, to: done)
    } else {
      try KeptBytes.remove(done, disk)
      try disk.syncDirectory(directory.path)
      try disk.remove(pending)
    }
    // If it came back, it would be executed once more, on records appended from here on.
    try disk.syncDirectory(directory.path)
  }

  // MARK: Names

  private func path(_ kind: SegmentName.Kind, _ stage: SegmentName.Stage?) -> String {
    directory.path(SegmentName(truncation.lastBase, kind, stage: stage).fileName)
  }

  private func path(keptAs file: Truncation.File) -> String {
    directory.path("\(KeptBytes.directoryName)/\(file.keptAs)")
  }

  /// The `.log` comes last: only with it do the others count.
  private static let kinds: [SegmentName.Kind] = [.index, .timeindex, .txnindex, .log]

  // MARK: Removing

  private func remove() throws(DiskError) {
    let folder = directory.path(KeptBytes.directoryName)
    if try disk.status(folder) == nil {
      try disk.makeDirectory(folder)
      try disk.syncDirectory(directory.path)
    }
    for file in truncation.files where file.name.baseOffset != truncation.lastBase {
      try setAside(file)
    }
    try disk.syncDirectory(directory.path)
    if truncation.isReplaced { try replaceLast() }
    for entry in try disk.list(directory.path) {
      guard let name = SegmentName(entry.name), name.kind == .snapshot, name.stage == nil,
        name.baseOffset > truncation.shortEnd
      else { continue }
      try KeptBytes.remove(directory.path(entry.name), disk)
    }
  }

  private func setAside(_ file: Truncation.File) throws(DiskError) {
    let (plain, kept) = (directory.path(file.name.fileName), path(keptAs: file))
    if try disk.status(kept) == nil {
      try disk.rename(plain, to: kept)
      try disk.syncDirectory(directory.path(KeptBytes.directoryName))
    } else {
      // After an interrupted rename both names may exist.
      try KeptBytes.remove(plain, disk)
    }
    guard file.name.kind == .log else { return }
    for kind in [SegmentName.Kind.index, .timeindex] {
      try KeptBytes.remove(
        directory.path(SegmentName(file.name.baseOffset, kind).fileName), disk)
    }
  }

  /// Replaces the old last segment by the new one, as a cleaner does.
  private func replaceLast() throws(DiskError) {
    for kind in Self.kinds { try rename(kind, from: .cleaned, to: .swap) }
    try disk.syncDirectory(directory.path)
    // If the new file has its name already, the old one is in `.bad/`.
    if try disk.status(path(.log, .swap)) != nil {
      for file in truncation.files where file.name.baseOffset == truncation.lastBase {
        try setAside(file)
      }
      try disk.syncDirectory(directory.path)
    }
    for kind in Self.kinds { try rename(kind, from: .swap, to: nil) }
    try disk.syncDirectory(directory.path)
  }

  private func rename(
    _ kind: SegmentName.Kind, from old: SegmentName.Stage, to new: SegmentName.Stage?
  ) throws(DiskError) {
    guard try disk.status(path(kind, old)) != nil else { return }
    try disk.rename(path(kind, old), to: path(kind, new))
  }

  // MARK: Undoing

  private func putBack() throws(DiskError) {
    let isLastKept = truncation.files.contains {
      $0.name == SegmentName(truncation.lastBase, .log)
    }
    // Rebuilt from the log.
    for kind in [SegmentName.Kind.index, .timeindex] where truncation.isReplaced {
      try KeptBytes.remove(path(kind, nil), disk)
    }
    for file in truncation.files.reversed() where try disk.status(path(keptAs: file)) != nil {
      try disk.rename(path(keptAs: file), to: directory.path(file.name.fileName))
    }
    // An empty one that only the truncated log had.
    if truncation.isReplaced, !isLastKept { try KeptBytes.remove(path(.log, nil), disk) }
    try disk.syncDirectory(directory.path)
    let folder = directory.path(KeptBytes.directoryName)
    if try disk.status(folder) != nil { try disk.syncDirectory(folder) }
  }

  // MARK: Other files about the records

  private func settleSmallFiles() throws(DiskError) {
    _ = try DurableMark.replace(
      directory, with: truncation.mark(bootIdentifier: disk.bootIdentifier))
    let epochs = LeaderEpochCheckpoint(truncation.epochs)
    if MarkFlags(rawValue: truncation.markFlags).isGapless {
      try EpochsFile.write(epochs, directory)
    }
    try epochs.write(disk, directory: directory.path)
    try removeProducers()
    try KnownLosses.forget(in: directory) { noted in
      (noted.offsets?.lowerBound ?? 0) >= truncation.shortEnd
    }
  }

  /// Removes a state of producers that contains removed records, before other records take the
  /// offsets.
  private func removeProducers() throws(DiskError) {
    do throws(CheckpointError) {
      let state = try ProducerFile.read(directory, expirationMs: Int64.max)
      guard let state, state.endOffset > truncation.shortEnd else { return }
    } catch {
      // A file that cannot be read is not used.
      if case .disk(let error) = error { throw error }
      return
    }
    try KeptBytes.remove(directory.path(ProducerFile.name), disk)
    try disk.syncDirectory(directory.path)
  }
}
