import DiskIO

/// A disk that tells a test of each list, status and open before it is carried out.
final class WatchedDisk: ForwardingDisk {
  let base: any Disk
  private let watcher: @Sendable (DiskError.Operation, String) -> Void

  init(_ base: any Disk, _ watcher: @escaping @Sendable (DiskError.Operation, String) -> Void) {
    self.base = base
    self.watcher = watcher
  }

  func open(_ path: String, _ mode: OpenMode) throws(DiskError) -> any DiskFile {
    watcher(.open, path)
    return try base.open(path, mode)
  }

  func list(_ directory: String) throws(DiskError) -> [DirectoryEntry] {
    watcher(.list, directory)
    return try base.list(directory)
  }

  func status(_ path: String) throws(DiskError) -> FileStatus? {
    watcher(.status, path)
    return try base.status(path)
  }
}
