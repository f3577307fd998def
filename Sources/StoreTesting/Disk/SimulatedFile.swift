import Bytes
import DiskIO
import Glibc
import LogStore

/// An open file of a `SimulatedDisk`.
final class SimulatedFile: DiskFile {
  let path: String
  private let disk: SimulatedDisk
  private let inode: InodeID
  private let isWritable: Bool

  init(disk: SimulatedDisk, path: String, inode: InodeID, isWritable: Bool) {
    self.disk = disk
    self.path = path
    self.inode = inode
    self.isWritable = isWritable
  }

  deinit {
    disk.state.withLock { $0.close(inode) }
  }

  var descriptor: Int32? { nil }

  func read(into buffer: inout MutableSpan<UInt8>, at position: Int) throws(DiskError) -> Int {
    precondition(position >= 0, "read at \(position)")
    let range = position..<position + buffer.count
    let now = try disk.state.withLock { state throws(DiskError) in
      try state.beginRead(inode, path, range)
    }
    let count = now.read(into: &buffer, at: position)
    disk.state.withLock { $0.counters.countRead(count, of: path) }
    return count
  }

  func write(_ bytes: Span<UInt8>, at position: Int) throws(DiskError) {
    precondition(position >= 0, "write at \(position)")
    guard bytes.count > 0 else { return }
    var copy = [UInt8](repeating: 0, count: bytes.count)
    var span = copy.mutableSpan
    span.copy(bytes, at: 0)
    try disk.state.withLock { [copy] state throws(DiskError) in
      try checkWritable(.write, EBADF)
      try state.write(inode, path, copy, at: position)
    }
  }

  func size() throws(DiskError) -> Int {
    try disk.state.withLock { state throws(DiskError) in
      _ = try state.begin(.size, path)
      return state.inodes[inode]!.size
    }
  }

  func birth() throws(DiskError) -> FileBirth? {
    try disk.state.withLock { state throws(DiskError) in
      _ = try state.begin(.status, path)
      return state.inodes[inode]!.birth
    }
  }

  func truncate(to size: Int) throws(DiskError) {
    precondition(size >= 0, "truncate to \(size)")
    try disk.state.withLock { state throws(DiskError) in
      try checkWritable(.truncate, EINVAL)
      try state.truncate(inode, path, to: size)
    }
  }

  func allocate(to size: Int) throws(DiskError) {
    precondition(size >= 0, "allocate to \(size)")
    guard size > 0 else { return }
    try disk.state.withLock { state throws(DiskError) in
      try checkWritable(.allocate, EBADF)
      try state.allocate(inode, path, to: size)
    }
  }

  func sync() throws(DiskError) {
    try disk.state.withLock { state throws(DiskError) in try state.sync(inode, path) }
  }

  func writeOut() throws(DiskError) {
    try disk.state.withLock { state throws(DiskError) in try state.writeOut(inode, path) }
  }

  func checkWritten() throws(DiskError) {
    try disk.state.withLock { state throws(DiskError) in
      try state.tellWriteError(inode, .writeOut, path)
    }
  }

  func map(capacity: Int, writable: Bool) throws(DiskError) -> MappedRegion {
    precondition(capacity >= 0, "map of \(capacity) bytes")
    let block = try disk.state.withLock { state throws(DiskError) in
      if writable { try checkWritable(.map, EACCES) }
      return try state.map(inode, path, capacity: capacity)
    }
    return MappedRegion(sharing: block, capacity: capacity, isWritable: writable, path: path) {
      [disk, inode] in disk.state.withLock { $0.unmap(inode) }
    }
  }

  func advise(_ advice: ReadAdvice, at position: Int, count: Int) {
    guard advice == .dontNeed else { return }
    disk.state.withLock { $0.dropClean(inode, position..<position + count) }
  }

  private func checkWritable(_ operation: DiskError.Operation, _ code: Int32) throws(DiskError) {
    if !isWritable { throw DiskError(operation, path, code: code) }
  }
}
