import DiskIO

/// What to verify under the given paths: the frames of logs, single `.log` files, and the findings
/// from names in stores. Reads names, checkpoints and marks only.
struct VerificationTargets {
  /// A log, or one file of it.
  struct Target {
    /// Path of the directory, or of the single file.
    var path: String
    var frame: LogFrame
    /// The only segment that is examined; nil: all of them, as one log.
    var only: Int?

    /// Indices of the segments that are examined.
    var indices: [Int] { only.map { [$0] } ?? Array(frame.places.indices) }
  }

  /// How often a log is read again if a writer changes it meanwhile.
  static let attemptsMax = 3

  private let disk: any Disk
  private let depth: VerificationOptions.Depth
  private(set) var targets: [Target] = []
  /// Findings that need no segment.
  private(set) var report = VerificationReport()

  init(_ disk: any Disk, depth: VerificationOptions.Depth) {
    self.disk = disk
    self.depth = depth
  }

  /// Adds a log directory, a store directory or a single `.log` file.
  mutating func add(_ path: String) throws(DiskError) {
    guard let status = try disk.status(path) else {
      throw DiskError.notFound(.status, path)
    }
    let path = PathText.trimmed(path)
    guard status.kind == .directory else {
      try addFile(path)
      return
    }
    let entries = try disk.list(path).sorted { $0.name < $1.name }
    if StoreNames.isLog(entries) {
      let hints = try StoreHints(disk, directory: PathText.parent(path))
      targets.append(try Self.target(path, hints, disk))
    } else {
      try addStore(path, entries)
    }
  }

  /// Reads a log's names again, as after a writer changed them.
  static func target(
    _ path: String, _ hints: StoreHints, _ disk: any Disk
  ) throws(DiskError) -> Target {
    let frame = try LogFrame.read(
      LogDirectory(disk: disk, path: path), hints.hints(of: topicPartition(path)),
      isForWriting: true)
    return Target(path: path, frame: frame, only: nil)
  }

  private mutating func addStore(
    _ path: String, _ entries: [DirectoryEntry]
  ) throws(DiskError) {
    let hints = try StoreHints(disk, directory: path)
    let isStore = try StoreNames.isStore(entries, at: path, disk)
    for entry in entries {
      let entryPath = "\(path)/\(entry.name)"
      let name = LogDirectoryName(entry.name)
      guard kind(of: entry, entryPath, isOfLog: name.isLog && isStore) == .directory else {
        noteFile(entry.name, entryPath)
        continue
      }
      switch name {
      case .log where isStore: addLog(entryPath, hints)
      case .deleted: note(entryPath, "waits for deletion; not verified")
      case .future: note(entryPath, "is being moved here by Kafka; not verified")
      case .stray: note(entryPath, "was set aside by Kafka; not verified")
      case .log, .other: note(entryPath, "is not a log directory; not verified")
      }
    }
    report.isStore = report.isStore || isStore
    report.sideFileDamage += hints.journal.damage
    guard depth != .quick, isStore else { return }
    let findings = SideFileVerifier(disk).storeFindings(path)
    report.sideFileDamage += findings.damage
    report.unreadable += findings.unreadable
  }

  /// Adds a log of a store; if something is wrong with it, the other logs are still verified. A
  /// running writer may delete it meanwhile, and make another one of its name.
  private mutating func addLog(_ path: String, _ hints: StoreHints) {
    for attempt in 1...Self.attemptsMax {
      do throws(DiskError) {
        targets.append(try Self.target(path, hints, disk))
        return
      } catch {
        if isGone(path, error) { return note(path, "was removed while it was to be verified") }
        if error.isNotFound, attempt < Self.attemptsMax { continue }
        return report.unreadable.append(error)
      }
    }
  }

  /// Whether `error` comes from a log whose directory no longer exists.
  private func isGone(_ path: String, _ error: DiskError) -> Bool {
    guard error.isNotFound else { return false }
    do throws(DiskError) {
      return try disk.status(path) == nil
    } catch {
      return false
    }
  }

  /// A single file: its neighbours show what may follow it.
  private mutating func addFile(_ path: String) throws(DiskError) {
    let directory = PathText.parent(path)
    let file = PathText.lastComponent(path)
    let name = SegmentName(file)
    if let name, name.kind == .log, name.stage == nil {
      let hints = try StoreHints(disk, directory: PathText.parent(directory))
      let target = try Self.target(directory, hints, disk)
      if let index = target.frame.places.firstIndex(where: { $0.entry.logName == file }) {
        targets.append(Target(path: path, frame: target.frame, only: index))
      } else {
        report.sideFileDamage += target.frame.names.sideFileDamage.filter { $0.file == path }
      }
    } else if name == nil || name?.kind == .log {
      let log = LogDirectory(disk: disk, path: directory)
      let frame = LogFrame(loneFile: file, baseOffset: name?.baseOffset, in: log)
      targets.append(Target(path: path, frame: frame, only: 0))
    } else {
      report.sideFileDamage.append(
        SideFileDamage(
          file: path, reason: "is not a .log file", remedy: SideFileRemedy.noLog))
    }
  }

  private mutating func noteFile(_ name: String, _ path: String) {
    if SideFileVerifier.storeFiles.contains(name) || JournalLayout.index(of: name) != nil { return }
    note(path, name.hasSuffix(".tmp") ? "left over from a replaced file" : "unknown file")
  }

  private mutating func note(_ file: String, _ text: String) {
    report.notes.append(VerificationNote(file: file, text: text))
  }

  /// What a name leads to, also through a symbolic link; nil if the link is broken, which is a
  /// finding for a log's name (`isOfLog`).
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

  private static func topicPartition(_ path: String) -> TopicPartition? {
    guard case .log(let name) = LogDirectoryName(PathText.lastComponent(path)) else { return nil }
    return name
  }
}
