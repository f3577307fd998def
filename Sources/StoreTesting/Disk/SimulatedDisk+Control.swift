public import DiskIO
import Glibc
import LogStore

/// Changes of the disk by a test; none of them counts as a call.
extension SimulatedDisk {
  // MARK: faults

  /// Adds a future fault; its count starts now.
  public func plan(_ fault: FaultPlan) {
    state.withLock { $0.faults.add(fault) }
  }

  /// Removes all planned faults; their effects stay.
  public func removeFaults() {
    state.withLock { $0.faults.removeAll() }
  }

  /// Makes the system fail to write a file back by itself: its unsynced content counts as clean
  /// from now on without being durable, which the file's next sync or check reports once.
  public func failWriteBack(of path: String, _ code: Int32) throws(DiskError) {
    try state.withLock { state throws(DiskError) in
      let id = try state.require(.status, path)
      state.inodes[id]!.dropUnsynced()
      state.inodes[id]!.writeError = code
    }
  }

  /// Makes the file that has this name now permanently unreadable, as a bad sector does: reads of
  /// it throw EIO, and accessing a mapping of it is a SIGBUS (`MappingGuard`).
  public func makeUnreadable(_ path: String) throws(DiskError) {
    try changeFile(path) { $0.makeUnreadable() }
  }

  /// Makes bytes of the file that has this name now permanently unreadable, as bad sectors do:
  /// reads that include one of them throw EIO. Names and calls that do not read are not affected.
  public func makeUnreadable(_ path: String, _ range: Range<Int>) throws(DiskError) {
    try changeFile(path) { $0.badRanges.append(range) }
  }

  /// Truncates a file as another process may: accessing a mapped page of it after the new end is a
  /// SIGBUS (`MappingGuard`).
  public func cut(_ path: String, to size: Int) throws(DiskError) {
    try changeFile(path) { $0.resize(to: size) }
  }

  private func changeFile(
    _ path: String, _ change: (inout Inode) -> Void
  ) throws(DiskError) {
    try state.withLock { state throws(DiskError) in
      let id = try state.require(.status, path)
      change(&state.inodes[id]!)
    }
  }

  /// How often a planned fault has hit.
  public var faultsFired: Int { state.withLock { $0.faults.fired } }

  /// Whether any planned fault has hit: a test whose fault never fired proves nothing.
  public var faultFired: Bool { faultsFired > 0 }

  /// Whether a planned power cut has happened.
  public var isCut: Bool { state.withLock { $0.isCut } }

  /// Most files that may be open at once (`EMFILE` beyond); nil: no limit.
  public var openFilesMax: Int? {
    get { state.withLock { $0.openFilesMax } }
    set { state.withLock { $0.openFilesMax = newValue } }
  }

  /// Whether the disk has a shared sync.
  public var offersSharedSync: Bool {
    get { state.withLock { $0.offersSharedSync } }
    set { state.withLock { $0.offersSharedSync = newValue } }
  }

  /// The answer of a shared sync about bytes that wait to be written (`SharedSync.pendingBytes`).
  public var pendingBytes: Int? {
    get { state.withLock { $0.pendingBytes } }
    set { state.withLock { $0.pendingBytes = newValue } }
  }

  /// Space for file contents in bytes (`ENOSPC` beyond); nil: no limit.
  public var capacityBytes: Int? {
    get { state.withLock { $0.capacityBytes } }
    set { state.withLock { $0.capacityBytes = newValue } }
  }

  /// Calls `body` before each call of this disk and its files, on the calling thread, which it may
  /// block. nil ends that. Disks made by `crash` and `kill` do not have it.
  public func beforeEachCall(_ body: (@Sendable (DiskCall) -> Void)?) {
    state.withLock { $0.beforeCall = body }
  }

  // MARK: page cache

  /// Whether the disk reports which bytes are in its page cache (`DiskFile.residency`); true by
  /// default.
  ///
  /// Everything written, read or put there by `install` is cached; after `crash` nothing is.
  public var knowsResidency: Bool {
    get { state.withLock { $0.knowsResidency } }
    set { state.withLock { $0.knowsResidency = newValue } }
  }

  /// Drops a file's clean pages from the page cache: those that hold bytes of `range`, or all.
  public func evict(_ path: String, _ range: Range<Int>? = nil) throws(DiskError) {
    try changeFile(path) { $0.evict(range ?? 0..<Int.max) }
  }

  // MARK: counters

  /// Calls so far that change something, failed ones included: the k of `FaultPlan.powerCut(at:)`.
  public var operationCount: Int { state.withLock { $0.counters.changingCallCount } }

  /// Calls, bytes, open files and mappings.
  public var counters: DiskCounters { state.withLock { $0.counters } }

  /// Starts or stops recording calls; starting discards the old ones.
  public func setTracing(_ isOn: Bool) {
    state.withLock { $0.trace = isOn ? [] : nil }
  }

  /// The calls since tracing was switched on.
  public var trace: [DiskCall] { state.withLock { $0.trace ?? [] } }

  // MARK: content

  /// Makes a file with this content, both durable, replacing one of that name, and makes the
  /// directories it needs.
  ///
  /// - Parameter birth: Of the file; nil: that of the file that has the name, which counts as
  ///   changed in place, or a new one.
  public func install(
    _ path: String, _ bytes: [UInt8], birth: FileBirth? = nil
  ) throws(DiskError) {
    try state.withLock { state throws(DiskError) in
      let names = try DiskState.components(.create, path)
      guard let name = names.last else { throw DiskError(.create, path, code: EISDIR) }
      let directory = try state.installDirectories(path, names.dropLast())
      var content = PagedBytes()
      content.write(bytes.span, at: 0)
      let replaced = state.inodes[directory]!.names[name].flatMap { state.inodes[$0]?.birth }
      let new = FileBirth(
        inode: UInt64(state.nextInode), timeNs: state.nowMs * 1_000_000)
      let inode = Inode(
        content: content, birth: birth ?? replaced ?? new, modifiedMs: state.nowMs)
      state.installInode(inode, name, in: directory)
    }
  }

  /// Makes a directory and its parents, durable, if they are missing.
  public func installDirectory(_ path: String) throws(DiskError) {
    try state.withLock { state throws(DiskError) in
      let names = try DiskState.components(.makeDirectory, path)
      _ = try state.installDirectories(path, names[...])
    }
  }

  /// Number and time of birth of the file that has this name now; nil if there is none.
  public func birth(of path: String) -> FileBirth? {
    state.withLock { $0.file(path)?.birth }
  }

  /// The live content of a file; nil if there is none.
  public func contents(of path: String) -> [UInt8]? {
    state.withLock { $0.file(path)?.content.array }
  }

  /// The content that a power cut certainly leaves of the file that has this name now.
  public func durableContents(of path: String) -> [UInt8]? {
    state.withLock { $0.file(path)?.durable.array }
  }

  /// Paths of all files from the root (`/logs/a`), sorted.
  public var paths: [String] { state.withLock { $0.filePaths().values.sorted() } }
}
