internal import DiskIO
internal import Logging

/// Removes a deleted log's files, an earlier version's marker last, and its directory; for a log
/// behind a link the files and the link. Open files can still be read.
///
/// A slice removes one file, because unlinking a large one takes long. Files that cannot be removed
/// take space until the next opening of the store tries again; the log is gone anyway.
/// next opening of the store tries again; the log is gone all the same.
final class DeletedLogRemoval: Housekeeper.Job {
  private let path: String
  private let store: String
  private let context: StoreContext
  /// What is still to be removed, the last first; nil until the directory was listed.
  private let left = Locked<[DirectoryEntry]?>(nil)

  /// - Parameters:
  ///   - path: The current path of the log's directory.
  ///   - store: The directory that it is in.
  init(_ path: String, in store: String, _ context: StoreContext) {
    self.path = path
    self.store = store
    self.context = context
  }

  func step() -> Housekeeper.Progress {
    do throws(DiskError) {
      return try left.withLock { (left) throws(DiskError) in try removeNext(&left) }
    } catch {
      context.rateLimitedLog.log(
        .warning, cause: "deleted files", "a deleted log's files were not removed",
        metadata: ["path": "\(path)", "error": "\(error)"])
      return .done
    }
  }

  private func removeNext(_ left: inout [DirectoryEntry]?) throws(DiskError) -> Housekeeper.Progress
  {
    let disk = context.disk
    if left == nil {
      left = try disk.list(path).filter { $0.name != DeletedLog.markerName }
    } else if let entry = left?.popLast() {
      try remove(entry)
    }
    if left?.isEmpty ?? true {
      try finish()
      return .done
    }
    return .more
  }

  private func remove(_ entry: DirectoryEntry) throws(DiskError) {
    let disk = context.disk
    let file = "\(path)/\(entry.name)"
    guard entry.kind == .directory else { return try disk.remove(file) }
    for kept in try disk.list(file) { try disk.remove("\(file)/\(kept.name)") }
    try disk.removeDirectory(file)
  }

  private func finish() throws(DiskError) {
    let disk = context.disk
    let marker = "\(path)/\(DeletedLog.markerName)"
    if try disk.status(marker) != nil {
      // The names before the marker: else a power cut could leave files that no opening removes.
      try disk.syncDirectory(path)
      try disk.remove(marker)
    }
    do throws(DiskError) {
      try disk.removeDirectory(path)
    } catch  where error.isNotFound {
      // A link: the directory it leads to, which is empty now, may be a mount point.
      try disk.remove(path)
    }
    try disk.syncDirectory(store)
  }
}
