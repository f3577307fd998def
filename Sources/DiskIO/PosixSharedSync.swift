import CMkstoreShims
import Glibc

/// syncfs(2) of an ext4 file system (docs/decisions/0008-shared-sync.md explains why only there).
final class PosixSharedSync: SharedSync {
  private let path: String
  /// A regular file on the file system that is not written to.
  private let fd: Int32
  private let device: UInt64
  /// The kernel's figures of its memory; -1 if they cannot be read.
  private let memory: Int32

  /// Takes ownership of `fd`, which was opened before anything was written that a sync is to cover:
  /// a descriptor reports errors only from its opening on.
  private init(path: String, fd: Int32, device: UInt64) {
    self.path = path
    self.fd = fd
    self.device = device
    memory = mk_open_memory_figures()
  }

  deinit {
    _ = Glibc.close(fd)
    if memory >= 0 { _ = Glibc.close(memory) }
  }

  /// The shared sync of the file system that holds the regular file `path`; nil if it would prove
  /// less than the syncs it replaces.
  static func open(_ path: String, on disk: PosixDisk) throws(DiskError) -> PosixSharedSync? {
    let (fd, status) = try disk.openRegularFile(.open, path, MK_OPEN_READ)
    guard mk_can_sync_file_system(fd) else {
      _ = Glibc.close(fd)
      return nil
    }
    return PosixSharedSync(path: path, fd: fd, device: status.device)
  }

  func covers(_ directory: String) throws(DiskError) -> Bool {
    try PosixDisk().rawStatus(.status, directory)?.device == device
  }

  var pendingBytes: Int? {
    guard memory >= 0 else { return nil }
    let bytes = mk_pending_bytes(memory)
    return bytes >= 0 ? Int(bytes) : nil
  }

  func sync() throws(DiskError) {
    let code = mk_sync_file_system(fd)
    if code != 0 { throw DiskError(.syncFileSystem, path, code: code) }
  }
}

extension PosixDisk {
  /// syncfs if it is as good as the syncs it replaces (ext4, Linux 5.8); see `Disk`.
  public func sharedSync(of path: String) throws(DiskError) -> (any SharedSync)? {
    try PosixSharedSync.open(path, on: self)
  }
}
