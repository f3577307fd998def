internal import DiskIO

/// The files in a log's `.bad/`, oldest first.
///
/// They are no evidence: damage and losses are the same with them and without, so they may be
/// removed at any time.
package struct KeptFiles: Sendable {
  /// Oldest first; unfinished ones of an opening that was killed count too.
  package private(set) var files: [KeptFile] = []
  /// Paths of entries that are not files, which recovery did not put there.
  package private(set) var others: [String] = []

  private let directory: LogDirectory

  /// What a removal did.
  struct Removal: Sendable {
    /// Files that were removed.
    var removed: [KeptFile] = []
    /// Why others were not, or may come back after a power cut.
    var failures: [DiskError] = []
  }

  private var folder: String { directory.path(KeptBytes.directoryName) }

  /// Lists what is kept of a log; empty if it has no such directory.
  init(of directory: LogDirectory) throws(DiskError) {
    self.directory = directory
    let entries: [DirectoryEntry]
    do throws(DiskError) {
      entries = try directory.disk.list(folder)
    } catch  where error.isNotFound {
      return
    }
    for entry in entries {
      let path = "\(folder)/\(entry.name)"
      guard entry.kind == .file else {
        others.append(path)
        continue
      }
      guard let status = try directory.disk.status(path) else { continue }
      files.append(KeptFile(path: path, bytes: status.size, keptMs: status.changedMs))
    }
    files.sort { ($0.keptMs, $0.path) < ($1.keptMs, $1.path) }
    others.sort()
  }

  /// Bytes of all files.
  package var byteCount: Int { files.reduce(0) { $0 + $1.bytes } }

  /// The oldest files, so many that the rest has at most `bytesMax` bytes. Those in `staying` count
  /// and stay.
  func excess(over bytesMax: Int, staying: Set<String>) -> [KeptFile] {
    var left = byteCount
    var excess: [KeptFile] = []
    for file in files where !staying.contains(file.path) {
      if left <= bytesMax { break }
      left -= file.bytes
      excess.append(file)
    }
    return excess
  }

  /// Removes files, durably; if one cannot be removed, the others still are.
  func remove(_ files: [KeptFile]) -> Removal {
    var removal = Removal()
    for file in files {
      do throws(DiskError) {
        try directory.disk.remove(file.path)
        removal.removed.append(file)
      } catch {
        removal.failures.append(error)
      }
    }
    guard !removal.removed.isEmpty else { return removal }
    do throws(DiskError) {
      try directory.disk.syncDirectory(folder)
    } catch {
      removal.failures.append(error)
    }
    return removal
  }
}
