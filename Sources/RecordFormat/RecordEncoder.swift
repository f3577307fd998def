import Bytes

/// Writes records of magic 2 through a raw pointer, unchecked: `byteCount` says beforehand how much.
///
/// One capacity check for each record instead of one for each store is what makes appending fast
/// (docs/performance.md#encode).
enum RecordEncoder {
  /// Bytes of a record's body, the length field left out.
  static func bodyByteCount(
    timestampDelta: Int64, offsetDelta: Int32, key: Span<UInt8>?,
    value: Span<UInt8>?, headers: [RecordHeader]
  ) -> Int {
    var count = 1 + Varint.byteCount(timestampDelta) + Varint.byteCount(offsetDelta)
    count += fieldByteCount(key?.count) + fieldByteCount(value?.count)
    if headers.isEmpty { return count + 1 }
    count += Varint.byteCount(Int32(truncatingIfNeeded: headers.count))
    for header in headers {
      count += fieldByteCount(header.name.count) + fieldByteCount(header.value?.count)
    }
    return count
  }

  /// Bytes of a length and what it counts. Lengths beyond 32 bits make the record too large by
  /// themselves, so that it does not matter what their varint would take.
  @inline(__always)
  private static func fieldByteCount(_ count: Int?) -> Int {
    guard let count else { return 1 }
    return Varint.byteCount(Int32(truncatingIfNeeded: count)) + count
  }

  /// Writes a record and returns the address after it.
  ///
  /// The caller vouches for room of `bodyByteCount` and that count's own varint at `target`, and that
  /// the body counts at most `Int32.max` bytes, so that each length fits 32 bits.
  @unsafe
  static func write(
    bodyByteCount: Int, timestampDelta: Int64, offsetDelta: Int32, key: Span<UInt8>?,
    value: Span<UInt8>?, headers: [RecordHeader], to target: UnsafeMutableRawPointer
  ) -> UnsafeMutableRawPointer {
    // Safe: the writes below are those that `bodyByteCount` counts, one for one.
    var next = unsafe writeVarint(Int64(bodyByteCount), to: target)
    unsafe next.storeBytes(of: 0, as: UInt8.self)
    unsafe next += 1
    unsafe next = writeVarint(timestampDelta, to: next)
    unsafe next = writeVarint(Int64(offsetDelta), to: next)
    unsafe next = writeField(key, to: next)
    unsafe next = writeField(value, to: next)
    unsafe next = writeVarint(Int64(headers.count), to: next)
    for header in headers {
      unsafe next = writeField(header.name.span, to: next)
      unsafe next = writeField(header.value?.span, to: next)
    }
    return unsafe next
  }

  @inline(__always)
  private static func writeVarint(
    _ value: Int64, to target: UnsafeMutableRawPointer
  ) -> UnsafeMutableRawPointer {
    var rest = Varint.zigZag(value)
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
    let next = unsafe writeVarint(Int64(bytes.count), to: target)
    let count = bytes.count
    unsafe bytes.withUnsafeBytes { source in
      if let first = source.baseAddress { unsafe next.copyMemory(from: first, byteCount: count) }
    }
    return unsafe next + count
  }
}
