import MkstoreBytes
import RecordFormat

/// Reads records from lines of NDJSON: `{"key":…,"value":…,"headers":…,"timestamp":…}`, each field
/// optional.
///
/// Strings are decoded by the encoding; any other value is used as its exact JSON text. The
/// additional fields that `fetch` writes are ignored, so that its output can be appended. An
/// unknown field is refused, because a mistyped name would lose data. Owned by one thread.
struct NDJSONReader: ~Copyable {
  private let encoding: ByteEncoding
  private var scratch = ByteScratch()

  /// Reads strings by `encoding`.
  init(_ encoding: ByteEncoding) { self.encoding = encoding }

  /// Bytes of a key or value of the last record; nil for null.
  @_lifetime(borrow self)
  borrowing func bytes(_ range: Range<Int>?) -> Span<UInt8>? {
    guard let range else { return nil }
    return scratch.bytes(range)
  }

  /// The fields of a record.
  private enum Field: String, CaseIterable {
    case key, value, headers, timestamp
    // Written by fetch.
    case offset, timestampType, control, schema, type
  }

  /// Reads one line; nil for an empty one.
  mutating func read(_ line: Span<UInt8>) throws(InputFault) -> NDJSONRecord? {
    scratch.reset()
    var scanner = JSONScanner()
    guard scanner.peek(line) != nil else { return nil }
    try NDJSONReader.checkUTF8(line)
    guard scanner.take("{", line) else { throw scanner.unexpected("an object ('{')", line) }
    var record = NDJSONRecord()
    var seen: UInt16 = 0
    if !scanner.take("}", line) {
      repeat {
        let field = try name(&scanner, line, &seen)
        try read(field, &scanner, line, into: &record)
      } while scanner.take(",", line)
      try scanner.expect("}", "or ',' after a field", line)
    }
    if scanner.peek(line) != nil { throw scanner.unexpected("the end of the line", line) }
    return record
  }

  private static func checkUTF8(_ line: Span<UInt8>) throws(InputFault) {
    for index in line.indices where line[index] >= 0x80 {
      // Rare, so it is checked once, from the first such byte on.
      return try checkUTF8(line, from: index)
    }
  }

  private static func checkUTF8(_ line: Span<UInt8>, from start: Int) throws(InputFault) {
    var position = start
    while position < line.count {
      guard line[position] >= 0x80 else {
        position += 1
        continue
      }
      let sequence = UTF8Sequence(line, at: position)
      guard sequence.isValid else {
        throw InputFault(
          position, "no UTF-8; JSON is UTF-8, so use --encoding hex or base64 for other bytes")
      }
      position += sequence.byteCount
    }
  }

  /// Reads a field's name and the colon.
  private func name(
    _ scanner: inout JSONScanner, _ line: Span<UInt8>, _ seen: inout UInt16
  ) throws(InputFault) -> Field {
    let text = try scanner.text("a field's name in quotation marks", line)
    let name = try NDJSONReader.string(text, line)
    guard let field = Field(rawValue: name), let index = Field.allCases.firstIndex(of: field)
    else {
      throw InputFault(
        text.range.lowerBound,
        "unknown field \"\(name)\"; a record has key, value, headers and "
          + "timestamp (to append whole lines as they are, use --input lines)")
    }
    guard seen & 1 << index == 0 else {
      throw InputFault(text.range.lowerBound, "field \"\(name)\" comes twice")
    }
    seen |= 1 << index
    try scanner.expect(":", "after a field's name", line)
    return field
  }

  private static func string(
    _ text: JSONScanner.Text, _ line: Span<UInt8>
  ) throws(InputFault) -> String {
    guard text.hasEscapes else {
      return String(decoding: [UInt8](copying: line.extracting(text.range)), as: UTF8.self)
    }
    var scratch = ByteScratch()
    let range = try scratch.append(text, of: line, as: .utf8)
    return String(decoding: [UInt8](copying: scratch.bytes(range)), as: UTF8.self)
  }

