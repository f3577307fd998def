public import DiskIO
import LogStore

/// Counts calls to another disk: for tests that bound reads, open files and mappings on a real file
/// system.
///
/// ```swift
/// let disk = CountingDisk(PosixDisk())
/// let store = try await Store.open("data", disk: disk)
/// print(disk.counters.calls[.read, default: 0], disk.counters.openFilesPeak)
/// ```
public final class CountingDisk: Disk {
  private let base: any Disk
  let tally = Locked(DiskCounters())
  private let before: @Sendable (DiskCall) -> Void

  /// Counts calls to `base`.
  ///
  /// - Parameter before: Called before each call, on the calling thread; may block it.
  public init(_ base: any Disk, before: @escaping @Sendable (DiskCall) -> Void = { _ in }) {
    self.base = base
    self.before = before
  }

  /// The counts so far.
  public var counters: DiskCounters { tally.withLock { $0 } }

  /// See `Disk`.
  public var bootIdentifier: UInt64 { base.bootIdentifier }

  /// See `Disk`.
  public func open(_ path: String, _ mode: OpenMode) throws(DiskError) -> any DiskFile {
    count(mode == .create ? .create : .open, path)
    let file = CountingFile(try base.open(path, mode), of: self)
    tally.withLock { $0.countOpen() }
    return file
  }

  /// See `Disk`.
  public func status(_ path: String) throws(DiskError) -> FileStatus? {
    count(.status, path)
    return try base.status(path)
  }

  /// See `Disk`.
  public func list(_ directory: String) throws(DiskError) -> [DirectoryEntry] {
    count(.list, directory)
    return try base.list(directory)
  }

  /// See `Disk`.
  public func makeDirectory(_ path: String) throws(DiskError) {
    count(.makeDirectory, path)
    try base.makeDirectory(path)
  }

  /// See `Disk`.
  public func rename(_ source: String, to destination: String) throws(DiskError) {
    count(.rename, source)
    try base.rename(source, to: destination)
  }

  /// See `Disk`.
  public func remove(_ path: String) throws(DiskError) {
    count(.remove, path)
    try base.remove(path)
  }

  /// See `Disk`.
  public func removeDirectory(_ path: String) throws(DiskError) {
    count(.removeDirectory, path)
    try base.removeDirectory(path)
  }

  /// See `Disk`.
  public func syncDirectory(_ path: String) throws(DiskError) {
    count(.syncDirectory, path)
    try base.syncDirectory(path)
  }

  /// See `Disk`.
  public func sharedSync(of path: String) throws(DiskError) -> (any SharedSync)? {
    guard let sync = try base.sharedSync(of: path) else { return nil }
    return CountingSharedSync(sync, of: self, path: path)
  }

  /// See `Disk`.
  public func lock(_ path: String) throws(DiskError) -> any DiskLock {
    count(.lock, path)
    return try base.lock(path)
  }

  /// See `Disk`.
  public func space(_ path: String) throws(DiskError) -> DiskSpace {
    count(.availableBytes, path)
    return try base.space(path)
  }

  func count(_ operation: DiskError.Operation, _ path: String) {
    before(DiskCall(operation, path))
    tally.withLock { $0.count(operation) }
  }
}
