import DiskIO
import Glibc

/// The complete state of a simulated disk: a value, so that a crash is a function of it.
struct DiskState: Sendable {
  static let root: InodeID = 0
  static let nameBytesMax = 255
  static let fileBytesMax = 1 << 44  // ext4's, 16 TiB

  var inodes: [InodeID: Inode]
  var nextInode: InodeID = 1
  /// Changes of names that are not durable yet, oldest first.
  var pending: [NameChange] = []
  var locks: Set<InodeID> = []

  var bootIdentifier: UInt64
  /// Advances by one with each call, so that times are the same in each run.
  var nowMs: Int64 = 1_700_000_000_000
  var capacityBytes: Int?
  var openFilesMax: Int?
  var offersSharedSync = true
  /// The answer to a shared sync about bytes that wait for any disk.
  var pendingBytes: Int? = 0
  /// Whether the disk reports which bytes are in the page cache.
  var knowsResidency = true
  var random: SeededGenerator

  var counters = DiskCounters()
  var faults = FaultInjector()
  /// nil while tracing is off.
  var trace: [DiskCall]?
  /// Called before each call, without the disk's lock.
  var beforeCall: (@Sendable (DiskCall) -> Void)?
  /// Whether a planned power cut has happened.
  var isCut = false

  init(seed: UInt64) {
    inodes = [Self.root: Inode(kind: .directory, Self.root, nowMs: nowMs)]
    random = SeededGenerator(seed: seed)
    bootIdentifier = random.next()
  }

  /// Counts a call and applies a planned fault.
  ///
  /// - Returns: The fault, if the caller must do more than fail: a short write, or an error of a
  ///   sync.
  mutating func begin(
    _ operation: DiskError.Operation, _ path: String
  ) throws(DiskError) -> FaultPlan.Fault? {
    counters.count(operation)
    trace?.append(DiskCall(operation, path))
    if isCut { throw DiskError(operation, path, code: EIO) }
    nowMs += 1
    guard let fault = faults.next(operation, path) else { return nil }
    switch fault {
    case .powerCut:
      isCut = true
      self = withoutMappings
      throw DiskError(operation, path, code: EIO)
    case .shortWrite where operation == .write:
      return fault
    case .error(let code), .shortWrite(let code, _):
      if operation.isSync { return .error(code) }
      throw DiskError(operation, path, code: code)
    }
  }

  /// The current state, which later stores through mappings do not change.
  var withoutMappings: DiskState {
    var state = self
    for id in state.inodes.keys { state.inodes[id]!.detachMappings() }
    return state
  }

  // MARK: space

  /// Bytes that files take, whole pages.
  var usedBytes: Int {
    inodes.values.reduce(0) { $0 + $1.allocatedPages } * PagedBytes.pageBytes
  }

  var availableBytes: Int {
    guard let capacityBytes else { return 1 << 40 }
    return max(0, capacityBytes - usedBytes)
  }

  // MARK: paths

  /// The names on the way to `path`; `.` and empty ones removed, `..` resolved.
  static func components(
    _ operation: DiskError.Operation, _ path: String
  ) throws(DiskError) -> [String] {
    if path.isEmpty { throw DiskError(operation, path, code: ENOENT) }
    if path.utf8.contains(0) { throw DiskError(operation, path, code: EINVAL) }
    var names: [String] = []
    for name in path.split(separator: "/") where name != "." {
      if name.utf8.count > nameBytesMax { throw DiskError(operation, path, code: ENAMETOOLONG) }
      if name == ".." { _ = names.popLast() } else { names.append(String(name)) }
    }
    return names
  }

  /// Follows `names` from the root; nil if one does not exist.
  func walk(
    _ operation: DiskError.Operation, _ path: String, _ names: some Sequence<String>
  ) throws(DiskError) -> InodeID? {
    var id = Self.root
    for name in names {
      guard inodes[id]!.kind == .directory else {
        throw DiskError(operation, path, code: ENOTDIR)
      }
      guard let next = inodes[id]!.names[name] else { return nil }
      id = next
    }
    return id
  }

