import RecordFormat

/// One record as a line of NDJSON gives it; key and value stand in the reader's scratch.
struct NDJSONRecord: Equatable {
  /// Milliseconds since 1970; nil where the line has none.
  var timestamp: Int64?
  /// Where the key stands; nil for null.
  var key: Range<Int>?
  /// Where the value stands; nil for null.
  var value: Range<Int>?
  var headers: [RecordHeader] = []
}
