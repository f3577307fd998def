import CMkstoreShims

/// The lock files that this process holds. Its own lock is taken before any call on a lock file and
/// held during it, so that two threads cannot both find a file free.
@safe
final class LockRegistry: @unchecked Sendable {
  // @unchecked: `held` is accessed only between lock and unlock of `monitor`, which never changes.

  /// Identity of a file under all its names.
  struct Identity: Hashable {
    private var device: UInt64
    private var inode: UInt64

    init(_ status: mk_file_status) {
      device = status.device
      inode = status.inode
    }
  }

  /// One for the process, because locks belong to the process.
  static let shared = LockRegistry()

  private var held: [Identity: Int32] = [:]
  // A pthread lock, so that ThreadSanitizer sees it; never destroyed, as `shared` never is.
  private let monitor: OpaquePointer

  private init() {
    unsafe monitor = mk_monitor_create()
  }

  /// Runs `body` with the descriptors by file, under the lock.
  func with<Result, Failure: Error>(
    _ body: (inout [Identity: Int32]) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    // Safe: the monitor lives as long as the process.
    unsafe mk_monitor_lock(monitor)
    defer { unsafe mk_monitor_unlock(monitor) }
    return try body(&held)
  }
}
