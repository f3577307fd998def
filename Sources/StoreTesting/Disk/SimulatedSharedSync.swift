import DiskIO
import LogStore

/// The shared sync of a `SimulatedDisk`.
final class SimulatedSharedSync: SharedSync {
  private let disk: SimulatedDisk
  private let path: String

  init(disk: SimulatedDisk, path: String) {
    self.disk = disk
    self.path = path
  }

  func covers(_ directory: String) throws(DiskError) -> Bool { true }

  var pendingBytes: Int? { disk.state.withLock { $0.pendingBytes } }

  func sync() throws(DiskError) {
    try disk.state.withLock { state throws(DiskError) in try state.syncFileSystem(path) }
  }
}
