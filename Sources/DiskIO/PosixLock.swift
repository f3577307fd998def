import CMkstoreShims
import Glibc
import Synchronization

/// A held lock on a file that Kafka's brokers respect and that respects theirs.
///
/// **The trap this avoids.** Java's `FileChannel.lock`, which Kafka uses, is a POSIX record lock.
/// Such a lock is lost when its process closes *any* descriptor of the file, even one that was only
/// opened for a look, and it never excludes its own process. `mk_lock_file` therefore takes an
/// open-file-description lock, which conflicts with Java's but has neither flaw, and in addition a
/// POSIX lock of a far range that shows others our pid. Closing a second descriptor of the file can
/// lose only that pid. So the registry of held locks refuses a second attempt within the process
/// before it opens anything.
final class PosixLock: DiskLock {
  private let identity: LockRegistry.Identity
  private let isReleased = Atomic<Bool>(false)

  private init(_ identity: LockRegistry.Identity) {
    self.identity = identity
  }

  deinit {
    release()
  }

  /// Takes the lock or reports its holder.
  static func take(_ path: String, on disk: PosixDisk) throws(DiskError) -> PosixLock {
    try LockRegistry.shared.with { held throws(DiskError) in
      if let found = try disk.rawStatus(.lock, path), held[LockRegistry.Identity(found)] != nil {
        throw DiskError(.lock, path, code: EAGAIN, holder: getpid())
      }
      let (fd, status) = try disk.openRegularFile(.lock, path, MK_OPEN_OR_CREATE)
      let code = retrying { mk_lock_file(fd) }
      guard code == 0 else {
        let holder = code == EAGAIN ? mk_lock_holder(fd) : 0
        _ = Glibc.close(fd)
        throw DiskError(.lock, path, code: code, holder: holder > 0 ? holder : nil)
      }
      let identity = LockRegistry.Identity(status)
      held[identity] = fd
      return PosixLock(identity)
    }
  }

  func release() {
    // Relaxed: it only makes a second call do nothing; the registry's lock orders the rest.
    guard !isReleased.exchange(true, ordering: .relaxed) else { return }
    LockRegistry.shared.with { held in
      guard let fd = held.removeValue(forKey: identity) else {
        preconditionFailure("a held lock is missing in the registry")
      }
      // Either releases it; only the first does while a child being spawned has a copy of `fd`.
      _ = mk_unlock_file(fd)
      _ = Glibc.close(fd)
    }
  }
}
