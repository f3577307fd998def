import MkstoreBytes

/// Text of a small file of ours, with its CRC-32C in the first line (docs/format.md#mkstoretopic).
///
/// Operators may write and edit such a file: without the line it is accepted as it is. A file that
/// contains a part of the line anywhere must begin with a right one. So a flipped bit cannot make
/// it look written by hand, and a truncation cannot drop the line.
struct CheckedText: Sendable, Equatable {
  /// What the first line proves about the text.
  enum Check: Sendable, Equatable {
    /// The CRC is right.
    case right
    /// There is no CRC: the file is in the old form, or was written by hand.
    case missing
    /// The CRC is wrong, or not where it belongs.
    case wrong
  }

  /// The text without the line of the CRC.
  let text: [UInt8]
  /// Whether the text is unchanged since it was written.
  let check: Check

  private static let label = Array("#crc32c: ".utf8)
  private static let remark = " of what follows; remove this line after a change by hand"
  private static let digits = 8

  /// Splits a file's content.
  init(_ bytes: [UInt8]) {
    // Either half of the line proves that there was one.
    guard Self.contains(Self.label, bytes) || Self.contains(Array(Self.remark.utf8), bytes) else {
      (text, check) = (bytes, .missing)
      return
    }
    let end = bytes.firstIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? bytes.count
    let rest = Array(bytes[end...])
    let stated = bytes[..<end].dropFirst(Self.label.count).prefix(Self.digits)
    let isRight =
      bytes.starts(with: Self.label) && Array(stated) == Self.hex(CRC32C.checksum(rest.span))
    text = bytes.first == UInt8(ascii: "#") ? rest : bytes
    check = isRight ? .right : .wrong
  }

  /// A file's content: the line of the CRC, and `text`.
  static func encode(_ text: [UInt8]) -> [UInt8] {
    label + hex(CRC32C.checksum(text.span)) + Array(remark.utf8) + [UInt8(ascii: "\n")] + text
  }

  private static func hex(_ value: UInt32) -> [UInt8] {
    let text = String(value, radix: 16)
    return Array((String(repeating: "0", count: digits - text.utf8.count) + text).utf8)
  }

  private static func contains(_ part: [UInt8], _ bytes: [UInt8]) -> Bool {
    guard part.count <= bytes.count else { return false }
    return (0...bytes.count - part.count).contains { bytes[$0...].starts(with: part) }
  }
}
