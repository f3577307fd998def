import CMkstoreShims
import Glibc

/// The operating system's file system.
///
/// ```swift
/// let disk = PosixDisk()
/// for entry in try disk.list("data") { print(entry.name) }
/// ```
///
/// New files are 0640 and new directories 0750, even with a less strict umask. Descriptors are
/// closed on exec. Only a `.read` open follows a symbolic link in the last place of its path; files
/// are never written to through a link (`ELOOP`).
public final class PosixDisk: Disk {
  /// Identifies this boot of the operating system; see `Disk`.
  public let bootIdentifier: UInt64

  /// A disk without state; make as many as convenient.
  public init() {
    bootIdentifier = mk_boot_identifier()
  }

  /// Opens or makes a file; see `Disk`. `EISDIR` for a directory, `ENOTSUP` for a FIFO, a device or
  /// a socket; it does not block on these.
  public func open(_ path: String, _ mode: OpenMode) throws(DiskError) -> any DiskFile {
    let operation: DiskError.Operation = mode == .create ? .create : .open
    let wanted =
      switch mode {
      case .read: MK_OPEN_READ
      case .readWrite: MK_OPEN_READ_WRITE
      case .create: MK_OPEN_CREATE
      case .durableWrites: MK_OPEN_DIRECT
      }
    do throws(DiskError) {
      return PosixFile(path: path, fd: try openRegularFile(operation, path, wanted).fd)
    } catch  where mode == .durableWrites && error.code == EINVAL {
      // A file system that has only the page cache.
      let (fd, _) = try openRegularFile(operation, path, MK_OPEN_DURABLE_WRITES)
      return PosixFile(path: path, fd: fd)
    }
  }

  /// The status of `path`, or nil; see `Disk`.
  public func status(_ path: String) throws(DiskError) -> FileStatus? {
    guard let found = try rawStatus(.status, path) else { return nil }
    let kind = FileKind(shim: found.kind)
    return FileStatus(
      kind: kind, size: kind == .file ? Int(found.size) : 0, modifiedMs: found.modified_ms,
      changedMs: found.changed_ms,
      createdMs: found.created_ms == Int64.min ? nil : found.created_ms,
      identity: FileIdentity(device: found.device, inode: found.inode))
  }

  /// The names in a directory; see `Disk`. A name that is not UTF-8 is returned with replacement
  /// characters and cannot be opened by them: no file of the engine has such a name.
  public func list(_ directory: String) throws(DiskError) -> [DirectoryEntry] {
    try checkPath(.list, directory)
    var code: Int32 = 0
    // Safe: the stream is closed below on every path and not used after.
    guard let stream = unsafe mk_directory_open(directory, &code) else {
      throw DiskError(.list, directory, code: code)
    }
    defer { unsafe mk_directory_close(stream) }
    var entries: [DirectoryEntry] = []
    // 255 bytes on Linux's own file systems; FAT and NTFS count 255 characters, of up to 4 bytes.
    var name = [CChar](repeating: 0, count: 1024)
    var kind: Int32 = 0
    while true {
      // Safe: the shim writes at most `name.count` bytes, the last one a NUL.
      let result = unsafe mk_directory_next(stream, &name, name.count, &kind)
      if result == 0 { return entries }
      guard result > 0 else { throw DiskError(.list, directory, code: -result) }
      let text = String(terminated: name)
      entries.append(DirectoryEntry(name: text, kind: FileKind(shim: kind)))
    }
  }

  /// Makes one directory; see `Disk`.
  public func makeDirectory(_ path: String) throws(DiskError) {
    try checkPath(.makeDirectory, path)
    // Safe, here and below: the C string lives for the call.
    try check(.makeDirectory, path, unsafe mk_make_directory(path))
  }

  /// Renames atomically; see `Disk`.
  public func rename(_ source: String, to destination: String) throws(DiskError) {
    try checkPath(.rename, source)
    try checkPath(.rename, destination)
    try check(.rename, source, unsafe mk_rename(source, destination))
  }

  /// Removes one file; see `Disk`.
  public func remove(_ path: String) throws(DiskError) {
    try checkPath(.remove, path)
    try check(.remove, path, unsafe mk_remove(path))
  }

  /// Removes one empty directory; see `Disk`.
  public func removeDirectory(_ path: String) throws(DiskError) {
    try checkPath(.removeDirectory, path)
    try check(.removeDirectory, path, unsafe mk_remove_directory(path))
  }

