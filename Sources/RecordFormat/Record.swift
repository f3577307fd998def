import MkstoreBytes

/// One record that owns its bytes.
///
/// ```swift
/// for record in try batch.records(&decoder) {
///   print(record.offset, String(decoding: record.value ?? [], as: UTF8.self))
/// }
/// ```
public struct Record: Sendable, Equatable {
  /// The record's offset in its log.
  public var offset: Int64
  /// Milliseconds since 1970; −1 for none.
  public var timestamp: Int64
  /// What the timestamp means.
  public var timestampType: TimestampType
  /// The key, or nil for null.
  public var key: [UInt8]?
  /// The value, or nil for null.
  public var value: [UInt8]?
  /// The headers, in order; names may repeat.
  public var headers: [RecordHeader]
  /// The content of a control record; nil for the records of consumers.
  public var control: ControlRecord?

  /// A record from its parts.
  public init(
    offset: Int64, timestamp: Int64, timestampType: TimestampType = .createTime, key: [UInt8]?,
    value: [UInt8]?, headers: [RecordHeader] = [], control: ControlRecord? = nil
  ) {
    self.offset = offset
    self.timestamp = timestamp
    self.timestampType = timestampType
    self.key = key
    self.value = value
    self.headers = headers
    self.control = control
  }

  /// Copies `view`; `control` stays nil.
  public init(copying view: borrowing RecordView) {
    var headers: [RecordHeader] = []
    headers.reserveCapacity(view.headerCount)
    view.forEachHeader { name, value in
      headers.append(RecordHeader(name: [UInt8](copying: name), value: copy(value)))
    }
    self.init(
      offset: view.offset, timestamp: view.timestamp, timestampType: view.timestampType,
      key: copy(view.key), value: copy(view.value), headers: headers)
  }
}

private func copy(_ bytes: Span<UInt8>?) -> [UInt8]? {
  guard let bytes else { return nil }
  return [UInt8](copying: bytes)
}
