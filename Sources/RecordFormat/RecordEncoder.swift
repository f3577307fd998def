import Bytes
import Glibc

/// Writes records of magic 2 through a raw pointer.
///
/// One capacity check for each record instead of one for each store, and no count of a record's
/// bytes before it is written, is what makes appending fast (docs/performance.md#encode).
enum RecordEncoder {
  /// No record without headers takes more than its key, its value and this: a length (5),
  /// attributes (1), a timestamp delta (10), an offset delta, two lengths and a count (5 each).
  private static let overheadMax = 36

  /// Room that `write` needs: an upper bound of what it writes; saturates at `Int.max`.
  @inline(__always)
  static func roomNeeded(keyCount: Int, valueCount: Int, headers: [RecordHeader]) -> Int {
    var room = overheadMax
    add(keyCount, to: &room)
    add(valueCount, to: &room)
    if headers.isEmpty { return room }
    for header in headers {
      add(10, to: &room)
      add(header.name.count, to: &room)
      add(header.value?.count ?? 0, to: &room)
    }
    return room
  }

  @inline(__always)
  private static func add(_ count: Int, to sum: inout Int) {
    let (value, overflow) = sum.addingReportingOverflow(count)
    sum = overflow ? Int.max : value
  }

  /// Writes a record and returns how many bytes it takes.
  ///
  /// The caller vouches for `roomNeeded` bytes at `target`, and that they are at most `Int32.max`,
  /// so that each length fits 32 bits.
  @unsafe
  @inline(__always)
  static func write(
    timestampDelta: Int64, offsetDelta: Int32, key: Span<UInt8>?, value: Span<UInt8>?,
    headers: [RecordHeader], room: Int, to target: UnsafeMutableRawPointer
  ) -> Int {
    // Safe: the writes below are those that `roomNeeded` counts, each at most as long as there.
    // The body goes where it stands if its length takes as many bytes as that of `room`.
    let guessed = Varint.byteCount(Int32(truncatingIfNeeded: room))
    let body = unsafe target + guessed
    unsafe body.storeBytes(of: 0, as: UInt8.self)
    var next = unsafe writeVarint(timestampDelta, to: body + 1)
    unsafe next = writeVarint(Int64(offsetDelta), to: next)
    unsafe next = writeField(key, to: next)
    unsafe next = writeField(value, to: next)
    unsafe next = writeVarint(Int64(headers.count), to: next)
    if !headers.isEmpty {
      for header in headers {
        unsafe next = writeField(header.name.span, to: next)
        unsafe next = writeField(header.value?.span, to: next)
      }
    }
    let bodyCount = unsafe next - body
    let lengthEnd = unsafe writeVarint(Int64(bodyCount), to: target)
    if unsafe lengthEnd != body {
      // The guess was a byte too long; it is never too short. The bytes just written say the length
      // and end before the body, so nothing of it was overwritten.
      unsafe memmove(lengthEnd, body, bodyCount)
    }
    return unsafe (lengthEnd - target) + bodyCount
  }

  @inline(__always)
  private static func writeVarint(
    _ value: Int64, to target: UnsafeMutableRawPointer
  ) -> UnsafeMutableRawPointer {
    var rest = Varint.zigZag(value)
    if rest < 0x80 {
      unsafe target.storeBytes(of: UInt8(truncatingIfNeeded: rest), as: UInt8.self)
      return unsafe target + 1
    }
    if rest < 0x4000 {
      let pair = UInt16(truncatingIfNeeded: rest & 0x7f | 0x80 | (rest & 0x3f80) << 1)
      unsafe target.storeBytes(of: pair.littleEndian, as: UInt16.self)
      return unsafe target + 2
    }
    var next = unsafe target
    while rest >= 0x80 {
      unsafe next.storeBytes(of: UInt8(truncatingIfNeeded: rest) | 0x80, as: UInt8.self)
      rest >>= 7
      unsafe next += 1
    }
    unsafe next.storeBytes(of: UInt8(truncatingIfNeeded: rest), as: UInt8.self)
    return unsafe next + 1
  }

  @inline(__always)
  private static func writeField(
    _ bytes: Span<UInt8>?, to target: UnsafeMutableRawPointer
  ) -> UnsafeMutableRawPointer {
    guard let bytes else { return unsafe writeVarint(-1, to: target) }
    let count = bytes.count
    let next = unsafe writeVarint(Int64(count), to: target)
    unsafe bytes.withUnsafeBytes { source in
      if let first = source.baseAddress { unsafe copy(first, count, to: next) }
    }
    return unsafe next + count
  }

  /// A copy that needs no call for the sizes that most keys and values have.
  @inline(__always)
  private static func copy(
    _ source: UnsafeRawPointer, _ count: Int, to target: UnsafeMutableRawPointer
  ) {
    // Safe: each load and store lies within the first `count` bytes; the last one of a row overlaps
    // the one before where the size is no multiple.
    if count >= 16, count <= 128 {
      var at = 0
      while at < count &- 16 {
        unsafe copyChunk(SIMD16<UInt8>.self, source + at, to: target + at)
        at &+= 16
      }
      unsafe copyChunk(SIMD16<UInt8>.self, source + (count &- 16), to: target + (count &- 16))
    } else if count >= 8, count < 16 {
      unsafe copyChunk(UInt64.self, source, to: target)
      unsafe copyChunk(UInt64.self, source + (count &- 8), to: target + (count &- 8))
    } else {
      unsafe target.copyMemory(from: source, byteCount: count)
    }
  }

  @inline(__always)
  private static func copyChunk<Chunk: BitwiseCopyable>(
    _ type: Chunk.Type, _ source: UnsafeRawPointer, to target: UnsafeMutableRawPointer
  ) {
    unsafe target.storeBytes(of: source.loadUnaligned(as: type), as: type)
  }
}
