import DiskIO

/// Evidence of where a log begins: its own file, which has a CRC, and its line in the store's
/// checkpoint, from `LogStarts` (docs/durability.md#log-start).
struct StartEvidence: Sendable, Equatable {
  /// The log's own file, `mkstore.start`.
  enum OwnFile: Sendable, Equatable {
    case missing
    case wrong
    case right(Int64)
  }

  var own: OwnFile
  /// The log's line in the store's checkpoint.
  var line: Int64?

  init(own: OwnFile, line: Int64?) {
    self.own = own
    self.line = line
  }

  /// The log's start; nil if the first segment's name gives it.
  ///
  /// The higher one counts: our line is never above the log's own file, which is written first, and
  /// a broker's line includes what it has deleted since.
  var start: Int64? {
    switch own {
    case .right(let offset): max(offset, line ?? offset)
    case .missing, .wrong: line
    }
  }

  /// The offset to write to the log's own file; nil if the file is right.
  var offsetToWrite: Int64? {
    switch own {
    case .right(let offset): start == offset ? nil : start
    case .missing: start.flatMap { $0 > 0 ? $0 : nil }
    case .wrong: start ?? 0
    }
  }
}

extension StartEvidence.OwnFile {
  /// Reads a log's own file; one that is wrong is reported.
  ///
  /// - Throws: If the disk cannot read it.
  static func read(
    _ directory: LogDirectory, _ entries: [DirectoryEntry], _ names: inout LogFrame.NameFindings
  ) throws(DiskError) -> Self {
    guard let entry = entries.first(where: { $0.name == LogStartFile.name }) else {
      return .missing
    }
    func report(_ what: String, remedy: String?) -> Self {
      names.sideFileDamage.append(
        SideFileDamage(
          file: directory.path(LogStartFile.name),
          reason: "\(what); the log start is taken from \(OffsetCheckpoint.Name.logStart.rawValue)",
          remedy: remedy))
      return .wrong
    }
    if entry.kind == .directory {
      return report("is a directory", remedy: SideFileRemedy.noFile)
    }
    do throws(CheckpointError) {
      return try LogStartFile.read(directory).map { .right($0.offset) } ?? .missing
    } catch {
      switch error {
      case .disk(let error): throw error
      case .unreadable(_, _, let what): return report(what, remedy: nil)
      }
    }
  }
}
