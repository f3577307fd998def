/// A field of a batch's header or of a record, by Kafka's name; errors say which one is wrong.
public enum BatchField: String, Sendable, CustomStringConvertible {
  /// Offset of a batch's first record.
  case baseOffset
  /// Bytes after the length field itself.
  case batchLength
  /// Epoch of the leader that took the batch.
  case partitionLeaderEpoch
  /// Version of the format.
  case magic
  /// The checksum.
  case crc
  /// Codec and flags.
  case attributes
  /// Last offset less the base offset.
  case lastOffsetDelta
  /// Where timestamp deltas count from.
  case baseTimestamp
  /// The largest timestamp.
  case maxTimestamp
  /// Who produced it, where known.
  case producerId
  /// The producer's generation.
  case producerEpoch
  /// Sequence number of the first record.
  case baseSequence
  /// Number of records present.
  case recordCount
  /// All records together.
  case records
  /// Bytes of a record after the length field itself.
  case recordLength
  /// A record's unused flags.
  case recordAttributes
  /// A record's time less the base timestamp.
  case timestampDelta
  /// A record's offset less the base offset.
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
