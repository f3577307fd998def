import RecordFormat

/// One record of a line of NDJSON; key and value are in the reader's scratch.
struct NDJSONRecord: Equatable {
  /// Milliseconds since 1970; nil if the line has none.
  var timestamp: Int64?
  /// Range of the key; nil for null.
  var key: Range<Int>?
  /// Range of the value; nil for null.
  var value: Range<Int>?
  var headers: [RecordHeader] = []
}
