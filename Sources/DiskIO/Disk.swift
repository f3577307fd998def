/// The file system as the engine sees it: every call that can touch a directory or open a file.
///
/// ```swift
/// let disk: any Disk = PosixDisk()
/// let file = try disk.open("data/a", .create)
/// try file.write(bytes.span, at: 0)
/// try file.sync()  // the content is durable
/// try disk.syncDirectory("data")  // and so is the name
/// ```
///
/// Two implementations exist, `PosixDisk` and (in StoreTesting) `SimulatedDisk`; one conformance
/// suite runs against both. Paths are absolute or relative to the process, `/`-separated.
/// Every method may be called from any thread.
///
/// **Durability.** A call that changes a directory (`open` with `.create`, `makeDirectory`,
/// `rename`, `remove`) is visible at once but is certain to survive a power cut only after
/// `syncDirectory` of the parent. Until then each change may independently survive or be lost.
public protocol Disk: AnyObject, Sendable {
  /// Opens or makes a file.
  ///
  /// - Parameter mode: See `OpenMode`; `.create` fails with `EEXIST` if the name exists.
  /// - Throws: `DiskError`; `ENOENT` if the name (or, for `.create`, its directory) is missing.
  func open(_ path: String, _ mode: OpenMode) throws(DiskError) -> any DiskFile

  /// The status of `path`, or nil if it does not exist. Symbolic links are followed.
  func status(_ path: String) throws(DiskError) -> FileStatus?

  /// The names in a directory, without `.` and `..`, in no particular order.
  func list(_ directory: String) throws(DiskError) -> [DirectoryEntry]

  /// Makes one directory (mode 0750); its parent must exist. `EEXIST` if the name exists.
  func makeDirectory(_ path: String) throws(DiskError)

  /// Atomically gives `source` the name `destination`, replacing a file that has it.
  func rename(_ source: String, to destination: String) throws(DiskError)

  /// Removes one file. Open handles and mappings of it keep working.
  func remove(_ path: String) throws(DiskError)

  /// Removes one empty directory.
  func removeDirectory(_ path: String) throws(DiskError)

  /// Makes every earlier change of the directory's names durable (fsync of the directory).
  func syncDirectory(_ path: String) throws(DiskError)

  /// One sync for all files of the file system that holds `path`, from now on; nil (the default) if
  /// none proves as much as `sync` and `syncDirectory` of each.
  ///
  /// - Parameter path: A regular file that is not written to while the result is in use.
  func sharedSync(of path: String) throws(DiskError) -> (any SharedSync)?

  /// Takes an exclusive lock that Kafka's own `.lock` respects (fcntl record lock), making the file
  /// if it is missing.
  ///
  /// - Throws: `DiskError` of operation `.lock` with `EAGAIN` if another process, or another holder
  ///   in this process, has it; `holder` is the pid if the system reports it.
  func lock(_ path: String) throws(DiskError) -> any DiskLock

  /// The size of the file system that holds `path`, and its free space.
  func space(_ path: String) throws(DiskError) -> DiskSpace

  /// Identifies one boot of the operating system: unchanged means that the page cache of an earlier
  /// process still exists; changed means that only synced bytes are certain.
  var bootIdentifier: UInt64 { get }
}

extension Disk {
  /// As `open`, but nil if the name does not exist.
  package func openIfPresent(
    _ path: String, _ mode: OpenMode = .read
  ) throws(DiskError) -> (any DiskFile)? {
    do {
      return try open(path, mode)
    } catch  where error.isNotFound {
      return nil
    }
  }
}

/// How a file is opened.
///
/// ```swift
/// let new = try disk.open("data/b", .create)
/// let old = try disk.open("data/a", .read)
/// ```
public enum OpenMode: Sendable, Equatable {
  /// Existing file, reading only.
  case read
  /// Existing file, reading and writing.
  case readWrite
  /// New file (mode 0640), reading and writing; fails if the name exists.
  case create
  /// Existing file, reading and writing; each write is durable when it returns, as far as the file
  /// does not grow by it: as if `sync` of those bytes followed.
  ///
  /// Where the file system can, the page cache is passed by. Positions, counts and the address of
  /// the memory of every transfer must therefore be multiples of `blockBytes`.
  case durableWrites

  /// What transfers of a file opened with `durableWrites` must be multiples of.
  public static let blockBytes = 4096
}

/// The status of a name, from `Disk.status`.
///
/// ```swift
/// if let status = try disk.status("data/a"), status.kind == .file {
///   print("\(status.size) bytes, changed at \(status.modifiedMs)")
/// }
/// ```
public struct FileStatus: Sendable, Equatable {
  /// Kind of the named object.
  public var kind: FileKind
  /// Size in bytes (0 if it is not a regular file).
  public var size: Int
  /// Last change of the content, milliseconds since 1970 UTC.
  public var modifiedMs: Int64
  /// Last change of the file's content, name or rights, milliseconds since 1970 UTC.
  public var changedMs: Int64
  /// When the file was made, milliseconds since 1970 UTC, if the file system reports it.
  public var createdMs: Int64?
  /// Its identity under any name; nil if the file system has no links.
  public var identity: FileIdentity?

  /// Memberwise.
  public init(
    kind: FileKind, size: Int, modifiedMs: Int64, changedMs: Int64, createdMs: Int64?,
    identity: FileIdentity? = nil
  ) {
    self.kind = kind
    self.size = size
    self.modifiedMs = modifiedMs
    self.changedMs = changedMs
    self.createdMs = createdMs
    self.identity = identity
  }
}

/// Identifies a file or directory of the system under all its names.
///
/// ```swift
/// if let identity = try disk.status("data/a")?.identity,
///   try disk.status("data/b")?.identity == identity
/// {
///   print("two names of one file")
/// }
/// ```
public struct FileIdentity: Sendable, Hashable {
  /// The file system's device.
  public var device: UInt64
  /// The number within it.
  public var inode: UInt64

  /// Memberwise.
  public init(device: UInt64, inode: UInt64) {
    self.device = device
    self.inode = inode
  }
}

/// Kind of a directory entry.
///
/// ```swift
/// let directories = try disk.list("data").filter { $0.kind == .directory }
/// ```
public enum FileKind: Sendable, Equatable {
  case file, directory, symbolicLink, other
}

/// One name in a directory.
///
/// ```swift
/// for entry in try disk.list("data") where entry.kind == .file { print("data/\(entry.name)") }
/// ```
public struct DirectoryEntry: Sendable, Equatable {
  /// The name alone, without its directory.
  public var name: String
  /// Kind; a symbolic link is not followed here.
  public var kind: FileKind

  /// Memberwise.
  public init(name: String, kind: FileKind) {
    self.name = name
    self.kind = kind
  }
}

/// A held lock; released by `release` or with its last reference.
///
/// ```swift
/// let lock = try disk.lock("data/.lock")  // throws if another process has it
/// defer { lock.release() }
/// // ... use the directory ...
/// ```
public protocol DiskLock: AnyObject, Sendable {
  /// Releases the lock. Idempotent.
  func release()
}
