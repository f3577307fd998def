import CShims
import Glibc
import Synchronization

/// A held lock on a file that Kafka's brokers respect and that respects theirs.
///
/// **The trap this avoids.** Java's `FileChannel.lock`, which Kafka uses, is a POSIX record lock.
/// Such a lock is lost when its process closes *any* descriptor of the file, even one opened by
/// somebody who only looked, and it never refuses its own process. `mk_lock_file` therefore takes
/// an open-file-description lock, which conflicts with Java's but has neither flaw, and beside it
/// a POSIX lock of a far range that tells others our pid. Closing a second descriptor of the file
/// can cost only that pid; so a second attempt within the process is refused here by the registry
/// of what is held, before it opens anything.
final class PosixLock: DiskLock {
  /// Locks held by this process: descriptor by file. Taken before any call on a lock file.
  private static let held = Mutex<[Identity: Int32]>([:])

  /// Which file it is, whatever its names.
  private struct Identity: Hashable {
    var device: UInt64
    var inode: UInt64

    init(_ status: mk_file_status) {
      device = status.device
      inode = status.inode
    }
  }

  private let identity: Identity
  private let isReleased = Atomic<Bool>(false)

  private init(_ identity: Identity) {
    self.identity = identity
  }

  deinit {
    release()
  }

  /// Takes the lock or says who has it.
  static func take(_ path: String, on disk: PosixDisk) throws(DiskError) -> PosixLock {
    try held.withLock { held throws(DiskError) in
      if let found = try disk.rawStatus(.lock, path), held[Identity(found)] != nil {
        throw DiskError(.lock, path, code: EAGAIN, holder: getpid())
      }
      let (fd, status) = try disk.openRegularFile(.lock, path, MK_OPEN_OR_CREATE)
      let code = retrying { mk_lock_file(fd) }
      guard code == 0 else {
        let holder = code == EAGAIN ? mk_lock_holder(fd) : 0
        _ = Glibc.close(fd)
        throw DiskError(.lock, path, code: code, holder: holder > 0 ? holder : nil)
      }
      held[Identity(status)] = fd
      return PosixLock(Identity(status))
    }
  }

  func release() {
    // Relaxed: the flag only makes the second call do nothing; the registry's mutex orders the rest.
    guard !isReleased.exchange(true, ordering: .relaxed) else { return }
    Self.held.withLock { held in
      guard let fd = held.removeValue(forKey: identity) else {
        preconditionFailure("a held lock is missing in the registry")
      }
      _ = Glibc.close(fd)
    }
  }
}
