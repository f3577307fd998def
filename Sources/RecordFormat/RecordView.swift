public import MkstoreBytes

/// A view of one record in its batch's bytes: no byte is copied.
///
/// ```swift
/// var kept: [Record] = []
/// try batch.forEachRecord(&decoder) { record in
///   if record.hasKey { kept.append(Record(copying: record)) }
///   return true
/// }
/// ```
///
/// Lives as long as those bytes, so it cannot leave the closure that received it; `Record` is the
/// copy that can.
public struct RecordView: ~Escapable, BitwiseCopyable {
  @usableFromInline let bytes: Span<UInt8>
  @usableFromInline var fields: RecordFields

  @usableFromInline var shownOffset: Int64
  @usableFromInline var shownTimestamp: Int64
  /// What the timestamp means.
  public let timestampType: TimestampType

  @inlinable
  @inline(__always)
  @_lifetime(copy bytes)
  init(
    bytes: Span<UInt8>, fields: RecordFields, offset: Int64, timestamp: Int64,
    timestampType: TimestampType
  ) {
    self.bytes = bytes
    self.fields = fields
    shownOffset = offset
    shownTimestamp = timestamp
    self.timestampType = timestampType
  }

  /// A view for a walk over the records of `bytes`; it shows none before `show`.
  @inlinable
  @inline(__always)
  @_lifetime(copy bytes)
  init(walking bytes: Span<UInt8>, _ timestampType: TimestampType) {
    self.init(
      bytes: bytes, fields: .none, offset: -1, timestamp: -1, timestampType: timestampType)
  }

  /// Shows another record of the same bytes. One view serves a whole walk: destroying the view
  /// emits a no-op call that spills it from registers, which cost a third of a scan.
  @inlinable
  @inline(__always)
  @_lifetime(self: copy self)
  mutating func show(_ fields: RecordFields, offset: Int64, timestamp: Int64) {
    self.fields = fields
    shownOffset = offset
    shownTimestamp = timestamp
  }

  /// The record's offset in its log.
  @inlinable
  public var offset: Int64 { shownOffset }

  /// Milliseconds since 1970, LogAppendTime resolved; −1 for none.
  @inlinable
  public var timestamp: Int64 { shownTimestamp }

  /// The key, or nil for null.
  @inlinable
  public var key: Span<UInt8>? {
    @_lifetime(copy self)
    get {
      guard fields.keyCount >= 0 else { return nil }
      return bytes.extracting(fields.keyStart..<fields.keyStart &+ fields.keyCount)
    }
  }

  /// Whether there is a key, even an empty one.
  @inlinable
  public var hasKey: Bool { fields.keyCount >= 0 }

  /// The value, or nil for null (a tombstone on compacted topics).
  @inlinable
  public var value: Span<UInt8>? {
    @_lifetime(copy self)
    get {
      guard fields.valueCount >= 0 else { return nil }
      return bytes.extracting(fields.valueStart..<fields.valueStart &+ fields.valueCount)
    }
  }

  /// Headers of the record; names may repeat.
  @inlinable
  public var headerCount: Int { fields.headerCount }

  /// The record's body as stored: what its length field counts.
  @inlinable
  public var bodyBytes: Int { fields.end &- fields.bodyStart }

  /// Flags without a meaning in Kafka.
  @inlinable
  public var attributes: UInt8 { fields.attributes }

  /// As stored; the offset minus the batch's base offset. 0 in the old formats.
  @inlinable
  public var offsetDelta: Int32 { fields.offsetDelta }

  /// As stored, even if LogAppendTime overrides it. 0 in the old formats.
  @inlinable
  public var timestampDelta: Int64 { fields.timestampDelta }

  /// Calls `body` with the name and the value (nil for null) of each header, in order.
  @inlinable
  public func forEachHeader(_ body: (_ name: Span<UInt8>, _ value: Span<UInt8>?) -> Void) {
    var reader = ByteReader(bytes, at: fields.headersStart)
    for _ in 0..<fields.headerCount {
      // The record was read before, so each length exists and is within it; otherwise the headers
      // would end here.
      guard let nameCount = reader.readVarint32(), nameCount >= 0 else { return }
      let nameStart = reader.position
      guard reader.skip(Int(nameCount)), let valueCount = reader.readVarint32() else { return }
      let name = bytes.extracting(nameStart..<nameStart &+ Int(nameCount))
      guard valueCount >= 0 else {
        body(name, nil)
        continue
      }
      let valueStart = reader.position
      guard reader.skip(Int(valueCount)) else { return }
      body(name, bytes.extracting(valueStart..<valueStart &+ Int(valueCount)))
    }
  }

  /// Whether the name of every header is UTF-8, as Kafka's rules require.
  var hasTextualHeaderNames: Bool {
    var isText = true
    forEachHeader { name, _ in
      if (try? UTF8Span(validating: name)) == nil { isText = false }
    }
    return isText
  }
}
