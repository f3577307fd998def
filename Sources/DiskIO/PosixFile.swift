import CMkstoreShims
import Glibc

/// A file of the operating system. Handles EINTR and short transfers; no caller sees them.
final class PosixFile: DiskFile {
  let path: String
  let fd: Int32

  /// Takes ownership of `fd`.
  init(path: String, fd: Int32) {
    self.path = path
    self.fd = fd
  }

  deinit {
    // The result does not matter: only `sync` promises durability, and Linux frees the descriptor
    // even if close reports EINTR (close(2)).
    _ = Glibc.close(fd)
  }

  func read(into buffer: inout MutableSpan<UInt8>, at position: Int) throws(DiskError) -> Int {
    precondition(position >= 0, "read at \(position)")
    let fd = self.fd
    // Safe: each call is given the part of the buffer not yet filled, for this call only.
    let (count, code) = unsafe buffer.withUnsafeMutableBytes { bytes -> (Int, Int32) in
      var done = 0
      while let start = bytes.baseAddress, done < bytes.count {
        let result = unsafe mk_pread(fd, start + done, bytes.count - done, Int64(position + done))
        if result == 0 { break }
        if result > 0 {
          done += Int(result)
        } else if result != -Int64(EINTR) {
          return (done, Int32(-result))
        }
      }
      return (done, 0)
    }
    try check(.read, code)
    return count
  }

  func write(_ bytes: Span<UInt8>, at position: Int) throws(DiskError) {
    precondition(position >= 0, "write at \(position)")
    let fd = self.fd
    // Safe: each call is given the part of the bytes not yet written, for this call only.
    let code = unsafe bytes.withUnsafeBytes { bytes -> Int32 in
      var done = 0
      while let start = bytes.baseAddress, done < bytes.count {
        let result = unsafe mk_pwrite(fd, start + done, bytes.count - done, Int64(position + done))
        if result > 0 {
          done += Int(result)
        } else if result == 0 {
          return EIO  // a disk that takes nothing and says nothing: not worth a busy loop
        } else if result != -Int64(EINTR) {
          return Int32(-result)
        }
      }
      return 0
    }
    try check(.write, code)
  }

  func size() throws(DiskError) -> Int {
    var status = mk_file_status()
    // Safe: `status` outlives the call that fills it.
    try check(.size, unsafe mk_status_of_descriptor(fd, &status))
    return Int(status.size)
  }

  func birth() throws(DiskError) -> FileBirth? {
    var status = mk_file_status()
    // Safe: `status` outlives the call that fills it.
    try check(.status, unsafe mk_status_of_descriptor(fd, &status))
    guard status.created_ns != Int64.min else { return nil }
    return FileBirth(inode: status.inode, timeNs: status.created_ns)
  }

  func truncate(to size: Int) throws(DiskError) {
    precondition(size >= 0, "truncate to \(size)")
    try check(.truncate, retrying { mk_truncate(fd, Int64(size)) })
  }

  func allocate(to size: Int) throws(DiskError) {
    precondition(size >= 0, "allocate to \(size)")
    guard size > 0 else { return }
    let code = retrying { mk_allocate(fd, Int64(size)) }
    guard code == EOPNOTSUPP || code == ENOSYS else { return try check(.allocate, code) }
    try fillHolesWithZeros(below: size)
  }

  func sync() throws(DiskError) {
    try check(.sync, retrying { mk_fdatasync(fd) })
  }

  func startSync() { mk_start_writeback(fd) }

  func writeOut() throws(DiskError) {
    try check(.writeOut, retrying { mk_write_out(fd) })
  }

  func checkWritten() throws(DiskError) {
    try check(.checkWritten, retrying { mk_check_written(fd) })
  }

  func map(capacity: Int, writable: Bool) throws(DiskError) -> MappedRegion {
    precondition(capacity >= 0, "map of \(capacity) bytes")
    var code: Int32 = 0
    // Safe: a fresh mapping of `capacity` bytes that the region alone owns and unmaps.
    guard let base = unsafe mk_map(fd, capacity, writable, &code) else {
      throw DiskError(.map, path, code: code)
    }
    return unsafe MappedRegion(
      mapping: base, of: path, capacity: capacity, isWritable: writable)
  }

  func abandon() throws(DiskError) { try check(.abandon, mk_abandon(fd)) }

  func advise(_ advice: ReadAdvice, at position: Int, count: Int) {
    let hint =
      switch advice {
      case .sequential: POSIX_FADV_SEQUENTIAL
      case .random: POSIX_FADV_RANDOM
      case .normal: POSIX_FADV_NORMAL
      case .willNeed: POSIX_FADV_WILLNEED
      case .dontNeed: POSIX_FADV_DONTNEED
      }
    // A hint: if the file system ignores it, reading works anyway.
    _ = posix_fadvise(fd, position, count, hint)
  }

  /// `allocate` on file systems that cannot reserve blocks: every hole is written.
  private func fillHolesWithZeros(below size: Int) throws(DiskError) {
    let end = try self.size()
    var position = 0
    while position < size {
      let hole = position < end ? try locate(mk_next_hole(fd, Int64(position)), or: end) : position
      guard hole < size else { return }
      let data = hole < end ? try locate(mk_next_data(fd, Int64(hole)), or: size) : size
      try writeZeros(from: hole, to: min(data, size))
      position = data
    }
  }

  /// The result of a search for a hole or for data; `fallback` if none was found (ENXIO) or the
  /// file system does not know (EINVAL).
  private func locate(_ found: Int64, or fallback: Int) throws(DiskError) -> Int {
    if found >= 0 { return Int(found) }
    if found == -Int64(ENXIO) || found == -Int64(EINVAL) { return fallback }
    throw DiskError(.allocate, path, code: Int32(-found))
  }

  private func writeZeros(from start: Int, to end: Int) throws(DiskError) {
    let zeros = [UInt8](repeating: 0, count: 64 * 1024)
    var position = start
    while position < end {
      let count = min(zeros.count, end - position)
      do {
        try write(zeros.span.extracting(0..<count), at: position)
      } catch {
        throw DiskError(.allocate, path, code: error.code)
      }
      position += count
    }
  }

  private func check(_ operation: DiskError.Operation, _ code: Int32) throws(DiskError) {
    if code != 0 { throw DiskError(operation, path, code: code) }
  }
}

/// Calls again while a signal interrupts: for shims that return 0 or an error number.
func retrying(_ call: () -> Int32) -> Int32 {
  while true {
    let code = call()
    if code != EINTR { return code }
  }
}

/// Calls again while a signal interrupts: for shims that return a descriptor or a negative error
/// number. (Descriptor 4 is not EINTR, though its number is.)
func retryingDescriptor(_ call: () -> Int32) -> Int32 {
  while true {
    let result = call()
    if result != -EINTR { return result }
  }
}
