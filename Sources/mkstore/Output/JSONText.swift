/// Strings of JSON (RFC 8259), written as bytes.
enum JSONText {
  /// Bytes that need no escape in a string; the others need an escape or a check for UTF-8.
  @inline(__always)
  static func isPlain(_ byte: UInt8) -> Bool {
    byte >= 0x20 && byte < 0x80 && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\")
  }

  /// The escape of a byte below 0x20, a quotation mark or a backslash.
  static func escape(_ byte: UInt8) -> String {
    switch byte {
    case UInt8(ascii: "\""): "\\\""
    case UInt8(ascii: "\\"): "\\\\"
    case 0x08: "\\b"
    case 0x09: "\\t"
    case 0x0A: "\\n"
    case 0x0C: "\\f"
    case 0x0D: "\\r"
    default: "\\u00" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }
  }

  /// Adds `text` in quotation marks.
  static func append(_ text: String, to bytes: inout [UInt8]) {
    bytes.append(UInt8(ascii: "\""))
    for byte in text.utf8 {
      if isPlain(byte) || byte >= 0x80 {
        bytes.append(byte)
      } else {
        bytes += escape(byte).utf8
      }
    }
    bytes.append(UInt8(ascii: "\""))
  }
}

extension OutputBuffer {
  /// Adds an object and a line end.
  mutating func line(_ object: JSONObject) {
    write(object.text)
    write(byte: UInt8(ascii: "\n"))
  }

  /// Adds `bytes` as a string in quotation marks.
  ///
  /// - Returns: False if they are not UTF-8: each such part was replaced by U+FFFD.
  @discardableResult
  mutating func write(jsonString bytes: Span<UInt8>) -> Bool {
    var isText = true
    write(byte: UInt8(ascii: "\""))
    var start = 0
    var position = 0
    while position < bytes.count {
      let byte = bytes[position]
      if JSONText.isPlain(byte) {
        position += 1
        continue
      }
      if byte >= 0x80 {
        let sequence = UTF8Sequence(bytes, at: position)
        if sequence.isValid {
          position += sequence.byteCount
          continue
        }
        write(bytes.extracting(start..<position))
        write("\u{FFFD}")
        isText = false
        position += sequence.byteCount
      } else {
        write(bytes.extracting(start..<position))
        write(JSONText.escape(byte))
        position += 1
      }
      start = position
    }
    write(bytes.extracting(start..<position))
    write(byte: UInt8(ascii: "\""))
    return isText
  }
}
