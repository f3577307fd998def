/// A strict reader of JSON (RFC 8259) that returns the positions of values instead of building
/// them.
///
/// The bytes are passed to each call; the scanner itself is a position. It does not check text for
/// UTF-8.
struct JSONScanner {
  /// A string: the bytes between its quotation marks, and whether any of them is an escape.
  struct Text: Equatable {
    var range: Range<Int>
    var hasEscapes: Bool
  }

  /// Deepest nesting that is read.
  static let depthMax = 256

  /// Where the next byte is read.
  private(set) var position: Int

  /// Begins at `position`.
  init(at position: Int = 0) { self.position = position }

  /// The next byte that is not white space; nil at the end.
  mutating func peek(_ bytes: Span<UInt8>) -> UInt8? {
    while position < bytes.count {
      switch bytes[position] {
      case 0x20, 0x09, 0x0A, 0x0D: position += 1
      default: return bytes[position]
      }
    }
    return nil
  }

  /// Takes `character` if it is next.
  mutating func take(_ character: Unicode.Scalar, _ bytes: Span<UInt8>) -> Bool {
    guard peek(bytes) == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  /// Takes `character`, or reports what is there instead.
  mutating func expect(
    _ character: Unicode.Scalar, _ what: String, _ bytes: Span<UInt8>
  ) throws(InputFault) {
    guard take(character, bytes) else { throw unexpected("'\(character)' \(what)", bytes) }
  }

  /// Reads a string.
  mutating func text(_ what: String, _ bytes: Span<UInt8>) throws(InputFault) -> Text {
    guard take("\"", bytes) else { throw unexpected(what, bytes) }
    let start = position
    var hasEscapes = false
    while position < bytes.count {
      let byte = bytes[position]
      if byte == UInt8(ascii: "\"") {
        defer { position += 1 }
        return Text(range: start..<position, hasEscapes: hasEscapes)
      }
      if byte == UInt8(ascii: "\\") {
        hasEscapes = true
        try skipEscape(bytes)
      } else if byte < 0x20 {
        throw InputFault(position, "a control character within a string; write it as an escape")
      } else {
        position += 1
      }
    }
    throw InputFault(start - 1, "a string without an end")
  }

  private mutating func skipEscape(_ bytes: Span<UInt8>) throws(InputFault) {
    guard position + 1 < bytes.count else {
      throw InputFault(position, "an escape without an end")
    }
    switch bytes[position + 1] {
    case UInt8(ascii: "u"):
      guard JSONScanner.hexDigits(bytes, at: position + 2) != nil else {
        throw InputFault(position, "\\u needs four hex digits")
      }
      position += 6
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"),
      UInt8(ascii: "f"), UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
      position += 2
    default: throw InputFault(position, "an unknown escape")
    }
  }

  /// Reads any value; returns its exact text.
  mutating func value(_ bytes: Span<UInt8>, depth: Int = 0) throws(InputFault) -> Range<Int> {
    guard depth < JSONScanner.depthMax else {
      throw InputFault(position, "nested deeper than \(JSONScanner.depthMax) levels")
    }
    let first = peek(bytes)
    let start = position
    switch first {
    case UInt8(ascii: "\""): _ = try text("a string", bytes)
    case UInt8(ascii: "{"): try object(bytes, depth)
    case UInt8(ascii: "["): try array(bytes, depth)
    case UInt8(ascii: "t"): try word("true", bytes)
    case UInt8(ascii: "f"): try word("false", bytes)
    case UInt8(ascii: "n"): try word("null", bytes)
    default: try number(bytes)
    }
    return start..<position
  }

  private mutating func object(_ bytes: Span<UInt8>, _ depth: Int) throws(InputFault) {
    position += 1
    if take("}", bytes) { return }
    repeat {
      _ = try text("a field's name in quotation marks", bytes)
      try expect(":", "after a field's name", bytes)
      _ = try value(bytes, depth: depth + 1)
    } while take(",", bytes)
    try expect("}", "or ',' after a field", bytes)
  }

  private mutating func array(_ bytes: Span<UInt8>, _ depth: Int) throws(InputFault) {
    position += 1
    if take("]", bytes) { return }
    repeat {
      _ = try value(bytes, depth: depth + 1)
    } while take(",", bytes)
    try expect("]", "or ',' after an element", bytes)
  }

  private mutating func word(_ word: String, _ bytes: Span<UInt8>) throws(InputFault) {
    for (index, byte) in word.utf8.enumerated() {
      guard position + index < bytes.count, bytes[position + index] == byte else {
        throw unexpected("a value", bytes)
      }
    }
    position += word.utf8.count
  }

  private mutating func number(_ bytes: Span<UInt8>) throws(InputFault) {
    let start = position
    if position < bytes.count, bytes[position] == UInt8(ascii: "-") { position += 1 }
    let isZero = position < bytes.count && bytes[position] == UInt8(ascii: "0")
    let whole = digits(bytes)
    guard whole > 0 else {
      position = start
      throw unexpected("a value", bytes)
    }
    if isZero, whole > 1 { throw InputFault(start, "a number with a leading zero") }
    if position < bytes.count, bytes[position] == UInt8(ascii: ".") {
      position += 1
      guard digits(bytes) > 0 else { throw InputFault(start, "a number without digits after '.'") }
    }
    guard position < bytes.count, bytes[position] | 0x20 == UInt8(ascii: "e") else { return }
    position += 1
    if position < bytes.count,
      bytes[position] == UInt8(ascii: "+") || bytes[position] == UInt8(ascii: "-")
    {
      position += 1
    }
    guard digits(bytes) > 0 else { throw InputFault(start, "a number without an exponent") }
  }

  private mutating func digits(_ bytes: Span<UInt8>) -> Int {
    let start = position
    while position < bytes.count, UInt8(ascii: "0")...UInt8(ascii: "9") ~= bytes[position] {
      position += 1
    }
    return position - start
  }

  /// Reports what is at the position instead of `expected`.
  func unexpected(_ expected: String, _ bytes: Span<UInt8>) -> InputFault {
    guard position < bytes.count else {
      return InputFault(position, "the line ends where \(expected) is expected")
    }
    let byte = bytes[position]
    let found =
      byte > 0x20 && byte < 0x7F
      ? "'\(Unicode.Scalar(byte))'" : "byte 0x" + String(byte, radix: 16)
    return InputFault(position, "\(found) where \(expected) is expected")
  }

  /// The four hex digits at a position.
  static func hexDigits(_ bytes: Span<UInt8>, at position: Int) -> UInt32? {
    guard position + 4 <= bytes.count else { return nil }
    var value: UInt32 = 0
    for index in position..<position + 4 {
      guard let digit = HexDigit.value(bytes[index]) else { return nil }
      value = value << 4 | UInt32(digit)
    }
    return value
  }
}

/// Hex digits of either case.
enum HexDigit {
  /// 0 to 15; nil for other bytes.
  static func value(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
  }
}
