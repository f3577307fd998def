import DiskIO
import Glibc
import LogStore
import MkstoreBytes
import Synchronization

/// An open file of a `SimulatedDisk`.
final class SimulatedFile: InspectableFile {
  let path: String
  private let disk: SimulatedDisk
  private let inode: InodeID
  private let isWritable: Bool
  /// Whether a sync is part of each write.
  private let syncsWrites: Bool
  private let isAbandoned = Atomic<Bool>(false)

  init(disk: SimulatedDisk, path: String, inode: InodeID, mode: OpenMode) {
    self.disk = disk
    self.path = path
    self.inode = inode
    isWritable = mode != .read
    syncsWrites = mode == .durableWrites
  }

  deinit {
    disk.state.withLock { $0.close(inode) }
  }

  // MARK: Content

  func read(into buffer: inout MutableSpan<UInt8>, at position: Int) throws(DiskError) -> Int {
    precondition(position >= 0, "read at \(position)")
    let range = position..<position + buffer.count
    let now = try disk.call(.read, path) { state throws(DiskError) in
      if isAbandoned.load(ordering: .acquiring) { throw DiskError(.read, path, code: EISDIR) }
      return try state.beginRead(inode, path, range)
    }
    let done = now.read(into: &buffer, at: position)
    disk.state.withLock { $0.counters.countRead(done, of: path) }
    return done
  }

  func write(_ bytes: Span<UInt8>, at position: Int) throws(DiskError) {
    precondition(position >= 0, "write at \(position)")
    guard bytes.count > 0 else { return }
    var copy = [UInt8](repeating: 0, count: bytes.count)
    var span = copy.mutableSpan
    span.copy(bytes, at: 0)
    try disk.call(.write, path) { [copy] state throws(DiskError) in
      try checkWritable(.write, EBADF)
      try state.write(inode, path, copy, at: position)
    }
    guard syncsWrites else { return }
    checkAligned(bytes, at: position)
    // A power cut between the two finds any of the sectors written.
    try disk.call(.sync, path) { state throws(DiskError) in
      try state.sync(inode, path, only: position..<position + bytes.count)
    }
  }

  /// As a disk of the system demands it of a write past its page cache.
  private func checkAligned(_ bytes: Span<UInt8>, at position: Int) {
    // Safe: only the address is looked at.
    let address = unsafe bytes.withUnsafeBytes { Int(bitPattern: $0.baseAddress) }
    precondition(
      [position, bytes.count, address].allSatisfy { $0.isMultiple(of: OpenMode.blockBytes) },
      "\(path): \(bytes.count) bytes at \(position), in memory at \(address): not in blocks")
  }

  func size() throws(DiskError) -> Int {
    try disk.call(.size, path) { state throws(DiskError) in
      _ = try state.begin(.size, path)
      return state.inodes[inode]!.size
    }
  }

  func birth() throws(DiskError) -> FileBirth? {
    try disk.call(.status, path) { state throws(DiskError) in
      _ = try state.begin(.status, path)
      return state.inodes[inode]!.birth
    }
  }

  func truncate(to size: Int) throws(DiskError) {
    precondition(size >= 0, "truncate to \(size)")
    try disk.call(.truncate, path) { state throws(DiskError) in
      try checkWritable(.truncate, EINVAL)
      try state.truncate(inode, path, to: size)
    }
  }

  func allocate(to size: Int) throws(DiskError) {
    precondition(size >= 0, "allocate to \(size)")
    guard size > 0 else { return }
    try disk.call(.allocate, path) { state throws(DiskError) in
      try checkWritable(.allocate, EBADF)
      try state.allocate(inode, path, to: size)
    }
  }

  func firstHole(from position: Int) -> Int? {
    answer(.firstHole) { state in state.inodes[inode]!.firstHole(from: position) }
  }

  func map(capacity: Int, writable: Bool) throws(DiskError) -> MappedRegion {
    precondition(capacity >= 0, "map of \(capacity) bytes")
    let region = try disk.call(.map, path) { state throws(DiskError) in
      if writable { try checkWritable(.map, EACCES) }
      return try state.map(inode, path, capacity: capacity, writable: writable)
    }
    return MappedRegion(sharing: region, capacity: capacity, isWritable: writable, path: path) {
      [disk, inode] in disk.state.withLock { $0.unmap(inode) }
    }
  }

  private func checkWritable(_ operation: DiskError.Operation, _ code: Int32) throws(DiskError) {
    if !isWritable { throw DiskError(operation, path, code: code) }
  }

  // MARK: Durability

  func sync() throws(DiskError) {
    try disk.call(.sync, path) { state throws(DiskError) in try state.sync(inode, path) }
  }

  func startSync() {
    _ = answer(.startSync) { _ in true }
  }

  func writeOut() throws(DiskError) {
    try disk.call(.writeOut, path) { state throws(DiskError) in try state.writeOut(inode, path) }
  }

  func checkWritten() throws(DiskError) {
    try disk.call(.checkWritten, path) { state throws(DiskError) in
      try state.checkWritten(inode, path)
    }
  }

  // MARK: Cache and names

  func residency(of range: Range<Int>) -> Residency? {
    answer(.residency) { state in state.residency(inode, range) }
  }

  func advise(_ advice: ReadAdvice, at position: Int, count: Int) {
    _ = answer(.advise) { state in
      if advice == .dontNeed { state.evict(inode, position, count) }
      return true
    }
  }

  func isAtPath() -> Bool? {
    answer(.names) { state in state.liveInode(at: path) == inode }
  }

  func isLinked() -> Bool? {
    answer(.names) { state in state.isLinked(inode, path) }
  }

  /// The answer of a call that cannot throw; nil if it failed.
  private func answer<Result>(
    _ operation: DiskError.Operation, _ body: (inout DiskState) -> Result?
  ) -> Result? {
    do throws(DiskError) {
      return try disk.call(operation, path) { state throws(DiskError) in
        try state.beginQuiet(operation, inode, path)
        return body(&state)
      }
    } catch {
      return nil
    }
  }

  // MARK: End of use

  func abandon() throws(DiskError) {
    _ = try disk.call(.abandon, path) { state throws(DiskError) in
      try state.begin(.abandon, path)
    }
    isAbandoned.store(true, ordering: .releasing)
  }

  // MARK: Inspection

  func isDurable(_ range: Range<Int>) -> Bool {
    disk.state.withLock { $0.inodes[inode]!.isDurable(range) }
  }

  var nameDurability: NameDurability {
    disk.state.withLock { $0.nameDurability(of: inode) }
  }

  func inspect(_ range: Range<Int>) -> [UInt8] {
    let now = disk.state.withLock { $0.inodes[inode]! }
    var bytes = [UInt8](repeating: 0, count: range.count)
    var span = bytes.mutableSpan
    let count = now.read(into: &span, at: range.lowerBound)
    return Array(bytes[..<count])
  }

  // MARK: Sending

  /// A copy: the bytes are in this process's memory anyway. Counts as a `.send`, and as reads.
  func send(to socket: Int32, from position: Int, count: Int) throws(DiskError) -> Int {
    _ = try disk.call(.send, path) { state throws(DiskError) in try state.begin(.send, path) }
    return try sendCopy(to: socket, from: position, count: count)
  }

  /// None; counts as a `.send`.
  func sendDescriptor(for range: Range<Int>) throws(DiskError) -> Int32? {
    _ = try disk.call(.send, path) { state throws(DiskError) in try state.begin(.send, path) }
    return nil
  }
}