  /// Makes changes of the directory's names durable; see `Disk`.
  public func syncDirectory(_ path: String) throws(DiskError) {
    try checkPath(.syncDirectory, path)
    let fd = retryingDescriptor { unsafe mk_open_directory(path) }
    guard fd >= 0 else { throw DiskError(.syncDirectory, path, code: -fd) }
    let code = retrying { mk_fsync(fd) }
    _ = Glibc.close(fd)
    try check(.syncDirectory, path, code)
  }

  /// Takes an exclusive lock; see `Disk` and `PosixLock`.
  public func lock(_ path: String) throws(DiskError) -> any DiskLock {
    try PosixLock.take(path, on: self)
  }

  /// The size of a file system; see `Disk`.
  public func space(_ path: String) throws(DiskError) -> DiskSpace {
    try checkPath(.availableBytes, path)
    var space = DiskSpace(totalBytes: 0, availableBytes: 0)
    // Safe: the three are valid for the call, which keeps none of them.
    try check(
      .availableBytes, path, unsafe mk_space(path, &space.totalBytes, &space.availableBytes))
    return space
  }
}

extension PosixDisk {
  /// Opens a regular file; anything else is refused. The caller owns the descriptor.
  func openRegularFile(
    _ operation: DiskError.Operation, _ path: String, _ mode: mk_open_mode
  ) throws(DiskError) -> (fd: Int32, status: mk_file_status) {
    // Checked before it is opened, since opening a device can have side effects...
    if let found = try rawStatus(operation, path) { try checkKind(operation, path, found.kind) }
    let fd = retryingDescriptor { unsafe mk_open(path, mode) }
    guard fd >= 0 else { throw DiskError(operation, path, code: -fd) }
    // ...and after, since the name may belong to another file by then.
    var found = mk_file_status()
    let code = unsafe mk_status_of_descriptor(fd, &found)
    do throws(DiskError) {
      try check(operation, path, code)
      try checkKind(operation, path, found.kind)
    } catch {
      _ = Glibc.close(fd)
      throw error
    }
    return (fd, found)
  }

  /// Whether `path` leads to the open file; nil if the system does not report it.
  static func isNamed(_ descriptor: Int32, _ path: String) -> Bool? {
    var open = mk_file_status()
    var named = mk_file_status()
    // Safe: the status values and the C string live for the calls.
    guard unsafe mk_status_of_descriptor(descriptor, &open) == 0 else { return nil }
    let code = unsafe mk_status(path, &named)
    if code == ENOENT || code == ENOTDIR { return false }
    return code != 0 ? nil : open.device == named.device && open.inode == named.inode
  }

  /// The shim's status, or nil if no such name exists.
  func rawStatus(
    _ operation: DiskError.Operation, _ path: String
  ) throws(DiskError) -> mk_file_status? {
    try checkPath(operation, path)
    var found = mk_file_status()
    // Safe: `found` and the C string live for the call.
    let code = unsafe mk_status(path, &found)
    if code == ENOENT || code == ENOTDIR { return nil }
    try check(operation, path, code)
    return found
  }

  private func checkKind(
    _ operation: DiskError.Operation, _ path: String, _ kind: Int32
  ) throws(DiskError) {
    switch FileKind(shim: kind) {
    case .file: return
    // `.create` on an existing name must fail with EEXIST, which open(2) returns itself.
    case _ where operation == .create: return
    case .directory: throw DiskError(operation, path, code: EISDIR)
    case .symbolicLink, .other: throw DiskError(operation, path, code: ENOTSUP)
    }
  }

  /// A NUL would silently truncate the path where C reads it.
  private func checkPath(_ operation: DiskError.Operation, _ path: String) throws(DiskError) {
    if path.utf8.contains(0) { throw DiskError(operation, path, code: EINVAL) }
  }

  private func check(
    _ operation: DiskError.Operation, _ path: String, _ code: Int32
  ) throws(DiskError) {
    if code != 0 { throw DiskError(operation, path, code: code) }
  }
}

extension FileKind {
  /// From the C shim's `mk_file_kind`.
  init(shim kind: Int32) {
    switch UInt32(bitPattern: kind) {
    case MK_FILE.rawValue: self = .file
    case MK_DIRECTORY.rawValue: self = .directory
    case MK_SYMBOLIC_LINK.rawValue: self = .symbolicLink
    default: self = .other
    }
  }
}
