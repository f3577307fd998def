public import Glibc
public import MkstoreBytes

/// Writes records of magic 2 through a raw pointer.
///
/// Appending is fast because there is one capacity check for each record instead of one for each
/// store, and a record's bytes are not counted before it is written (docs/performance.md#encode).
@usableFromInline
enum RecordEncoder {
  /// A record without headers takes at most its key, its value and this: a length (5), attributes
  /// (1), a timestamp delta (10), an offset delta, two lengths and a count (5 each).
  @inlinable static var overheadMax: Int { 36 }

  /// Room that `write` needs: an upper bound of what it writes; `Int.max` if a part is larger than
  /// `RecordBatchBuilder.recordBytesMax`.
  @inlinable
  @inline(__always)
  static func roomNeeded(keyCount: Int, valueCount: Int, headers: [RecordHeader]) -> Int {
    // No overflow: each count is far below 2^31, or the sum is not formed.
    guard keyCount <= limit, valueCount <= limit else { return Int.max }
    let room = overheadMax &+ keyCount &+ valueCount
    return headers.isEmpty ? room : roomNeeded(for: headers, beside: room)
  }

  @usableFromInline
  @inline(never)
  static func roomNeeded(for headers: [RecordHeader], beside room: Int) -> Int {
    var room = room
    for header in headers {
      let counts = (header.name.count, header.value?.count ?? 0)
      guard counts.0 <= limit, counts.1 <= limit, room <= limit else { return Int.max }
      room += 10 + counts.0 + counts.1
    }
    return room
  }

  @inlinable static var limit: Int { RecordBatchBuilder.recordBytesMax }

  /// Writes a record and returns how many bytes it takes.
  ///
  /// The caller guarantees `roomNeeded` bytes at `target`, and that they are at most
  /// `RecordBatchBuilder.recordBytesMax`, so that each length fits 32 bits.
  @unsafe
  @inlinable
  @inline(__always)
  static func write(
    timestampDelta: Int64, offsetDelta: Int32, key: Span<UInt8>?, value: Span<UInt8>?,
    headers: [RecordHeader], room: Int, to target: UnsafeMutableRawPointer
  ) -> Int {
    // Safe: the writes below are those that `roomNeeded` counts, each at most as long as there. The
    // body is already in its place if its length takes as many bytes as that of `room`.
    let body = unsafe target + (room <= 63 ? 1 : room <= 8191 ? 2 : room <= 1_048_575 ? 3 : 5)
    unsafe body.storeBytes(of: 0, as: UInt8.self)
    var next = unsafe writeVarint(Varint.zigZag(timestampDelta), to: body + 1)
    unsafe next = writeCount(Int(offsetDelta), to: next)
    unsafe next = writeField(key, to: next)
    unsafe next = writeField(value, to: next)
    if headers.isEmpty {
      unsafe next.storeBytes(of: 0, as: UInt8.self)
      unsafe next += 1
    } else {
      unsafe next = writeHeaders(headers, to: next)
    }
    let bodyCount = unsafe next - body
    let lengthEnd = unsafe writeCount(bodyCount, to: target)
    if unsafe lengthEnd != body {
      // The guess was longer than the length; it is never shorter. The bytes just written are the
      // length and end before the body, so nothing of it was overwritten.
      unsafe memmove(lengthEnd, body, bodyCount)
    }
    return unsafe (lengthEnd - target) &+ bodyCount
  }

  @usableFromInline
  @inline(never)
  static func writeHeaders(
    _ headers: [RecordHeader], to target: UnsafeMutableRawPointer
  ) -> UnsafeMutableRawPointer {
    var next = unsafe writeCount(headers.count, to: target)
    for header in headers {
      unsafe next = writeField(header.name.span, to: next)
      unsafe next = writeField(header.value?.span, to: next)
    }
    return unsafe next
  }

  /// A non-negative number.
  @inlinable
  @inline(__always)
  static func writeCount(
    _ count: Int, to target: UnsafeMutableRawPointer
  ) -> UnsafeMutableRawPointer {
    unsafe writeVarint(UInt64(truncatingIfNeeded: count) &<< 1, to: target)
  }

  /// A zig-zag-encoded number.
  @inlinable
  @inline(__always)
  static func writeVarint(
    _ value: UInt64, to target: UnsafeMutableRawPointer
  ) -> UnsafeMutableRawPointer {
    if value < 0x80 {
      unsafe target.storeBytes(of: UInt8(truncatingIfNeeded: value), as: UInt8.self)
      return unsafe target + 1
    }
    if value < 0x4000 {
      let pair = UInt16(truncatingIfNeeded: value & 0x7f | 0x80 | (value & 0x3f80) &<< 1)
      unsafe target.storeBytes(of: pair.littleEndian, as: UInt16.self)
      return unsafe target + 2
    }
    return unsafe writeLongVarint(value, to: target)
  }

  @usableFromInline
  @inline(never)
  static func writeLongVarint(
    _ value: UInt64, to target: UnsafeMutableRawPointer
  ) -> UnsafeMutableRawPointer {
    var rest = value
    var next = unsafe target
    while rest >= 0x80 {
      unsafe next.storeBytes(of: UInt8(truncatingIfNeeded: rest) | 0x80, as: UInt8.self)
      rest >>= 7
      unsafe next += 1
    }
    unsafe next.storeBytes(of: UInt8(truncatingIfNeeded: rest), as: UInt8.self)
    return unsafe next + 1
  }

  @inlinable
  @inline(__always)
  static func writeField(
    _ bytes: Span<UInt8>?, to target: UnsafeMutableRawPointer
  ) -> UnsafeMutableRawPointer {
    guard let bytes else {
      unsafe target.storeBytes(of: 1, as: UInt8.self)
      return unsafe target + 1
    }
    let count = bytes.count
    let next = unsafe writeCount(count, to: target)
    unsafe bytes.withUnsafeBytes { source in
      if let first = source.baseAddress { unsafe copy(first, count, to: next) }
    }
    return unsafe next + count
  }

  /// A copy without a call or a loop for the sizes of most keys and values.
  @inlinable
  @inline(__always)
  static func copy(
    _ source: UnsafeRawPointer, _ count: Int, to target: UnsafeMutableRawPointer
  ) {
    // Safe: each load and store is within the first `count` bytes: a chunk is no longer than
    // `count`; the first begins where they begin, the last ends where they end.
    switch count {
    case 65...128:
      unsafe copyChunk(SIMD64<UInt8>.self, source, to: target)
      unsafe copyChunk(SIMD64<UInt8>.self, source + (count &- 64), to: target + (count &- 64))
    case 33...64:
      unsafe copyChunk(SIMD32<UInt8>.self, source, to: target)
      unsafe copyChunk(SIMD32<UInt8>.self, source + (count &- 32), to: target + (count &- 32))
    case 16...32:
      unsafe copyChunk(SIMD16<UInt8>.self, source, to: target)
      unsafe copyChunk(SIMD16<UInt8>.self, source + (count &- 16), to: target + (count &- 16))
    case 8...15:
      unsafe copyChunk(UInt64.self, source, to: target)
      unsafe copyChunk(UInt64.self, source + (count &- 8), to: target + (count &- 8))
    default:
      unsafe target.copyMemory(from: source, byteCount: count)
    }
  }

  @inlinable
  @inline(__always)
  static func copyChunk<Chunk: BitwiseCopyable>(
    _ type: Chunk.Type, _ source: UnsafeRawPointer, to target: UnsafeMutableRawPointer
  ) {
    unsafe target.storeBytes(of: source.loadUnaligned(as: type), as: type)
  }
}
