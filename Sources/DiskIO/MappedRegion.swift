import CShims
import Glibc

/// Bytes of a file in memory, shared with the file: checked big-endian loads and stores.
///
/// A store is visible to every reader of the file at once and durable after `DiskFile.sync`. The
/// memory is unmapped with the last reference. Truncating a file below a live mapping makes the
/// kernel kill the process at the next touch (SIGBUS): let go of the mapping first.
///
/// **Threads.** Loads and stores are plain, not atomic. What one thread stores another may load
/// only after the two have synchronised by other means: index entries are published by a separate
/// atomic count, stored with release order after the entry and loaded with acquire order before
/// it, and an entry beyond the loaded count is never touched.
@safe
public final class MappedRegion: @unchecked Sendable {
  // @unchecked: the fields never change; for the memory behind `base` see **Threads** above.

  /// Size of the mapping in bytes.
  public let capacity: Int

  /// Whether `store` is allowed.
  public let isWritable: Bool

  /// First byte; valid for `capacity` bytes for as long as this object lives.
  @usableFromInline let base: UnsafeMutableRawPointer

  private let memory: Memory

  /// Who owns the memory at `base`.
  private enum Memory {
    case mapping
    case part(of: MappedRegion, onRelease: @Sendable () -> Void)
  }

  /// Takes over a mapping made by mmap.
  init(mapping base: UnsafeMutableRawPointer, capacity: Int, isWritable: Bool) {
    unsafe self.base = unsafe base
    self.capacity = capacity
    self.isWritable = isWritable
    self.memory = .mapping
  }

  /// Makes zeroed, writable memory of its own that no file is behind: for simulation.
  package init(heapCapacity capacity: Int) {
    // Safe: fresh memory that this object alone owns and unmaps.
    guard let base = unsafe mk_map_anonymous(capacity) else {
      preconditionFailure("no memory for a region of \(capacity) bytes")
    }
    unsafe self.base = unsafe base
    self.capacity = capacity
    self.isWritable = true
    self.memory = .mapping
  }

  /// Copies `bytes` to memory of its own: an index that no mapping may follow.
  package convenience init(copying bytes: Span<UInt8>) {
    self.init(heapCapacity: bytes.count)
    // Safe: both hold exactly `bytes.count` bytes, and the new memory is nobody else's yet.
    unsafe bytes.withUnsafeBytes { source in
      unsafe base.copyMemory(from: source.baseAddress!, byteCount: source.count)
    }
  }

  /// Shares the first `capacity` bytes of `region` and keeps it alive: for simulation.
  ///
  /// - Parameter onRelease: Called once, on the thread that drops the last reference.
  package init(
    sharing region: MappedRegion, capacity: Int, isWritable: Bool,
    onRelease: @escaping @Sendable () -> Void
  ) {
    precondition(
      capacity > 0 && capacity <= region.capacity,
      "\(capacity) bytes of a region of \(region.capacity)")
    // Safe: `memory` keeps the owner of the bytes alive as long as this object.
    unsafe self.base = unsafe region.base
    self.capacity = capacity
    self.isWritable = isWritable
    self.memory = .part(of: region, onRelease: onRelease)
  }

  deinit {
    switch memory {
    // Safe: a whole mapping, and nobody else refers to it once its last owner goes.
    case .mapping: unsafe mk_unmap(base, capacity)
    case .part(_, let onRelease): onRelease()
    }
  }

  /// The big-endian integer at `position`, which needs no alignment.
  @inlinable
  public func load<T: FixedWidthInteger & BitwiseCopyable>(
    bigEndian type: T.Type, at position: Int
  ) -> T {
    precondition(
      position >= 0 && position <= capacity - MemoryLayout<T>.size,
      "load outside of a mapped region")
    // Safe: the range was checked above and lives as long as self.
    return T(bigEndian: unsafe base.loadUnaligned(fromByteOffset: position, as: T.self))
  }

  /// Puts `value` at `position`, big-endian; no alignment is needed. Traps in a read-only region.
  @inlinable
  public func store<T: FixedWidthInteger & BitwiseCopyable>(bigEndian value: T, at position: Int) {
    precondition(
      isWritable && position >= 0 && position <= capacity - MemoryLayout<T>.size,
      "store outside of a mapped region or into a read-only one")
    // Safe: the range was checked above and lives as long as self.
    unsafe base.storeBytes(of: value.bigEndian, toByteOffset: position, as: T.self)
  }

  /// Copies `buffer.count` bytes from `position` on out of the region.
  public func copy(to buffer: inout MutableSpan<UInt8>, from position: Int) {
    let count = buffer.count
    precondition(
      position >= 0 && count <= capacity && position <= capacity - count,
      "copy of \(count) bytes at \(position) of a region of \(capacity)")
    // Safe: both ranges are `count` bytes long, checked above, and cannot overlap: a MutableSpan
    // is exclusive and no span of this region is ever given out.
    unsafe buffer.withUnsafeMutableBytes {
      unsafe $0.copyMemory(from: UnsafeRawBufferPointer(start: base + position, count: count))
    }
  }

  /// Copies all of `bytes` into the region from `position` on. Traps in a read-only region.
  public func copy(from bytes: Span<UInt8>, to position: Int) {
    let count = bytes.count
    precondition(
      isWritable && position >= 0 && count <= capacity && position <= capacity - count,
      "copy of \(count) bytes to \(position) of a region of \(capacity), or a read-only one")
    // Safe: as above.
    unsafe bytes.withUnsafeBytes {
      unsafe UnsafeMutableRawBufferPointer(start: base + position, count: count)
        .copyMemory(from: $0)
    }
  }

  /// Whether the region has exactly `bytes` at `position`.
  package func matches(_ bytes: Span<UInt8>, at position: Int) -> Bool {
    let count = bytes.count
    precondition(
      position >= 0 && count <= capacity && position <= capacity - count,
      "compare of \(count) bytes at \(position) of a region of \(capacity)")
    // Safe: both ranges are `count` bytes long, checked above; memcmp only reads them.
    return unsafe bytes.withUnsafeBytes {
      guard let start = $0.baseAddress else { return true }
      return unsafe memcmp(base + position, start, count) == 0
    }
  }
}