  private mutating func read(
    _ field: Field, _ scanner: inout JSONScanner, _ line: Span<UInt8>,
    into record: inout NDJSONRecord
  ) throws(InputFault) {
    switch field {
    case .key: record.key = try bytes(&scanner, line)
    case .value: record.value = try bytes(&scanner, line)
    case .timestamp: record.timestamp = try timestamp(&scanner, line)
    case .headers: record.headers = try headers(&scanner, line)
    case .offset, .timestampType, .schema: _ = try scanner.value(line)
    case .control:
      let value = try scanner.value(line)
      guard NDJSONReader.isNull(line, value) else {
        throw InputFault(value.lowerBound, "control records cannot be appended")
      }
    case .type:
      let value = try scanner.value(line)
      let type = String(decoding: [UInt8](copying: line.extracting(value)), as: UTF8.self)
      guard type == "\"record\"" else {
        throw InputFault(value.lowerBound, "an object of type \(type) is not a record")
      }
    }
  }

  /// Bytes of a key, value or header; nil for null.
  private mutating func bytes(
    _ scanner: inout JSONScanner, _ line: Span<UInt8>
  ) throws(InputFault) -> Range<Int>? {
    if scanner.peek(line) == UInt8(ascii: "\"") {
      return try scratch.append(scanner.text("a string", line), of: line, as: encoding)
    }
    let value = try scanner.value(line)
    if NDJSONReader.isNull(line, value) { return nil }
    let start = scratch.count
    scratch.append(line.extracting(value))
    return start..<scratch.count
  }

  private static func isNull(_ line: Span<UInt8>, _ value: Range<Int>) -> Bool {
    line[value.lowerBound] == UInt8(ascii: "n")
  }

  /// Milliseconds, or a string in RFC 3339; nil for null.
  private func timestamp(
    _ scanner: inout JSONScanner, _ line: Span<UInt8>
  ) throws(InputFault) -> Int64? {
    let value = try scanner.value(line)
    if NDJSONReader.isNull(line, value) { return nil }
    let text = String(decoding: [UInt8](copying: line.extracting(value)), as: UTF8.self)
    let milliseconds =
      text.hasPrefix("\"")
      ? RFC3339.milliseconds(String(text.dropFirst().dropLast())) : Int64(text)
    guard let milliseconds else {
      throw InputFault(
        value.lowerBound,
        "\(text) is not a timestamp; whole milliseconds since 1970 (of 64 bits, negative before "
          + "1970, -1 for no time) or RFC 3339 are expected")
    }
    return milliseconds
  }

  // MARK: Headers

  /// A list of [name, value] pairs, or an object of names and values.
  private mutating func headers(
    _ scanner: inout JSONScanner, _ line: Span<UInt8>
  ) throws(InputFault) -> [RecordHeader] {
    var headers: [RecordHeader] = []
    switch scanner.peek(line) {
    case UInt8(ascii: "["):
      _ = scanner.take("[", line)
      if scanner.take("]", line) { return [] }
      repeat {
        try scanner.expect("[", "of a header's [name, value] pair", line)
        let name = try headerName(&scanner, line)
        try scanner.expect(",", "between a header's name and value", line)
        headers.append(RecordHeader(name: name, value: try headerValue(&scanner, line)))
        try scanner.expect("]", "after a header's value", line)
      } while scanner.take(",", line)
      try scanner.expect("]", "or ',' after a header", line)
    case UInt8(ascii: "{"):
      _ = scanner.take("{", line)
      if scanner.take("}", line) { return [] }
      repeat {
        let name = try headerName(&scanner, line)
        try scanner.expect(":", "after a header's name", line)
        headers.append(RecordHeader(name: name, value: try headerValue(&scanner, line)))
      } while scanner.take(",", line)
      try scanner.expect("}", "or ',' after a header", line)
    default:
      let value = try scanner.value(line)
      guard NDJSONReader.isNull(line, value) else {
        throw InputFault(value.lowerBound, "headers are a list of [name, value] pairs")
      }
    }
    return headers
  }

  private mutating func headerName(
    _ scanner: inout JSONScanner, _ line: Span<UInt8>
  ) throws(InputFault) -> [UInt8] {
    let text = try scanner.text("a header's name in quotation marks", line)
    let range = try scratch.append(text, of: line, as: encoding)
    return [UInt8](copying: scratch.bytes(range))
  }

  private mutating func headerValue(
    _ scanner: inout JSONScanner, _ line: Span<UInt8>
  ) throws(InputFault) -> [UInt8]? {
    try bytes(&scanner, line).map { [UInt8](copying: scratch.bytes($0)) }
  }
}
