/// The bytes of one multi-byte character, or of an invalid sequence.
struct UTF8Sequence: Equatable {
  /// Whether they are a character (Unicode, table 3-7).
  var isValid: Bool
  /// Its bytes; of an invalid sequence those that one U+FFFD replaces: the longest beginning of a
  /// character, at least one byte.
  var byteCount: Int

  /// Examines `bytes` from `position`, where a byte is at least 0x80.
  init(_ bytes: Span<UInt8>, at position: Int) {
    let first = bytes[position]
    let needed: Int
    var second: ClosedRange<UInt8> = 0x80...0xBF
    switch first {
    case 0xC2...0xDF: needed = 2
    case 0xE0:
      needed = 3
      second = 0xA0...0xBF
    case 0xED:
      needed = 3
      second = 0x80...0x9F
    case 0xE1...0xEF: needed = 3
    case 0xF0:
      needed = 4
      second = 0x90...0xBF
    case 0xF4:
      needed = 4
      second = 0x80...0x8F
    case 0xF1...0xF3: needed = 4
    default:
      isValid = false
      byteCount = 1
      return
    }
    var count = 1
    while count < needed, position + count < bytes.count,
      (count == 1 ? second : 0x80...0xBF) ~= bytes[position + count]
    {
      count += 1
    }
    isValid = count == needed
    byteCount = count
  }
}
