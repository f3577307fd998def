import DiskIO
import LogStore
import Synchronization

/// A held lock of a `SimulatedDisk`.
final class SimulatedLock: DiskLock {
  private let disk: SimulatedDisk
  private let inode: InodeID
  private let isReleased = Atomic<Bool>(false)

  init(disk: SimulatedDisk, inode: InodeID) {
    self.disk = disk
    self.inode = inode
  }

  deinit {
    release()
  }

  func release() {
    // Relaxed: it only makes a second call do nothing.
    guard !isReleased.exchange(true, ordering: .relaxed) else { return }
    disk.state.withLock { _ = $0.locks.remove(inode) }
  }
}
