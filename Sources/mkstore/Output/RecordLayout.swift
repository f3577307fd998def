import ArgumentParser

/// How `fetch` prints a record.
enum RecordLayout: Sendable {
  /// `--output`.
  enum Name: String, ExpressibleByArgument, CaseIterable, Sendable {
    /// The value and a line end; before it the key and a delimiter, if one is given.
    case lines
    /// The values' bytes with nothing between them.
    case raw
    /// One JSON object per line.
    case ndjson
    /// Offset, timestamp, key and value in hex, tabs between them.
    case hex
    /// Length-prefixed key and value, as `append --input binary` reads them.
    case binary
  }

  /// Value (and key) unchanged, with a line end.
  case lines(keyDelimiter: [UInt8]?, null: [UInt8])
  /// Values and nothing else.
  case raw
  /// Objects; `isTagged` adds schema and type.
  case ndjson(ByteEncoding, isTagged: Bool)
  /// Columns in hex.
  case hex
  /// Int32 big-endian length (−1 for null) and bytes, of the key and then of the value.
  case binary
  /// A kcat-style format string.
  case format(FormatString, null: [UInt8])
}
