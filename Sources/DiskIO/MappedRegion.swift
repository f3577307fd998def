import CMkstoreShims
import Glibc

/// Bytes of a file in memory, shared with the file: checked big-endian loads and stores.
///
/// ```swift
/// try MappingGuard.install()
/// let region = try file.map(capacity: 4096, writable: false)
/// let number = try region.load(bigEndian: UInt32.self, at: 8)
/// ```
///
/// A store is visible to every reader of the file at once and durable after `DiskFile.sync`. The
/// memory is unmapped with the last reference. If an accessed page is beyond the file's end,
/// because the file was truncated, or the disk cannot read it, a load or store throws once
/// `MappingGuard.install` was called. Without it the kernel ends the process (SIGBUS).
///
/// **Threads.** Loads and stores are plain, not atomic. One thread may load what another stored
/// only after the two have synchronised by other means: index entries are published by a separate
/// atomic count, stored with release order after the entry and loaded with acquire order before it,
/// and an entry beyond the loaded count is never accessed.
@safe
public final class MappedRegion: @unchecked Sendable {
  // @unchecked: the fields never change; for the memory behind `base` see **Threads** above.

  /// Path of the mapped file, for messages.
  public let path: String

  /// Size of the mapping in bytes.
  public let capacity: Int

  /// Whether `store` is allowed.
  public let isWritable: Bool

  /// First byte; valid for `capacity` bytes for as long as this object lives.
  private let base: UnsafeMutableRawPointer

  private let memory: Memory

  /// Owner of the memory at `base`.
  private enum Memory {
    case mapping
    case part(of: MappedRegion, onRelease: @Sendable () -> Void)
  }

  /// Takes ownership of a mapping made by mmap.
  init(mapping base: UnsafeMutableRawPointer, of path: String, capacity: Int, isWritable: Bool) {
    self.path = path
    unsafe self.base = unsafe base
    self.capacity = capacity
    self.isWritable = isWritable
    self.memory = .mapping
  }

  /// Makes zeroed, writable memory that is not backed by a file.
  ///
  /// - Parameter path: Its name in messages.
  package init(heapCapacity capacity: Int, path: String = "memory") {
    // Safe: fresh memory that only this object owns and unmaps.
    guard let base = unsafe mk_map_anonymous(capacity) else {
      preconditionFailure("no memory for a region of \(capacity) bytes")
    }
    self.path = path
    unsafe self.base = unsafe base
    self.capacity = capacity
    self.isWritable = true
    self.memory = .mapping
  }

  /// Copies `bytes` to new memory, at least one byte long.
  ///
  /// - Parameter capacity: Bytes of the region, at least those of `bytes`; zeros follow them.
  package convenience init(copying bytes: Span<UInt8>, capacity: Int? = nil, path: String) {
    self.init(heapCapacity: capacity ?? bytes.count, path: path)
    precondition(bytes.count <= self.capacity, "\(bytes.count) bytes in \(self.capacity)")
    // Safe: the new memory is as long as checked above, and no other code has it yet.
    unsafe bytes.withUnsafeBytes { source in
      guard let start = source.baseAddress else { return }
      unsafe base.copyMemory(from: start, byteCount: source.count)
    }
  }

  /// Shares the first `capacity` bytes of `region` and keeps it alive: for simulation.
  ///
  /// - Parameter onRelease: Called once, on the thread that drops the last reference.
  package init(
    sharing region: MappedRegion, capacity: Int, isWritable: Bool, path: String? = nil,
    onRelease: @escaping @Sendable () -> Void
  ) {
    precondition(
      capacity > 0 && capacity <= region.capacity,
      "\(capacity) bytes of a region of \(region.capacity)")
    self.path = path ?? region.path
    // Safe: `memory` keeps the owner of the bytes alive as long as this object.
    unsafe self.base = unsafe region.base
    self.capacity = capacity
    self.isWritable = isWritable
    self.memory = .part(of: region, onRelease: onRelease)
  }

  deinit {
    switch memory {
    // Safe: a whole mapping, and nothing refers to it once its last owner is gone.
    case .mapping: unsafe mk_unmap(base, capacity)
    case .part(_, let onRelease): onRelease()
    }
  }

