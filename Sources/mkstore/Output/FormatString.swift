/// A parsed format string in kcat's syntax: `%o %k: %s\n`.
struct FormatString: Sendable, Equatable {
  /// How a key or a value is written; `{json}` and others after its letter.
  enum Style: String, Sendable, Equatable, CaseIterable {
    /// The bytes unchanged.
    case raw
    /// A JSON string, or null.
    case json
    /// Hex digits.
    case hex
    /// Base64.
    case base64
  }

  /// A part of the output.
  enum Part: Sendable, Equatable {
    case literal([UInt8])
    /// `%s`.
    case value(Style)
    /// `%S`: bytes of the value, −1 for null.
    case valueLength
    /// `%R`: the same as four bytes, big-endian.
    case valueLengthBinary
    /// `%k`.
    case key(Style)
    /// `%K`: bytes of the key, −1 for null.
    case keyLength
    /// `%T`: milliseconds.
    case timestamp
    /// `%T{rfc3339}`.
    case timestampText
    /// `%h`: name=value pairs with commas between them.
    case headers
    /// `%t`.
    case topic
    /// `%p`.
    case partition
    /// `%o`.
    case offset
  }

  /// Why a text is not a format string.
  struct Fault: Error, Equatable {
    /// For people.
    var text: String
  }

  private(set) var parts: [Part] = []

  /// Reads a format string.
  init(_ text: String) throws(Fault) {
    var rest = Array(text.utf8)[...]
    var literal: [UInt8] = []
    while let byte = rest.popFirst() {
      switch byte {
      case UInt8(ascii: "%"):
        let part = try FormatString.part(&rest)
        if case .literal(let bytes) = part {
          literal += bytes
          continue
        }
        if !literal.isEmpty { parts.append(.literal(literal)) }
        literal = []
        parts.append(part)
      case UInt8(ascii: "\\"): literal.append(try FormatString.escape(&rest))
      default: literal.append(byte)
      }
    }
    if !literal.isEmpty { parts.append(.literal(literal)) }
  }

  private static func part(_ rest: inout ArraySlice<UInt8>) throws(Fault) -> Part {
    guard let letter = rest.popFirst() else {
      throw Fault(text: "a lone % at its end; write %% for a percent sign")
    }
    let modifier = try modifier(&rest)
    let part: Part?
    switch letter {
    case UInt8(ascii: "s"): part = try .value(style(modifier))
    case UInt8(ascii: "k"): part = try .key(style(modifier))
    case UInt8(ascii: "T"):
      switch modifier {
      case nil: part = .timestamp
      case "rfc3339": part = .timestampText
      default: throw Fault(text: "%T{\(modifier ?? "")} is unknown; there is %T and %T{rfc3339}")
      }
    default:
      part = modifier == nil ? plain(letter) : nil
    }
    guard let part else {
      let token = String(decoding: [letter], as: UTF8.self) + (modifier.map { "{\($0)}" } ?? "")
      throw Fault(text: "%\(token) is unknown; there are %s %S %R %k %K %T %h %t %p %o %%")
    }
    return part
  }

  private static func plain(_ letter: UInt8) -> Part? {
    switch letter {
    case UInt8(ascii: "S"): .valueLength
    case UInt8(ascii: "R"): .valueLengthBinary
    case UInt8(ascii: "K"): .keyLength
    case UInt8(ascii: "h"): .headers
    case UInt8(ascii: "t"): .topic
    case UInt8(ascii: "p"): .partition
    case UInt8(ascii: "o"): .offset
    case UInt8(ascii: "%"): .literal([UInt8(ascii: "%")])
    default: nil
    }
  }

  /// The text in braces, if there is any.
  private static func modifier(_ rest: inout ArraySlice<UInt8>) throws(Fault) -> String? {
    guard rest.first == UInt8(ascii: "{") else { return nil }
    guard let end = rest.firstIndex(of: UInt8(ascii: "}")) else { return nil }
    let inner = rest[(rest.startIndex + 1)..<end]
    // A brace without a word is part of the text, as in '%s{"a":1}'.
    let isWord = inner.allSatisfy {
      UInt8(ascii: "a")...UInt8(ascii: "z") ~= $0 || UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0
    }
    guard isWord, !inner.isEmpty else { return nil }
    rest = rest[(end + 1)...]
    return String(decoding: inner, as: UTF8.self)
  }

  private static func style(_ modifier: String?) throws(Fault) -> Style {
    guard let modifier else { return .raw }
    guard let style = Style(rawValue: modifier) else {
      throw Fault(text: "{\(modifier)} is unknown; there are {raw}, {json}, {hex} and {base64}")
    }
    return style
  }

  /// The byte of an escape, whose backslash was consumed.
  static func escape(_ rest: inout ArraySlice<UInt8>) throws(Fault) -> UInt8 {
    switch rest.popFirst() {
    case UInt8(ascii: "n"): return 0x0A
    case UInt8(ascii: "r"): return 0x0D
    case UInt8(ascii: "t"): return 0x09
    case UInt8(ascii: "0"): return 0
    case UInt8(ascii: "\\"): return UInt8(ascii: "\\")
    case UInt8(ascii: "x"):
      let digits = String(decoding: rest.prefix(2), as: UTF8.self)
      guard digits.utf8.count == 2, let byte = UInt8(digits, radix: 16), !digits.hasPrefix("+")
      else { throw Fault(text: "\\x needs two hex digits") }
      rest = rest.dropFirst(2)
      return byte
    default: throw Fault(text: "unknown escape; there are \\n \\r \\t \\0 \\\\ and \\xXX")
    }
  }

  /// A text with escapes, such as a delimiter, as bytes.
  static func unescaped(_ text: String) throws(Fault) -> [UInt8] {
    var rest = Array(text.utf8)[...]
    var bytes: [UInt8] = []
    while let byte = rest.popFirst() {
      bytes.append(byte == UInt8(ascii: "\\") ? try escape(&rest) : byte)
    }
    return bytes
  }
}
