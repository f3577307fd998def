/// Oddities of a batch that can be read anyway: Kafka accepts it, so readers do too, and report
/// them.
///
/// ```swift
/// var decoder = RecordDecoder(tolerance: .kafka)
/// let findings = try batch.validate(.stored, decoder: &decoder).findings
/// for text in findings.descriptions { print(text) }
/// ```
public struct BatchFindings: OptionSet, Sendable, Hashable, BitwiseCopyable {
  /// One bit for each kind.
  public let rawValue: UInt16

  /// Takes bits as they are.
  @inlinable
  public init(rawValue: UInt16) { self.rawValue = rawValue }

  /// Attribute bits without a meaning are set.
  public static let unusedAttributeBits = BatchFindings(rawValue: 1 << 0)
  /// Attributes of a record, which have no meaning, are not 0.
  public static let unusedRecordAttributes = BatchFindings(rawValue: 1 << 1)
  /// A variable-length integer is longer than it needs to be.
  public static let paddedVarints = BatchFindings(rawValue: 1 << 2)
  /// A length below −1 means null; accepted only with `RecordDecoder.Tolerance.kafka`.
  public static let negativeLengths = BatchFindings(rawValue: 1 << 3)
  /// A header's name is not UTF-8.
  public static let headerNameNotUTF8 = BatchFindings(rawValue: 1 << 4)
  /// Bytes follow the compressed stream; accepted only with `RecordDecoder.Tolerance.kafka`.
  public static let bytesAfterStream = BatchFindings(rawValue: 1 << 5)
  /// The header's largest timestamp is not that of the records.
  public static let maxTimestampWrong = BatchFindings(rawValue: 1 << 6)
  /// A timestamp exceeds 64 bits and wrapped around.
  public static let timestampOverflow = BatchFindings(rawValue: 1 << 7)
  /// LZ4 blocks refer to earlier ones, which Kafka's own reader refuses.
  public static let linkedLZ4Blocks = BatchFindings(rawValue: 1 << 8)
  /// The version in snappy's framing is not 1; accepted only with `RecordDecoder.Tolerance.kafka`.
  public static let snappyVersion = BatchFindings(rawValue: 1 << 9)
  /// There is a producer id, but no sequence number.
  public static let sequenceMissing = BatchFindings(rawValue: 1 << 10)
  /// A compressed set of the old formats does not state the offset of its last message.
  public static let legacyOffsetWrong = BatchFindings(rawValue: 1 << 11)

  /// An LZ4 frame names a dictionary, a bit that must be 0 for Kafka's own reader.
  public static let lz4DictionaryId = BatchFindings(rawValue: 1 << 12)
  /// An empty LZ4 block comes before others; Kafka's own reader ends there.
  public static let emptyLZ4Block = BatchFindings(rawValue: 1 << 13)

  /// Oddities that Kafka's own readers cannot read: stored batches with them are read, produced
  /// ones refused.
  static let unreadableLZ4: BatchFindings = [.linkedLZ4Blocks, .lz4DictionaryId, .emptyLZ4Block]

  /// One clause for people for each oddity found, in a fixed order.
  public var descriptions: [String] {
    BatchFindings.texts.filter { contains($0.0) }.map(\.1)
  }

  private static let texts: [(BatchFindings, String)] = [
    (.unusedAttributeBits, "unused attribute bits are set"),
    (.unusedRecordAttributes, "unused record attributes are set"),
    (.paddedVarints, "integers are longer than needed"),
    (.negativeLengths, "a length below -1 is taken for null"),
    (.headerNameNotUTF8, "a header name is not UTF-8"),
    (.bytesAfterStream, "bytes follow the compressed stream"),
    (.maxTimestampWrong, "maxTimestamp is not the largest timestamp"),
    (.timestampOverflow, "a timestamp wraps around"),
    (.linkedLZ4Blocks, "LZ4 blocks are linked, which Kafka cannot read"),
    (.snappyVersion, "the snappy framing has another version than 1"),
    (.sequenceMissing, "a producer id without a sequence number"),
    (.legacyOffsetWrong, "a compressed set does not state its last message's offset"),
    (.lz4DictionaryId, "an LZ4 frame names a dictionary, which Kafka cannot read"),
    (.emptyLZ4Block, "an LZ4 block holds nothing, and Kafka reads none after it"),
  ]
}