  /// The big-endian integer at `position`, which needs no alignment.
  ///
  /// - Throws: `.access` if its bytes cannot be accessed.
  @inlinable
  public func load<T: FixedWidthInteger & BitwiseCopyable>(
    bigEndian type: T.Type, at position: Int
  ) throws(DiskError) -> T {
    var value = T.zero
    // Safe: the address of a local of the size that is passed, for this call only.
    let isReached = unsafe withUnsafeMutablePointer(to: &value) {
      unsafe fetch($0, MemoryLayout<T>.size, from: position)
    }
    guard isReached else { throw unreachable }
    return T(bigEndian: value)
  }

  /// Stores `value` at `position`, big-endian; no alignment is needed. Traps in a read-only region.
  ///
  /// - Throws: `.access` if the bytes cannot be accessed.
  @inlinable
  public func store<T: FixedWidthInteger & BitwiseCopyable>(bigEndian value: T, at position: Int)
    throws(DiskError)
  {
    var value = value.bigEndian
    // Safe: the address of a local of the size that is passed, for this call only.
    let isReached = unsafe withUnsafePointer(to: &value) {
      unsafe put($0, MemoryLayout<T>.size, to: position)
    }
    guard isReached else { throw unreachable }
  }

  /// Copies `buffer.count` bytes from `position` on out of the region.
  ///
  /// - Throws: `.access` if a byte cannot be accessed; the buffer may then be partly changed.
  public func copy(to buffer: inout MutableSpan<UInt8>, from position: Int) throws(DiskError) {
    // Safe: the buffer's own bytes, for this call only.
    let isReached = unsafe buffer.withUnsafeMutableBytes {
      guard let target = $0.baseAddress else { return true }
      return unsafe fetch(target, $0.count, from: position)
    }
    if !isReached { throw unreachable }
  }

  /// Copies all of `bytes` into the region from `position` on. Traps in a read-only region.
  ///
  /// - Throws: `.access` if a byte cannot be accessed; a part may then have been copied.
  public func copy(from bytes: Span<UInt8>, to position: Int) throws(DiskError) {
    // Safe: the span's own bytes, for this call only.
    let isReached = unsafe bytes.withUnsafeBytes {
      guard let source = $0.baseAddress else { return true }
      return unsafe put(source, $0.count, to: position)
    }
    if !isReached { throw unreachable }
  }

  /// Whether all bytes could be read; the one place that reads the region.
  @usableFromInline
  func fetch(_ target: UnsafeMutableRawPointer, _ count: Int, from position: Int) -> Bool {
    precondition(
      position >= 0 && count <= capacity && position <= capacity - count,
      "load outside of a mapped region")
    // Safe: the range was checked above and lives as long as self; `target` has `count` bytes and
    // is no part of the region, whose address never leaves this type.
    return unsafe mk_guarded_copy(target, base + position, count) == 0
  }

  /// Whether all bytes could be written; the one place that writes to the region.
  @usableFromInline
  func put(_ source: UnsafeRawPointer, _ count: Int, to position: Int) -> Bool {
    precondition(
      isWritable && position >= 0 && count <= capacity && position <= capacity - count,
      "store outside of a mapped region or into a read-only one")
    // Safe: as above.
    return unsafe mk_guarded_copy(base + position, source, count) == 0
  }

  /// The error of a load or store that met an inaccessible page.
  @usableFromInline var unreachable: DiskError { .unreachable(path) }

  /// Makes the pages from `position` on fault on access, as those after the end of a truncated file
  /// do: for simulation. All regions that share the memory see it.
  package func makeFaulting(from position: Int) throws(DiskError) {
    let pageBytes = Int(mk_page_bytes())
    let start = (position + pageBytes - 1) / pageBytes * pageBytes
    let end = (capacity + pageBytes - 1) / pageBytes * pageBytes
    guard start < end else { return }
    // Safe: whole pages of this mapping, which stay mapped.
    let code = unsafe mk_make_faulting(base + start, end - start)
    if code != 0 { throw DiskError(.map, path, code: code) }
  }
}
