/// Where the parts of one record stand in the bytes that hold it.
@usableFromInline
struct RecordFields {
  /// First byte after the length field.
  @usableFromInline var bodyStart = 0
  @usableFromInline var end = 0
  @usableFromInline var attributes: UInt8 = 0
  @usableFromInline var timestampDelta: Int64 = 0
  @usableFromInline var offsetDelta: Int32 = 0
  @usableFromInline var keyStart = 0
  /// −1 for null.
  @usableFromInline var keyCount = -1
  @usableFromInline var valueStart = 0
  /// −1 for null.
  @usableFromInline var valueCount = -1
  /// First byte after the header count.
  @usableFromInline var headersStart = 0
  @usableFromInline var headerCount = 0

  @inlinable init() {}
}
