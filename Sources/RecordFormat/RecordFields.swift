/// Positions of the parts of one record in its bytes.
///
/// Made at once from values and never changed, so that the optimizer keeps it in registers.
@usableFromInline
struct RecordFields: BitwiseCopyable {
  /// First byte after the length field.
  @usableFromInline let bodyStart: Int
  @usableFromInline let end: Int
  @usableFromInline let attributes: UInt8
  @usableFromInline let timestampDelta: Int64
  @usableFromInline let offsetDelta: Int32
  @usableFromInline let keyStart: Int
  /// −1 for null.
  @usableFromInline let keyCount: Int
  @usableFromInline let valueStart: Int
  /// −1 for null.
  @usableFromInline let valueCount: Int
  /// First byte after the header count.
  @usableFromInline let headersStart: Int
  @usableFromInline let headerCount: Int

  @inlinable
  @inline(__always)
  init(
    bodyStart: Int, end: Int, attributes: UInt8, timestampDelta: Int64, offsetDelta: Int32,
    key: (start: Int, count: Int), value: (start: Int, count: Int),
    headers: (start: Int, count: Int)
  ) {
    self.bodyStart = bodyStart
    self.end = end
    self.attributes = attributes
    self.timestampDelta = timestampDelta
    self.offsetDelta = offsetDelta
    (keyStart, keyCount) = key
    (valueStart, valueCount) = value
    (headersStart, headerCount) = headers
  }

  /// No record.
  @inlinable
  static var none: RecordFields {
    RecordFields(
      bodyStart: 0, end: 0, attributes: 0, timestampDelta: 0, offsetDelta: 0, key: (0, -1),
      value: (0, -1), headers: (0, 0))
  }
}
