package import DiskIO

/// What openings left in a log's directory for people: the bytes that they removed from the log,
/// and the history of what they did. Kafka and the engine read neither.
package struct KeptData: Sendable {
  /// The files of `.bad/`.
  package let kept: KeptFiles
  /// Size of `mkstore.history`, including an unfinished new one; nil if there is none.
  package let historyBytes: Int?

  private let directory: LogDirectory
  private static let historyNames = [
    RecoveryHistory.fileName, RecoveryHistory.fileName + ".tmp",
  ]

  /// What a removal did.
  package struct Removal: Sendable {
    /// Files of `.bad/` that were removed.
    package var files: [KeptFile] = []
    /// Size of the removed history; nil if there was none.
    package var historyBytes: Int?
    /// What is still there, or may come back after a power cut, and why.
    package var failures: [String] = []
  }

  /// Lists what a log's directory has of it.
  package init(of directory: LogDirectory) throws(DiskError) {
    self.directory = directory
    kept = try KeptFiles(of: directory)
    var sizes: [Int] = []
    for name in Self.historyNames {
      if let size = try directory.disk.status(directory.path(name))?.size { sizes.append(size) }
    }
    historyBytes = sizes.isEmpty ? nil : sizes.reduce(0, +)
  }

  /// Whether there is nothing to remove.
  package var isEmpty: Bool { kept.files.isEmpty && kept.others.isEmpty && historyBytes == nil }

  /// What `remove` would do, if no call fails.
  var foreseen: Removal {
    Removal(files: kept.files, historyBytes: historyBytes, failures: leftAlone)
  }

  private var leftAlone: [String] {
    kept.others.map { "\($0) is not a file that recovery kept; it is left alone" }
  }

  /// Removes all of it, durably. The caller holds the store's lock. A crash in between leaves some
  /// of the files, and the same call removes them.
  func remove() -> Removal {
    let files = kept.remove(kept.files)
    var removal = Removal(files: files.removed)
    removal.failures = files.failures.map { "\($0)" } + leftAlone
    do throws(DiskError) {
      if removal.failures.isEmpty { try removeFolder() }
      try removeHistory()
      removal.historyBytes = historyBytes
      try directory.disk.syncDirectory(directory.path)
    } catch {
      removal.failures.append("\(error)")
    }
    return removal
  }

  /// A link to another directory stays, for what is kept later.
  private func removeFolder() throws(DiskError) {
    let isThere = try directory.disk.list(directory.path).contains {
      $0.name == KeptBytes.directoryName && $0.kind == .directory
    }
    if isThere { try directory.disk.removeDirectory(directory.path(KeptBytes.directoryName)) }
  }

  private func removeHistory() throws(DiskError) {
    for name in Self.historyNames where try directory.disk.status(directory.path(name)) != nil {
      try directory.disk.remove(directory.path(name))
    }
  }
}
