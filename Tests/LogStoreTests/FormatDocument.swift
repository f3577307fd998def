import Foundation

/// docs/format.md as a test reads it: its byte tables, hex dumps and sample files.
struct FormatDocument {
  /// A row of a byte table.
  struct Field: Equatable {
    var at: Int
    var bytes: Int
    var name: String
    var type: String
  }

  /// A line of a hex dump: bytes, and what the document says they mean.
  struct DumpLine {
    var bytes: [UInt8]
    var meaning: String
  }

  private let lines: [String]

  init() throws {
    let path = SharedVectors.packageRoot + "/docs/format.md"
    lines = try String(contentsOfFile: path, encoding: .utf8)
      .split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
  }

  /// The byte table under a heading.
  func table(_ heading: String) throws -> [Field] {
    let rows = try section(heading).compactMap { line -> Field? in
      let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
      guard cells.count >= 4, let at = Int(cells[0]), let bytes = Int(cells[1]) else { return nil }
      return Field(at: at, bytes: bytes, name: cells[2], type: cells[3])
    }
    guard !rows.isEmpty else { throw Missing(what: "a byte table under \(heading)") }
    return rows
  }

  /// The lines of the block marked `info`, such as "hex index".
  func block(_ info: String) throws -> [String] {
    guard let start = lines.firstIndex(where: { $0 == "```\(info)" }),
      let end = lines[(start + 1)...].firstIndex(of: "```")
    else { throw Missing(what: "a block marked \(info)") }
    return Array(lines[(start + 1)..<end])
  }

  /// A block of hex digits with meanings behind three spaces or more.
  func dump(_ info: String) throws -> [DumpLine] {
    try block(info).map { line in
      guard let gap = line.range(of: "   ") else { throw Missing(what: "a meaning in '\(line)'") }
      let digits = line[..<gap.lowerBound].filter { $0 != " " }
      let bytes = stride(from: 0, to: digits.count, by: 2).map { start in
        let from = digits.index(digits.startIndex, offsetBy: start)
        return UInt8(digits[from..<digits.index(from, offsetBy: 2)], radix: 16)
      }
      guard !bytes.contains(nil) else { throw Missing(what: "hex digits in '\(line)'") }
      return DumpLine(
        bytes: bytes.compactMap { $0 },
        meaning: line[gap.upperBound...].trimmingCharacters(in: .whitespaces))
    }
  }

  /// The lines up to the next heading of the same or a higher level.
  private func section(_ heading: String) throws -> ArraySlice<String> {
    guard let start = lines.firstIndex(of: "## \(heading)") else {
      throw Missing(what: "a heading \(heading)")
    }
    let rest = lines[(start + 1)...]
    return rest[..<(rest.firstIndex { $0.hasPrefix("## ") } ?? rest.endIndex)]
  }

  /// What the document lacks.
  struct Missing: Error {
    var what: String
  }
}

extension [FormatDocument.DumpLine] {
  /// All bytes of a dump.
  var bytes: [UInt8] { flatMap(\.bytes) }

  /// The meanings of a dump whose lines say "field value".
  var values: [String: String] {
    Dictionary(
      map { line in
        let words = line.meaning.split(separator: " ")
        return (String(words[0]), words.count > 1 ? String(words[1]) : "")
      }, uniquingKeysWith: { $1 })
  }
}
