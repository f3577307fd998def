package import DiskIO

/// The files in a log's `.bad/`, oldest first.
///
/// They are evidence of nothing: what is damaged or lost is the same with them and without, so they
/// may be removed at any time.
package struct KeptFiles: Sendable {
  /// Oldest first; half-written ones of an opening that was killed count too.
  package private(set) var files: [KeptFile] = []
  /// Paths of what is no file, and so was not put there by recovery.
  package private(set) var others: [String] = []

  private let directory: LogDirectory

  /// What a removal did.
  package struct Removal: Sendable {
    /// Files that are gone.
    package var removed: [KeptFile] = []
    /// Why others are not, or not for certain.
    package var failures: [DiskError] = []
  }

  private var folder: String { directory.path(KeptBytes.directoryName) }

  /// Lists what is kept of a log; nothing where it has no such directory.
  package init(of directory: LogDirectory) throws(DiskError) {
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

  /// The oldest files, so many that what is left has at most `bytesMax` bytes. Those in `staying`
  /// count and stay.
  package func excess(over bytesMax: Int, staying: Set<String>) -> [KeptFile] {
    var left = byteCount
    var excess: [KeptFile] = []
    for file in files where !staying.contains(file.path) {
      if left <= bytesMax { break }
      left -= file.bytes
      excess.append(file)
    }
    return excess
  }

  /// Removes files, durably; one that cannot be removed keeps none of the others.
  package func remove(_ files: [KeptFile]) -> Removal {
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
