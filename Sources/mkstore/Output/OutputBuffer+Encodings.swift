extension OutputBuffer {
  /// Adds two lower-case digits for each byte.
  mutating func write(hex bytes: Span<UInt8>) {
    for index in bytes.indices {
      write(byte: OutputBuffer.hexDigit(bytes[index] >> 4))
      write(byte: OutputBuffer.hexDigit(bytes[index] & 15))
    }
  }

  @inline(__always)
  private static func hexDigit(_ value: UInt8) -> UInt8 {
    value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
  }

  /// Adds base64 with padding (RFC 4648, section 4).
  mutating func write(base64 bytes: Span<UInt8>) {
    var index = 0
    while bytes.count - index >= 3 {
      let group =
        UInt32(bytes[index]) << 16 | UInt32(bytes[index + 1]) << 8 | UInt32(bytes[index + 2])
      writeBase64(group, digits: 4)
      index += 3
    }
    switch bytes.count - index {
    case 1:
      writeBase64(UInt32(bytes[index]) << 16, digits: 2)
      write("==")
    case 2:
      writeBase64(UInt32(bytes[index]) << 16 | UInt32(bytes[index + 1]) << 8, digits: 3)
      write("=")
    default: break
    }
  }

  private mutating func writeBase64(_ group: UInt32, digits: Int) {
    for digit in 0..<digits {
      let sextet = UInt8(truncatingIfNeeded: group >> UInt32(18 - 6 * digit)) & 63
      switch sextet {
      case 0..<26: write(byte: UInt8(ascii: "A") + sextet)
      case 26..<52: write(byte: UInt8(ascii: "a") + sextet - 26)
      case 52..<62: write(byte: UInt8(ascii: "0") + sextet - 52)
      case 62: write(byte: UInt8(ascii: "+"))
      default: write(byte: UInt8(ascii: "/"))
      }
    }
  }

  /// Adds an Int32 as four bytes, the highest first.
  mutating func write(bigEndian value: Int32) {
    for shift in [24, 16, 8, 0] { write(byte: UInt8(truncatingIfNeeded: value >> Int32(shift))) }
  }

  /// Adds bytes as a JSON string, `null` for none.
  ///
  /// - Returns: False if they are not UTF-8 but were to be shown as text.
  mutating func write(json bytes: Span<UInt8>?, as encoding: ByteEncoding) -> Bool {
    guard let bytes else {
      write("null")
      return true
    }
    switch encoding {
    case .utf8: return write(jsonString: bytes)
    case .hex:
      write(byte: UInt8(ascii: "\""))
      write(hex: bytes)
    case .base64:
      write(byte: UInt8(ascii: "\""))
      write(base64: bytes)
    }
    write(byte: UInt8(ascii: "\""))
    return true
  }
}
