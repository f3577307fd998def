/// A field of a batch's header or of a record that may be wrong, by Kafka's name.
///
/// ```swift
/// do {
///   _ = try BatchHeader(bytes.span)
/// } catch .header(let field, let position, let found, _) {
///   print("\(field) at byte \(position) is \(found)")  // magic at byte 16 is 3
/// }
/// ```
public enum BatchField: String, Sendable, CustomStringConvertible {
  /// Offset of a batch's first record.
  case baseOffset
  /// Bytes after the length field itself.
  case batchLength
  /// Version of the format.
  case magic
  /// Codec and flags.
  case attributes
  /// Last offset minus the base offset.
  case lastOffsetDelta
  /// Base of timestamp deltas.
  case baseTimestamp
  /// The producer, if known.
  case producerId
  /// The producer's generation.
  case producerEpoch
  /// Sequence number of the first record.
  case baseSequence
  /// Number of records present.
  case recordCount
  /// Bytes of a record after the length field itself.
  case recordLength
  /// A record's time minus the base timestamp.
  case timestampDelta
  /// A record's offset minus the base offset.
  case offsetDelta
  /// A record's key.
  case key
  /// A record's value.
  case value
  /// Number of a record's headers.
  case headerCount
  /// A header's name.
  case headerKey
  /// A header's value.
  case headerValue
  /// Key of a control record: version and type.
  case controlKey
  /// Value of a control record.
  case controlValue
  /// Offset of a message of the old formats.
  case messageOffset
  /// Size of a message of the old formats.
  case messageSize

  /// The name.
  public var description: String { rawValue }
}
