/// Kafka's variable-length integers: zig-zag, then groups of 7 bits, lowest first; the high bit of
/// a byte says that more follow.
///
/// At most 5 bytes stand for 32 bits and 10 for 64. Padded forms (longer than needed) are legal to
/// read; bits beyond the 32nd or 64th are not.
public enum Varint {
  /// Bytes that the longest 32-bit form takes.
  public static let byteCountMax32 = 5
  /// Bytes that the longest 64-bit form takes.
  public static let byteCountMax64 = 10

  /// Why bytes are no variable-length integer.
  public enum Fault: Sendable, Equatable {
    /// The bytes end before the integer does.
    case truncated
    /// The last byte allowed still says that more follow.
    case tooLong
    /// It has bits set beyond those of its type.
    case overflow
  }

  /// Maps a signed number to one that is small where the magnitude is small.
  @inlinable
  public static func zigZag(_ value: Int32) -> UInt32 {
    UInt32(bitPattern: (value << 1) ^ (value >> 31))
  }

  /// Maps a signed number to one that is small where the magnitude is small.
  @inlinable
  public static func zigZag(_ value: Int64) -> UInt64 {
    UInt64(bitPattern: (value << 1) ^ (value >> 63))
  }

  /// The inverse of `zigZag`.
  @inlinable
  public static func unZigZag(_ value: UInt32) -> Int32 {
    Int32(bitPattern: value >> 1) ^ -Int32(bitPattern: value & 1)
  }

  /// The inverse of `zigZag`.
  @inlinable
  public static func unZigZag(_ value: UInt64) -> Int64 {
    Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
  }

  /// Bytes that the shortest form of `value` takes: 1 to 5.
  @inlinable
  public static func byteCount(_ value: Int32) -> Int {
    // 9 bits of significance for every 7 of payload: ⌈bits / 7⌉ without a division.
    let significant = 32 - (zigZag(value) | 1).leadingZeroBitCount
    return (significant &* 9 &+ 64) >> 6
  }

  /// Bytes that the shortest form of `value` takes: 1 to 10.
  @inlinable
  public static func byteCount(_ value: Int64) -> Int {
    let significant = 64 - (zigZag(value) | 1).leadingZeroBitCount
    return (significant &* 9 &+ 64) >> 6
  }

  /// Reads a 32-bit integer at `position` and moves it on; nil (and no move) where there is none.
  @inlinable
  public static func read32(_ bytes: Span<UInt8>, at position: inout Int) -> Int32? {
    var reader = ByteReader(bytes, at: position)
    guard let value = reader.readVarint32() else { return nil }
    position = reader.position
    return value
  }

  /// Reads a 64-bit integer at `position` and moves it on; nil (and no move) where there is none.
  @inlinable
  public static func read64(_ bytes: Span<UInt8>, at position: inout Int) -> Int64? {
    var reader = ByteReader(bytes, at: position)
    guard let value = reader.readVarint64() else { return nil }
    position = reader.position
    return value
  }

  /// Why no integer of `byteCountMax` bytes can be read at `position`; nil where one can.
  public static func fault(
    _ bytes: Span<UInt8>, at position: Int, byteCountMax: Int
  ) -> Fault? {
    for index in 0..<byteCountMax {
      guard position + index < bytes.count else { return .truncated }
      let byte = bytes[position + index]
      if byte < 0x80 {
        let bitsInLast = byteCountMax == byteCountMax32 ? 4 : 1
        return index == byteCountMax - 1 && byte >> bitsInLast != 0 ? .overflow : nil
      }
    }
    return .tooLong
  }

  /// Writes the shortest form of `value` at `position` and moves it on; traps where it does not
  /// fit.
  @inlinable
  public static func write(
    _ value: Int32, to bytes: inout MutableSpan<UInt8>, at position: inout Int
  ) {
    write(Int64(value), to: &bytes, at: &position)
  }

  /// Writes the shortest form of `value` at `position` and moves it on; traps where it does not
  /// fit.
  @inlinable
  public static func write(
    _ value: Int64, to bytes: inout MutableSpan<UInt8>, at position: inout Int
  ) {
    var rest = zigZag(value)
    while rest >= 0x80 {
      bytes[position] = UInt8(truncatingIfNeeded: rest) | 0x80
      rest >>= 7
      position += 1
    }
    bytes[position] = UInt8(truncatingIfNeeded: rest)
    position += 1
  }
}
