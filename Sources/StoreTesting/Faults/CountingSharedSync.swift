import DiskIO

/// The shared sync of a `CountingDisk`.
final class CountingSharedSync: SharedSync {
  private let base: any SharedSync
  private let disk: CountingDisk
  private let path: String

  init(_ base: any SharedSync, of disk: CountingDisk, path: String) {
    self.base = base
    self.disk = disk
    self.path = path
  }

  func covers(_ directory: String) throws(DiskError) -> Bool { try base.covers(directory) }

  var pendingBytes: Int? { base.pendingBytes }

  func sync() throws(DiskError) {
    disk.count(.syncFileSystem, path)
    try base.sync()
  }
}
