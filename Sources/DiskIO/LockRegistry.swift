import CMkstoreShims

/// The lock files that this process holds. Its own lock comes before any call on a lock file and is
/// held during it, so that two threads cannot both find a file free.
@safe
final class LockRegistry: @unchecked Sendable {
  // @unchecked: `held` is touched only between lock and unlock of `monitor`, which never changes.

  /// Which file it is, whatever its names.
  struct Identity: Hashable {
    private var device: UInt64
    private var inode: UInt64

    init(_ status: mk_file_status) {
      device = status.device
      inode = status.inode
    }
  }

  /// One for the process, as locks are the process's.
  static let shared = LockRegistry()

  private var held: [Identity: Int32] = [:]
  // A pthread lock, so that ThreadSanitizer sees it; never destroyed, as `shared` never goes.
  private let monitor: OpaquePointer

  private init() {
    unsafe monitor = mk_monitor_create()
  }

  /// Runs `body` with the descriptors by file, alone.
  func with<Result, Failure: Error>(
    _ body: (inout [Identity: Int32]) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    // Safe: the monitor lives as long as the process.
    unsafe mk_monitor_lock(monitor)
    defer { unsafe mk_monitor_unlock(monitor) }
    return try body(&held)
  }
}
