public import DiskIO
import LogStore

/// A disk in memory that can lose power: it stores what running programs see (live) separately from
/// what certainly survives a power cut (durable), as `Disk` and `DiskFile` describe it.
///
/// ```swift
/// let disk = SimulatedDisk(seed: 7)
/// disk.plan(.powerCut(at: 12))          // the 12th changing call and all after it throw EIO
/// // ... run the scenario until it throws ...
/// for mode in disk.crashes() {          // every subset of what was not synced, or samples
///   let after = disk.crash(mode)        // open the log there and check what must hold
/// }
/// ```
///
/// **What a power cut may do.** Each 512-byte sector that differs from its durable image is
/// independently old, new, torn or garbage; garbage stays within the changed bytes of the sector
/// (no disk harms its neighbours: "power-safe overwrite"). Each file has its old or its new size,
/// or one between; bytes it never got read as zeros. Each change of a name is kept or lost
/// independently. Synced content and synced names always survive.
///
/// Everything is deterministic for one seed and one order of calls. Any thread may call; calls take
/// turns under one lock. It never reads the clock.
public final class SimulatedDisk: Disk {
  let state: Locked<DiskState>

  /// An empty disk.
  ///
  /// - Parameters:
  ///   - seed: Starts every random choice of the disk.
  ///   - capacityBytes: Space for file contents, in whole 4 KiB pages; nil: no limit.
  public init(seed: UInt64 = 0, capacityBytes: Int? = nil) {
    var state = DiskState(seed: seed)
    state.capacityBytes = capacityBytes
    self.state = Locked(state)
  }

  init(_ state: DiskState) {
    self.state = Locked(state)
  }

  /// See `Disk`. Changes with each `crash` and stays with `kill`.
  public var bootIdentifier: UInt64 { state.withLock { $0.bootIdentifier } }

  /// See `Disk`.
  public func open(_ path: String, _ mode: OpenMode) throws(DiskError) -> any DiskFile {
    let inode = try call(mode == .create ? .create : .open, path) { state throws(DiskError) in
      try state.open(path, mode)
    }
    return SimulatedFile(disk: self, path: path, inode: inode, mode: mode)
  }

  /// See `Disk`.
  public func status(_ path: String) throws(DiskError) -> FileStatus? {
    try call(.status, path) { state throws(DiskError) in try state.status(path) }
  }

  /// See `Disk`. The order is shuffled.
  public func list(_ directory: String) throws(DiskError) -> [DirectoryEntry] {
    try call(.list, directory) { state throws(DiskError) in try state.list(directory) }
  }

  /// See `Disk`.
  public func makeDirectory(_ path: String) throws(DiskError) {
    try call(.makeDirectory, path) { state throws(DiskError) in try state.makeDirectory(path) }
  }

  /// See `Disk`.
  public func rename(_ source: String, to destination: String) throws(DiskError) {
    try call(.rename, source) { state throws(DiskError) in
      try state.rename(source, to: destination)
    }
  }

  /// See `Disk`.
  public func remove(_ path: String) throws(DiskError) {
    try call(.remove, path) { state throws(DiskError) in try state.remove(path) }
  }

  /// See `Disk`.
  public func removeDirectory(_ path: String) throws(DiskError) {
    try call(.removeDirectory, path) { state throws(DiskError) in
      try state.removeDirectory(path)
    }
  }

  /// See `Disk`.
  public func syncDirectory(_ path: String) throws(DiskError) {
    try call(.syncDirectory, path) { state throws(DiskError) in try state.syncDirectory(path) }
  }

  /// See `Disk`; covers the whole disk.
  public func sharedSync(of path: String) throws(DiskError) -> (any SharedSync)? {
    guard state.withLock({ $0.offersSharedSync }) else { return nil }
    return SimulatedSharedSync(disk: self, path: path)
  }

  /// See `Disk`; the holder is always this process.
  public func lock(_ path: String) throws(DiskError) -> any DiskLock {
    let inode = try call(.lock, path) { state throws(DiskError) in try state.lock(path) }
    return SimulatedLock(disk: self, inode: inode)
  }

  /// See `Disk`; 1 TiB if there is no limit.
  public func space(_ path: String) throws(DiskError) -> DiskSpace {
    try call(.availableBytes, path) { state throws(DiskError) in try state.space(path) }
  }

  /// Makes one call of `Disk` or `DiskFile`: first the test's action before it, then the call
  /// itself under the lock.
  func call<Result>(
    _ operation: DiskError.Operation, _ path: String,
    _ body: (inout DiskState) throws(DiskError) -> Result
  ) throws(DiskError) -> Result {
    if let before = state.withLock({ $0.beforeCall }) { before(DiskCall(operation, path)) }
    return try state.withLock(body)
  }
}
