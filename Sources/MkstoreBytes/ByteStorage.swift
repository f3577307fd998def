import Glibc

/// Owned memory that grows and is reused: builders write to it and codecs inflate into it.
///
/// Bytes that were never written are zero. Owned by one thread at a time.
@safe
public struct ByteStorage: ~Copyable {
  /// First byte; valid for `capacity` bytes until this value grows or ends.
  @usableFromInline var base: UnsafeMutableRawPointer
  /// Bytes of the memory.
  @inlinable public var capacity: Int { size }
  @usableFromInline var size: Int

  /// Makes zeroed memory of `capacity` bytes, which the system may provide only once it is touched.
  public init(capacity: Int) {
    size = max(capacity, 16)
    unsafe base = ByteStorage.allocate(size)
  }

  deinit {
    // Safe: allocated by `allocate`, and freed only here.
    unsafe free(base)
  }

  /// Makes room for at least `minimum` bytes; the first `kept` bytes keep their values.
  ///
  /// Room at least doubles, so that appending costs no more than a constant factor.
  public mutating func reserve(_ minimum: Int, keeping kept: Int) {
    precondition(kept >= 0 && kept <= capacity, "keeps \(kept) of \(capacity) bytes")
    guard minimum > capacity else { return }
    replace(capacity: max(minimum, capacity * 2), keeping: kept)
  }

  /// Shrinks to `target` bytes if there are more; all contents are then lost.
  public mutating func shrink(to target: Int) {
    if capacity > max(target, 16) { replace(capacity: max(target, 16), keeping: 0) }
  }

  private mutating func replace(capacity newCapacity: Int, keeping kept: Int) {
    let fresh = unsafe ByteStorage.allocate(newCapacity)
    // Safe: `kept` is at most both capacities; the two allocations are distinct; the old one is
    // freed once and not used again.
    unsafe fresh.copyMemory(from: base, byteCount: min(kept, newCapacity))
    unsafe free(base)
    unsafe base = unsafe fresh
    size = newCapacity
  }

  private static func allocate(_ capacity: Int) -> UnsafeMutableRawPointer {
    guard let memory = unsafe calloc(1, capacity) else {
      preconditionFailure("no memory for \(capacity) bytes")
    }
    return unsafe memory
  }

  /// Moves the bytes of `range` to the front.
  public mutating func moveToFront(_ range: Range<Int>) {
    precondition(range.lowerBound >= 0 && range.upperBound <= capacity, "moves bytes from outside")
    // Safe: both ranges are inside by the check above; memmove handles their overlap.
    unsafe memmove(base, base + range.lowerBound, range.count)
  }

  /// The bytes of `range`.
  @inlinable
  @_lifetime(borrow self)
  public borrowing func bytes(_ range: Range<Int>) -> Span<UInt8> {
    precondition(range.lowerBound >= 0 && range.upperBound <= capacity, "bytes outside of storage")
    // Safe: the range was checked; the bytes are initialized and live as long as `self` is
    // borrowed.
    let buffer = unsafe UnsafeRawBufferPointer(start: base + range.lowerBound, count: range.count)
    let span = unsafe Span<UInt8>(_unsafeBytes: buffer)
    return unsafe _overrideLifetime(span, borrowing: self)
  }

  /// The bytes of `range`, for writing.
  @inlinable
  @_lifetime(&self)
  public mutating func mutableBytes(_ range: Range<Int>) -> MutableSpan<UInt8> {
    precondition(range.lowerBound >= 0 && range.upperBound <= capacity, "bytes outside of storage")
    // Safe: as above; `self` cannot be used otherwise while the span lives.
    let buffer = unsafe UnsafeMutableRawBufferPointer(
      start: base + range.lowerBound, count: range.count)
    let span = unsafe MutableSpan<UInt8>(_unsafeBytes: buffer)
    return unsafe _overrideLifetime(span, mutating: &self)
  }

  /// Address of the byte at `position`, for codecs and encoders that limit what they write.
  ///
  /// Valid for `capacity - position` bytes until this value grows, shrinks or ends.
  @unsafe
  @inlinable
  public mutating func address(of position: Int) -> UnsafeMutableRawPointer {
    precondition(position >= 0 && position <= capacity, "address outside of storage")
    return unsafe base + position
  }
}
