/// Splits the content of a properties file into keys and values.
struct JavaPropertiesParser {
  private let bytes: [UInt8]
  private let path: String
  private var position = 0
  private var line = 1

  /// Takes a file's content; `path` is for messages.
  init(_ bytes: [UInt8], path: String) {
    self.bytes = bytes
    self.path = path
  }

  /// The next property, or nil at the end.
  mutating func next() throws(CheckpointError) -> JavaProperties.Pair? {
    skipBlankAndComments()
    guard position < bytes.count else { return nil }
    let key = try text(endsAtSeparator: true)
    skipBlanks()
    if position < bytes.count,
      bytes[position] == UInt8(ascii: "=") || bytes[position] == UInt8(ascii: ":")
    {
      position += 1
      skipBlanks()
    }
    return JavaProperties.Pair(key: key, value: try text(endsAtSeparator: false))
  }

  /// Reads up to the logical line's end, or for a key up to its separator; resolves escapes.
  private mutating func text(endsAtSeparator: Bool) throws(CheckpointError) -> String {
    var units: [UInt16] = []
    while position < bytes.count {
      let byte = bytes[position]
      if Self.isLineEnd(byte) { break }
      if endsAtSeparator, Self.isSeparator(byte) { break }
      position += 1
      if byte == UInt8(ascii: "\\") {
        if let unit = try escape() { units.append(unit) }
      } else {
        units.append(UInt16(byte))
      }
    }
    return String(decoding: units, as: UTF16.self)
  }

  /// The character after a backslash; nil for the end of a line, which the next one continues.
  private mutating func escape() throws(CheckpointError) -> UInt16? {
    guard position < bytes.count else { return nil }
    let byte = bytes[position]
    position += 1
    switch byte {
    case UInt8(ascii: "t"): return 0x09
    case UInt8(ascii: "n"): return 0x0A
    case UInt8(ascii: "f"): return 0x0C
    case UInt8(ascii: "r"): return 0x0D
    case UInt8(ascii: "u"): return try hexUnit()
    case 0x0A, 0x0D:
      position -= 1
      skipLineEnd()
      skipBlanks()
      return nil
    default: return UInt16(byte)
    }
  }

  private mutating func hexUnit() throws(CheckpointError) -> UInt16 {
    let digits = bytes[position...].prefix(4)
    guard digits.count == 4, let unit = UInt16(String(decoding: digits, as: UTF8.self), radix: 16)
    else { throw .unreadable(path: path, line: line, what: "a \\u without four hex digits") }
    position += 4
    return unit
  }

  /// Skips empty lines and lines whose first character is `#` or `!`.
  private mutating func skipBlankAndComments() {
    while position < bytes.count {
      skipBlanks()
      guard position < bytes.count else { return }
      let byte = bytes[position]
      if byte == UInt8(ascii: "#") || byte == UInt8(ascii: "!") {
        while position < bytes.count, !Self.isLineEnd(bytes[position]) { position += 1 }
      } else if !Self.isLineEnd(byte) {
        return
      }
      skipLineEnd()
    }
  }

  private mutating func skipBlanks() {
    while position < bytes.count, [0x20, 0x09, 0x0C].contains(bytes[position]) { position += 1 }
  }

  private mutating func skipLineEnd() {
    guard position < bytes.count else { return }
    let isReturn = bytes[position] == 0x0D
    position += 1
    line += 1
    if isReturn, position < bytes.count, bytes[position] == 0x0A { position += 1 }
  }

  private static func isLineEnd(_ byte: UInt8) -> Bool { byte == 0x0A || byte == 0x0D }

  private static func isSeparator(_ byte: UInt8) -> Bool {
    [0x20, 0x09, 0x0C, UInt8(ascii: "="), UInt8(ascii: ":")].contains(byte)
  }
}