  /// The inode at `path`, nil if there is none.
  func find(_ operation: DiskError.Operation, _ path: String) throws(DiskError) -> InodeID? {
    try walk(operation, path, Self.components(operation, path))
  }

  /// The inode at `path`, which must exist.
  func require(_ operation: DiskError.Operation, _ path: String) throws(DiskError) -> InodeID {
    guard let id = try find(operation, path) else { throw DiskError(operation, path, code: ENOENT) }
    return id
  }

  /// The inode that `path` leads to, if any.
  func liveInode(at path: String) -> InodeID? {
    do throws(DiskError) { return try find(.names, path) } catch { return nil }
  }

  /// Whether a name leads to the inode; `path` is the likely one.
  func isLinked(_ inode: InodeID, _ path: String) -> Bool {
    liveInode(at: path) == inode || inodes.values.contains { $0.names.values.contains(inode) }
  }

  /// A place for a name: its directory, which must exist, and what the name leads to now.
  struct Place {
    var directory: InodeID
    var name: String
    var inode: InodeID?
  }

  /// The place that `path` names. `EBUSY` for the root, which has none.
  func place(_ operation: DiskError.Operation, _ path: String) throws(DiskError) -> Place {
    let names = try Self.components(operation, path)
    guard let name = names.last else { throw DiskError(operation, path, code: EBUSY) }
    guard let directory = try walk(operation, path, names.dropLast()) else {
      throw DiskError(operation, path, code: ENOENT)
    }
    guard inodes[directory]!.kind == .directory else {
      throw DiskError(operation, path, code: ENOTDIR)
    }
    return Place(directory: directory, name: name, inode: inodes[directory]!.names[name])
  }

  // MARK: names

  /// Applies a change of names to the live image and records that it is not durable.
  mutating func change(
    _ text: String, _ steps: [(directory: InodeID, step: NameChange.Step)]
  ) {
    for (directory, step) in steps {
      inodes[directory]!.names.apply(step)
      inodes[directory]!.modifiedMs = nowMs
    }
    pending.append(NameChange(text: text, steps: steps))
  }

  /// Makes a new inode with a name.
  mutating func make(
    _ kind: FileKind, _ operation: DiskError.Operation, _ path: String, at place: Place
  ) throws(DiskError) -> InodeID {
    if availableBytes <= 0 { throw DiskError(operation, path, code: ENOSPC) }
    let id = nextInode
    nextInode += 1
    inodes[id] = Inode(kind: kind, id, nowMs: nowMs)
    change("\(operation.rawValue) \(path)", [(place.directory, .set(name: place.name, id))])
    return id
  }

  /// Makes the changes of one directory durable, oldest first, except those that an earlier failed
  /// sync dropped.
  mutating func syncNames(of directory: InodeID) {
    for index in pending.indices where !pending[index].isDropped {
      for (owner, step) in pending[index].steps where owner == directory {
        inodes[directory]!.durableNames.apply(step)
      }
      pending[index].steps.removeAll { $0.directory == directory }
    }
    pending.removeAll { $0.steps.isEmpty }
    collectGarbage()
  }

  /// A failed sync of a directory: its changes count as clean although they are not durable.
  mutating func dropNames(of directory: InodeID) {
    for index in pending.indices
    where pending[index].steps.contains(where: { $0.directory == directory }) {
      pending[index].isDropped = true
    }
  }

  /// Removes inodes to which neither a name nor a handle leads.
  mutating func collectGarbage() {
    let reachable = reachableInodes()
    inodes = inodes.filter { id, inode in
      reachable.contains(id) || inode.openFiles > 0 || inode.mappings > 0 || locks.contains(id)
    }
  }

  /// Inodes that a name leads to: live, durable, or by a change that a power cut may keep.
  func reachableInodes() -> Set<InodeID> {
    var found: Set<InodeID> = []
    var open = [Self.root] + pending.flatMap(\.targets)
    while let id = open.popLast() {
      guard found.insert(id).inserted, let inode = inodes[id] else { continue }
      open += inode.names.values
      open += inode.durableNames.values
    }
    return found
  }
}
