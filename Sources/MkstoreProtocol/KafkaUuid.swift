/// A 128-bit id as Kafka carries it: topic ids, mostly.
///
/// Zero means "none", as in Kafka's `Uuid.ZERO_UUID`.
public struct KafkaUuid: Sendable, Hashable {
  /// The most significant eight bytes.
  public var high: UInt64

  /// The least significant eight bytes.
  public var low: UInt64

  /// Takes the two halves; by default both are zero.
  public init(high: UInt64 = 0, low: UInt64 = 0) {
    self.high = high
    self.low = low
  }

  /// Whether this is the id that means "none".
  public var isZero: Bool { high == 0 && low == 0 }
}

extension KafkaUuid: CustomStringConvertible {
  private static let digits = Array(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

  /// Kafka's text form: 22 characters of URL-safe base64 without padding.
  public var description: String {
    // 128 bits are 21 groups of six and one of two, which is written as its six upper bits.
    let number = UInt128(high) << 64 | UInt128(low)
    var text: [UInt8] = []
    for group in 0..<21 {
      text.append(Self.digits[Int(truncatingIfNeeded: number >> (122 - 6 * group)) & 63])
    }
    text.append(Self.digits[Int(truncatingIfNeeded: number << 4) & 63])
    return String(decoding: text, as: UTF8.self)
  }
}
