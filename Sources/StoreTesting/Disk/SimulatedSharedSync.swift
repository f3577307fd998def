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

  func covers(_ directory: String) throws(DiskError) -> Bool {
    try disk.call(.status, directory) { state throws(DiskError) in
      try state.status(directory) != nil
    }
  }

  var pendingBytes: Int? { disk.state.withLock { $0.pendingBytes } }

  func sync() throws(DiskError) {
    try disk.call(.syncFileSystem, path) { state throws(DiskError) in
      try state.syncFileSystem(path)
    }
  }
}
