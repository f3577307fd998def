/// Kafka's variable-length integers: zig-zag, then groups of 7 bits, lowest first; the high bit of
/// a byte says that more follow.
///
/// At most 5 bytes encode 32 bits, and 10 encode 64. Padded forms (longer than needed) are legal to
/// read; bits beyond the 32nd or 64th are not.
public enum Varint {
  /// Bytes that the longest 32-bit form takes.
  public static let byteCountMax32 = 5
  /// Bytes that the longest 64-bit form takes.
  public static let byteCountMax64 = 10

  /// Why bytes are not a variable-length integer.
  public enum Fault: Sendable, Equatable {
    /// The bytes end before the integer does.
    case truncated
    /// The last byte allowed still says that more follow.
    case tooLong
    /// It has bits set beyond those of its type.
    case overflow
  }

  /// Maps a signed number to one that is small if the magnitude is small.
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

  /// Why no integer of `byteCountMax` bytes can be read at `position`; nil if one can.
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
}
