/// Text files of keys and values as `java.util.Properties` reads and writes them.
package struct JavaProperties: Sendable, Equatable {
  /// Keys and values in the file's order; each key once, with its last value.
  package private(set) var pairs: [Pair] = []

  /// One property.
  package struct Pair: Sendable, Equatable {
    /// Left of the first `=`, `:` or white space.
    package var key: String
    /// The rest of the logical line.
    package var value: String
  }

  /// No properties.
  package init() {}

  /// Reads a file's content (Latin-1, as Java does); `path` is for messages.
  package init(_ bytes: [UInt8], path: String) throws(CheckpointError) {
    var parser = JavaPropertiesParser(bytes, path: path)
    while let pair = try parser.next() { self[pair.key] = pair.value }
  }

  /// The value of a key; setting keeps the key's place, or puts it last; nil removes it.
  package subscript(key: String) -> String? {
    get { pairs.first { $0.key == key }?.value }
    set {
      let index = pairs.firstIndex { $0.key == key }
      switch (index, newValue) {
      case (let index?, let value?): pairs[index].value = value
      case (let index?, nil): pairs.remove(at: index)
      case (nil, let value?): pairs.append(Pair(key: key, value: value))
      case (nil, nil): break
      }
    }
  }

  /// The file's content: ASCII, with escapes where Java's reader needs them; no comment lines.
  package var encoded: [UInt8] {
    var text = ""
    for pair in pairs {
      text += "\(Self.escaped(pair.key, isKey: true))=\(Self.escaped(pair.value, isKey: false))\n"
    }
    return Array(text.utf8)
  }

  private static func escaped(_ text: String, isKey: Bool) -> String {
    var result = ""
    for (index, unit) in text.utf16.enumerated() {
      switch unit {
      case 0x20: result += isKey || index == 0 ? "\\ " : " "
      case 0x09: result += "\\t"
      case 0x0A: result += "\\n"
      case 0x0C: result += "\\f"
      case 0x0D: result += "\\r"
      case 0x21, 0x23, 0x3A, 0x3D, 0x5C:  // ! # : = \
        result += "\\"
        result.unicodeScalars.append(Unicode.Scalar(UInt8(unit)))
      case 0x21...0x7E: result.unicodeScalars.append(Unicode.Scalar(UInt8(unit)))
      default:
        let hex = String(unit, radix: 16, uppercase: true)
        result += "\\u" + String(repeating: "0", count: 4 - hex.utf8.count) + hex
      }
    }
    return result
  }
}
