/// Decodes JSON strings into bytes.
extension ByteScratch {
  /// Adds the bytes of a string by `encoding`; returns their range.
  mutating func append(
    _ text: JSONScanner.Text, of line: Span<UInt8>, as encoding: ByteEncoding
  ) throws(InputFault) -> Range<Int> {
    let start = count
    let content = line.extracting(text.range)
    switch encoding {
    case .utf8:
      if text.hasEscapes {
        try append(unescaping: content, at: text.range.lowerBound)
      } else {
        append(content)
      }
    case .hex: try append(hex: content, at: text.range.lowerBound)
    case .base64: try append(base64: content, at: text.range.lowerBound)
    }
    return start..<count
  }

  private mutating func append(
    unescaping text: Span<UInt8>, at origin: Int
  ) throws(InputFault) {
    var position = 0
    var plain = 0
    while position < text.count {
      guard text[position] == UInt8(ascii: "\\") else {
        position += 1
        continue
      }
      append(text.extracting(plain..<position))
      position = try append(escapeIn: text, at: position, origin)
      plain = position
    }
    append(text.extracting(plain..<position))
  }

  /// Adds the decoded escape; the scanner has checked its form. Returns the position after.
  private mutating func append(
    escapeIn text: Span<UInt8>, at position: Int, _ origin: Int
  ) throws(InputFault) -> Int {
    switch text[position + 1] {
    case UInt8(ascii: "b"): append(0x08)
    case UInt8(ascii: "f"): append(0x0C)
    case UInt8(ascii: "n"): append(0x0A)
    case UInt8(ascii: "r"): append(0x0D)
    case UInt8(ascii: "t"): append(0x09)
    case UInt8(ascii: "u"):
      let unit = JSONScanner.hexDigits(text, at: position + 2) ?? 0
      if let scalar = Unicode.Scalar(unit) {
        append(scalar)
        return position + 6
      }
      // A pair of surrogates encodes one character; a single one is invalid.
      guard unit < 0xDC00, position + 8 <= text.count, text[position + 6] == UInt8(ascii: "\\"),
        text[position + 7] == UInt8(ascii: "u"),
        let low = JSONScanner.hexDigits(text, at: position + 8), 0xDC00...0xDFFF ~= low,
        let scalar = Unicode.Scalar(0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00))
      else {
        throw InputFault(
          origin + position,
          "half a surrogate pair is not a character; "
            + "use --encoding hex or base64 for bytes that are not text")
      }
      append(scalar)
      return position + 12
    case let byte: append(byte)
    }
    return position + 2
  }

  private mutating func append(hex text: Span<UInt8>, at origin: Int) throws(InputFault) {
    guard text.count % 2 == 0 else {
      throw InputFault(origin, "an odd number of hex digits (--encoding hex)")
    }
    for index in stride(from: 0, to: text.count, by: 2) {
      guard let high = HexDigit.value(text[index]), let low = HexDigit.value(text[index + 1]) else {
        throw InputFault(origin + index, "no hex digits (--encoding hex)")
      }
      append(high << 4 | low)
    }
  }

  private mutating func append(base64 text: Span<UInt8>, at origin: Int) throws(InputFault) {
    guard text.count % 4 == 0 else {
      throw InputFault(
        origin, "base64 of \(text.count) characters; a multiple of 4 is expected, with padding")
    }
    var padding = 0
    if text.count > 0, text[text.count - 1] == UInt8(ascii: "=") {
      padding = text[text.count - 2] == UInt8(ascii: "=") ? 2 : 1
    }
    for group in stride(from: 0, to: text.count, by: 4) {
      let isLast = group + 4 == text.count
      let digits = isLast ? 4 - padding : 4
      var bits: UInt32 = 0
      for index in group..<group + digits {
        guard let sextet = ByteScratch.sextet(text[index]) else {
          throw InputFault(origin + index, "no base64 digit (--encoding base64)")
        }
        bits = bits << 6 | UInt32(sextet)
      }
      bits <<= UInt32(6 * (4 - digits))
      guard bits & (1 << UInt32(8 * (4 - digits)) - 1) == 0 else {
        throw InputFault(origin + group, "base64 with stray bits at its end")
      }
      for byte in 0..<digits - 1 {
        append(UInt8(truncatingIfNeeded: bits >> UInt32(16 - 8 * byte)))
      }
    }
  }

  private static func sextet(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): byte - UInt8(ascii: "A")
    case UInt8(ascii: "a")...UInt8(ascii: "z"): byte - UInt8(ascii: "a") + 26
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0") + 52
    case UInt8(ascii: "+"): 62
    case UInt8(ascii: "/"): 63
    default: nil
    }
  }
}
