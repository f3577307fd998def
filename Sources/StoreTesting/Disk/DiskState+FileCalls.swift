import DiskIO
import Glibc

/// The calls of `DiskFile`, on the state.
extension DiskState {
  /// Counts a call that cannot throw. An error of `startSync` is kept for the file's next sync.
  mutating func beginQuiet(
    _ operation: DiskError.Operation, _ id: InodeID, _ path: String
  ) throws(DiskError) {
    if case .error(let code) = try begin(operation, path) {
      inodes[id]!.dropUnsynced()
      inodes[id]!.writeError = code
    }
  }

  /// The file's current state, to be read without the disk's lock.
  mutating func beginRead(
    _ id: InodeID, _ path: String, _ range: Range<Int>
  ) throws(DiskError) -> Inode {
    _ = try begin(.read, path)
    let range = range.clamped(to: 0..<inodes[id]!.size)
    if inodes[id]!.isUnreadable || inodes[id]!.badRanges.contains(where: { $0.overlaps(range) }) {
      counters.unreadableReads += 1
      throw DiskError(.read, path, code: EIO)
    }
    inodes[id]!.warm(range)
    return inodes[id]!
  }

  mutating func write(
    _ id: InodeID, _ path: String, _ bytes: [UInt8], at position: Int
  ) throws(DiskError) {
    let fault = try begin(.write, path)
    var count = bytes.count
    var code: Int32 = 0
    let (end, overflow) = position.addingReportingOverflow(count)
    if overflow || end > Self.fileBytesMax { throw DiskError(.write, path, code: EFBIG) }
    if case .shortWrite(let errno, let prefix) = fault {
      count = min(count, prefix ?? Int.random(in: 0...max(0, count - 1), using: &random))
      code = errno
    }
    let room = roomForWrite(id, position, count)
    if room < count { (count, code) = (room, ENOSPC) }
    if count > 0 {
      inodes[id]!.write(bytes.span.extracting(0..<count), at: position)
      inodes[id]!.modifiedMs = nowMs
      counters.bytesWritten += count
    }
    if code != 0 { throw DiskError(.write, path, code: code) }
  }

  /// How many of `count` bytes at `position` still fit on the disk.
  private func roomForWrite(_ id: InodeID, _ position: Int, _ count: Int) -> Int {
    guard capacityBytes != nil else { return count }
    var pagesLeft = availableBytes / PagedBytes.pageBytes
    var done = 0
    while done < count {
      let (page, start) = (position + done).quotientAndRemainder(dividingBy: PagedBytes.pageBytes)
      if !inodes[id]!.isAllocated(page) {
        if pagesLeft == 0 { return done }
        pagesLeft -= 1
      }
      done += min(count - done, PagedBytes.pageBytes - start)
    }
    return count
  }

  mutating func truncate(_ id: InodeID, _ path: String, to size: Int) throws(DiskError) {
    _ = try begin(.truncate, path)
    if size > Self.fileBytesMax { throw DiskError(.truncate, path, code: EFBIG) }
    inodes[id]!.resize(to: size)
    inodes[id]!.modifiedMs = nowMs
  }

  mutating func allocate(_ id: InodeID, _ path: String, to size: Int) throws(DiskError) {
    _ = try begin(.allocate, path)
    if size > Self.fileBytesMax { throw DiskError(.allocate, path, code: EFBIG) }
    let missing = (0..<PagedBytes.pages(in: size)).count { !inodes[id]!.isAllocated($0) }
    if missing * PagedBytes.pageBytes > availableBytes {
      throw DiskError(.allocate, path, code: ENOSPC)
    }
    inodes[id]!.allocate(to: size)
    inodes[id]!.modifiedMs = nowMs
  }

  /// - Parameter range: The bytes that become durable, in whole sectors of a size that is; nil:
  ///   all, and the size.
  mutating func sync(
    _ id: InodeID, _ path: String, only range: Range<Int>? = nil
  ) throws(DiskError) {
    if case .error(let code) = try begin(.sync, path) {
      inodes[id]!.dropUnsynced()
      throw DiskError(.sync, path, code: code)
    }
    try tellWriteError(id, .sync, path)
    if let range { inodes[id]!.sync(range) } else { inodes[id]!.sync() }
  }

  /// Makes nothing durable, but an error is as final as that of a sync.
  mutating func writeOut(_ id: InodeID, _ path: String) throws(DiskError) {
    if case .error(let code) = try begin(.writeOut, path) {
      inodes[id]!.dropUnsynced()
      throw DiskError(.writeOut, path, code: code)
    }
  }

  mutating func checkWritten(_ id: InodeID, _ path: String) throws(DiskError) {
    if case .error(let code) = try begin(.checkWritten, path) {
      inodes[id]!.dropUnsynced()
      throw DiskError(.checkWritten, path, code: code)
    }
    try tellWriteError(id, .checkWritten, path)
  }

  /// Throws once an error that a sync of the whole disk, or the disk itself, met in this file
  /// before.
  private mutating func tellWriteError(
    _ id: InodeID, _ operation: DiskError.Operation, _ path: String
  ) throws(DiskError) {
    guard let code = inodes[id]!.writeError else { return }
    inodes[id]!.writeError = nil
    throw DiskError(operation, path, code: code)
  }

  /// Makes all contents and names durable. If it fails, each changed file is, at random, synced,
  /// still unsynced, or in error: it then counts as clean without being durable, which its own sync
  /// reports once more.
  mutating func syncFileSystem(_ path: String) throws(DiskError) {
    let fault = try begin(.syncFileSystem, path)
    guard case .error(let code) = fault else {
      for id in inodes.keys where inodes[id]!.kind == .file { inodes[id]!.sync() }
      // Releasing names may release directories.
      for id in inodes.keys.sorted() where inodes[id]?.kind == .directory { syncNames(of: id) }
      return
    }
    for id in inodes.keys.sorted() where inodes[id]!.kind == .file && inodes[id]!.isUnsynced {
      switch random.index(below: 3) {
      case 0: inodes[id]!.sync()
      case 1: break
      default:
        inodes[id]!.dropUnsynced()
        inodes[id]!.writeError = code
      }
    }
    throw DiskError(.syncFileSystem, path, code: code)
  }

  /// Drops clean pages of a range (all from `position` on if `count` is 0) from memory, also those
  /// that are clean only because a sync failed: the next read returns the disk's content.
  mutating func evict(_ id: InodeID, _ position: Int, _ count: Int) {
    let (end, overflow) = position.addingReportingOverflow(count)
    inodes[id]!.evict(position..<(count == 0 || overflow ? Int.max : end))
  }

  func residency(_ id: InodeID, _ range: Range<Int>) -> Residency? {
    knowsResidency ? inodes[id]!.residency(of: range) : nil
  }

  mutating func map(
    _ id: InodeID, _ path: String, capacity: Int, writable: Bool
  ) throws(DiskError) -> MappedRegion {
    _ = try begin(.map, path)
    if capacity == 0 { throw DiskError(.map, path, code: EINVAL) }
    let region = try inodes[id]!.map(capacity: capacity, writable: writable, path: path)
    inodes[id]!.mappings += 1
    counters.countMapping()
    return region
  }

  /// A mapping was released, possibly one that a power cut had detached.
  mutating func unmap(_ id: InodeID) {
    counters.mappings -= 1
    inodes[id]?.endMapping()
  }

  mutating func close(_ id: InodeID) {
    counters.openFiles -= 1
    inodes[id]?.openFiles -= 1
  }
}
