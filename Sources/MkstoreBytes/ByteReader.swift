/// Reads a span from front to back; no read goes past its end.
///
/// Faster than indexing a span for each byte: one comparison guards a whole small integer. A read
/// that does not fit returns nil and does not move.
@safe
public struct ByteReader: ~Escapable, BitwiseCopyable {
  /// First byte of the span; valid for `limit` bytes for as long as this value lives.
  @usableFromInline let base: UnsafeRawPointer
  /// Where the bytes end, in bytes from the span's start; never past the span's own end.
  @usableFromInline var limit: Int
  /// Where the next read begins: 0 to `limit`, which every method keeps true.
  @usableFromInline var cursor: Int
  @usableFromInline var padded = false

  /// Reads `bytes` from `position` on, which must be within.
  @inlinable
  @_lifetime(copy bytes)
  public init(_ bytes: Span<UInt8>, at position: Int = 0) {
    precondition(position >= 0 && position <= bytes.count, "a reader outside of its span")
    // Safe: the lifetime annotation keeps this value from outliving the span's bytes. An empty span
    // may have no address; any will do, since nothing is ever read from it.
    let first = unsafe bytes.withUnsafeBytes { $0.baseAddress }
    unsafe base = unsafe first ?? UnsafeRawPointer(bitPattern: 1)!
    self.limit = bytes.count
    self.cursor = position
  }

  /// Where the next read begins, in bytes from the span's start.
  @inlinable
  public var position: Int { cursor }

  /// Whether an integer was longer than it needed to be.
  @inlinable
  public var sawPaddedVarint: Bool { padded }

  /// Bytes not yet read.
  @inlinable
  public var remaining: Int { limit &- cursor }

  /// The next byte.
  @inlinable
  @inline(__always)
  @_lifetime(self: copy self)
  public mutating func readByte() -> UInt8? {
    guard cursor < limit else { return nil }
    defer { cursor &+= 1 }
    // Safe: 0 <= cursor < limit.
    return unsafe base.load(fromByteOffset: cursor, as: UInt8.self)
  }

  /// Skips `count` bytes; false (and no move) if there are fewer, or `count` is negative.
  @inlinable
  @inline(__always)
  @_lifetime(self: copy self)
  public mutating func skip(_ count: Int) -> Bool {
    guard count >= 0, count <= remaining else { return false }
    cursor &+= count
    return true
  }

  /// Goes back to a position that was read before.
  @inlinable
  @_lifetime(self: copy self)
  public mutating func rewind(to position: Int) {
    precondition(position >= 0 && position <= cursor, "a reader only goes back")
    cursor = position
  }

  /// A reader of only the next `count` bytes, at the same positions; traps if there are fewer.
  @inlinable
  @inline(__always)
  @_lifetime(copy self)
  public func first(_ count: Int) -> ByteReader {
    precondition(count >= 0 && count <= remaining, "a reader beyond its end")
    // The result ends earlier than `self`, in the same bytes, so it is within them.
    var reader = self
    reader.limit = cursor &+ count
    reader.padded = false
    return reader
  }

  /// Why no integer of at most `byteCountMax` bytes could be read here.
  public func varintFault(byteCountMax: Int) -> Varint.Fault {
    // Safe: 0 <= cursor <= limit, and the bytes outlive this call.
    let rest = unsafe UnsafeRawBufferPointer(start: base + cursor, count: remaining)
    return Varint.fault(unsafe Span<UInt8>(_unsafeBytes: rest), at: 0, byteCountMax: byteCountMax)
      ?? .truncated
  }

  /// The next zig-zag integer of at most 5 bytes.
  @inlinable
  @inline(__always)
  @_lifetime(self: copy self)
  public mutating func readVarint32() -> Int32? {
    guard cursor < limit else { return nil }
    // Safe: 0 <= cursor < limit.
    let first = unsafe base.load(fromByteOffset: cursor, as: UInt8.self)
    if first < 0x80 {
      cursor &+= 1
      return Varint.unZigZag(UInt32(first))
    }
    if remaining >= 2 {
      // Safe: cursor + 1 < limit.
      let second = unsafe base.load(fromByteOffset: cursor &+ 1, as: UInt8.self)
      if second < 0x80, second > 0 {
        cursor &+= 2
        return Varint.unZigZag(UInt32(first & 0x7f) | UInt32(second) &<< 7)
      }
    }
    let long = unsafe LongVarint(
      base, cursor, limit, byteCountMax: Varint.byteCountMax32)
    guard long.end > 0 else { return nil }
    cursor = long.end
    padded = padded || long.isPadded
    return Varint.unZigZag(UInt32(truncatingIfNeeded: long.value))
  }

  /// The next zig-zag integer of at most 10 bytes.
  @inlinable
  @inline(__always)
  @_lifetime(self: copy self)
  public mutating func readVarint64() -> Int64? {
    guard cursor < limit else { return nil }
    // Safe: 0 <= cursor < limit.
    let first = unsafe base.load(fromByteOffset: cursor, as: UInt8.self)
    if first < 0x80 {
      cursor &+= 1
      return Varint.unZigZag(UInt64(first))
    }
    if remaining >= 2 {
      // Safe: cursor + 1 < limit.
      let second = unsafe base.load(fromByteOffset: cursor &+ 1, as: UInt8.self)
      if second < 0x80, second > 0 {
        cursor &+= 2
        return Varint.unZigZag(UInt64(first & 0x7f) | UInt64(second) &<< 7)
      }
    }
    let long = unsafe LongVarint(
      base, cursor, limit, byteCountMax: Varint.byteCountMax64)
    guard long.end > 0 else { return nil }
    cursor = long.end
    padded = padded || long.isPadded
    return Varint.unZigZag(long.value)
  }
}

/// An integer of any length, read by value: a reader whose address is passed to a call would live
/// in memory instead of registers.
@usableFromInline
struct LongVarint: BitwiseCopyable {
  @usableFromInline var value: UInt64 = 0
  /// The position after it; 0 if it cannot be read.
  @usableFromInline var end = 0
  @usableFromInline var isPadded = false

  /// Reads from `cursor` up to `limit`; refuses bits beyond 32 (5 bytes) or 64 (10 bytes).
  @usableFromInline
  @inline(never)
  init(_ base: UnsafeRawPointer, _ cursor: Int, _ limit: Int, byteCountMax: Int) {
    let available = min(limit - cursor, byteCountMax)
    var index = 0
    while index < available {
      // Safe: cursor + index < limit, and the caller's bytes reach up to there.
      let byte = unsafe base.load(fromByteOffset: cursor + index, as: UInt8.self)
      value |= UInt64(byte & 0x7f) << UInt64(7 * index)
      index += 1
      guard byte < 0x80 else { continue }
      // The last byte of a full-length form has room for 4 of 32 bits, 1 of 64.
      if index == byteCountMax {
        guard byte < (byteCountMax == Varint.byteCountMax32 ? 0x10 : 0x02) else { return }
      }
      isPadded = byte == 0 && index > 1
      end = cursor + index
      return
    }
  }
}
