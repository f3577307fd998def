/// The attributes of a batch: a codec and flags. Kafka ignores the bits that have no meaning.
///
/// ```swift
/// let attributes = try BatchHeader(bytes.span).attributes
/// if attributes.isTransactional { print("part of a transaction, \(attributes.timestampType)") }
/// ```
public struct BatchAttributes: RawRepresentable, Sendable, Equatable, BitwiseCopyable {
  /// As stored; one byte wide in the old formats.
  public var rawValue: Int16

  /// Takes the stored value as it is.
  @inlinable
  public init(rawValue: Int16) { self.rawValue = rawValue }

  /// Bits 0–2: the codec.
  static let codecMask: Int16 = 0x07
  static let logAppendTime: Int16 = 0x08
  static let transactional: Int16 = 0x10
  static let control: Int16 = 0x20
  static let deleteHorizon: Int16 = 0x40
  package static let used: Int16 = 0x7f

  /// Bits 0–2; nil for 5, 6 and 7, which name no codec.
  public var codec: CompressionCodec? {
    CompressionCodec(rawValue: Int8(rawValue & BatchAttributes.codecMask))
  }

  /// Bit 3.
  public var timestampType: TimestampType {
    rawValue & BatchAttributes.logAppendTime == 0 ? .createTime : .logAppendTime
  }

  /// Bit 4: part of a transaction.
  public var isTransactional: Bool { rawValue & BatchAttributes.transactional != 0 }

  /// Bit 5: one control record, not for consumers.
  public var isControl: Bool { rawValue & BatchAttributes.control != 0 }

  /// Bit 6: the base timestamp holds a delete horizon.
  public var hasDeleteHorizon: Bool { rawValue & BatchAttributes.deleteHorizon != 0 }
}
