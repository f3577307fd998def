import DiskIO
import LogStore

/// Keeps `mkstore serve` and `mkstore append --create` from taking a directory that is something
/// else for a store: a slip such as `--data /etc` would write into it, and take `gtk-2.0` for a
/// log.
struct StoreGuess {
  private let disk: any Disk
  private let path: String

  init(_ disk: any Disk, _ path: String) {
    self.disk = disk
    self.path = path
  }

  /// Files that only a store's directory has; the first one a store gets is its lock.
  private static let names: Set<String> = Set(OffsetCheckpoint.Name.allCases.map(\.rawValue)).union(
    [
      MetaProperties.name, CleanShutdownFile.name, LogManager.lockName,
    ])

  /// Refuses a directory with content that no store has.
  func refuseForeign() throws(CommandFailure) {
    let entries = try withDiskErrors { () throws(DiskError) in
      try disk.status(path)?.kind == .directory ? try disk.list(path) : []
    }.filter { $0.name != "lost+found" }
    if entries.isEmpty || entries.contains(where: { Self.names.contains($0.name) }) { return }
    let hasLog = try withDiskErrors { () throws(DiskError) in
      for log in try LogDirectories(in: path, entries, disk).logs {
        let names = try disk.list("\(path)/\(log)")
        if names.contains(where: { SegmentName($0.name)?.kind == .log }) { return true }
      }
      return false
    }
    if hasLog { return }
    throw .usage(
      "\(path) holds files and is no store: it has no \(MetaProperties.name) and no log; give a "
        + "store's directory, or one that is empty or missing to make a new store")
  }
}
