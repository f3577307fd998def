/// Positions of the fields of a batch of magic 2, in bytes from its first byte; docs/format.md has
/// a table.
///
/// ```swift
/// let magic = bytes[BatchLayout.magic]
/// let records = bytes[BatchLayout.records...]
/// ```
public enum BatchLayout {
  /// Int64: offset of the first record. Not covered by the CRC.
  public static let baseOffset = 0
  /// Int32: bytes that follow this field. Not covered by the CRC.
  public static let batchLength = 8
  /// Int32: written by the log that accepted the batch. Not covered by the CRC.
  public static let partitionLeaderEpoch = 12
  /// Int8: 2; at the same position in the old formats. Not covered by the CRC.
  public static let magic = 16
  /// UInt32: CRC-32C of everything from `attributes` on.
  public static let crc = 17
  /// Int16: codec and flags.
  public static let attributes = 21
  /// Int32: last offset minus the base offset.
  public static let lastOffsetDelta = 23
  /// Int64: base of the timestamp deltas, or the delete horizon.
  public static let baseTimestamp = 27
  /// Int64: largest timestamp, or the append time.
  public static let maxTimestamp = 35
  /// Int64: −1 for none.
  public static let producerId = 43
  /// Int16: −1 for none.
  public static let producerEpoch = 51
  /// Int32: −1 for none.
  public static let baseSequence = 53
  /// Int32: records present.
  public static let recordCount = 57
  /// The records, plain or as one compressed stream.
  public static let records = 61

  /// Bytes of the length field and those before it; `batchLength` counts from there.
  public static let lengthOverhead = 12
  /// The smallest `batchLength`: a header without records.
  public static let batchLengthMin = records - lengthOverhead
}

/// Positions of the fields of an entry of magic 0 and 1, in bytes from its first byte.
///
/// ```swift
/// let magic = bytes[LegacyLayout.magic]
/// let attributes = bytes[LegacyLayout.attributes]
/// ```
public enum LegacyLayout {
  /// Int64: the message's offset; for a compressed set that of its last message.
  public static let offset = 0
  /// Int32: bytes that follow this field.
  public static let messageSize = 8
  /// UInt32: CRC-32 (IEEE) of everything from `magic` on.
  public static let crc = 12
  /// Int8: 0 or 1.
  public static let magic = 16
  /// Int8: codec and timestamp type.
  public static let attributes = 17
  /// Int64, magic 1 only.
  public static let timestamp = 18

  /// Position of the key's length.
  static func key(magic: Int8) -> Int { magic == 0 ? 18 : 26 }
  /// The smallest `messageSize`: no key, no value.
  static func messageSizeMin(magic: Int8) -> Int { magic == 0 ? 14 : 22 }
}
