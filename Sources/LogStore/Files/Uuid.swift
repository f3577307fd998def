/// Kafka's 128-bit identifier of topics, directories and clusters, written as 22 characters of
/// URL-safe base64 without padding (`org.apache.kafka.common.Uuid`).
package struct Uuid: Hashable, Sendable, CustomStringConvertible {
  /// The first eight bytes, big-endian.
  package var high: UInt64
  /// The last eight bytes, big-endian.
  package var low: UInt64

  /// Means "none"; never an actual id.
  package static let zero = Uuid(high: 0, low: 0)

  /// Memberwise.
  package init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  /// Reads the 22 characters; nil for anything else.
  package init?(_ text: some StringProtocol) {
    let digits = Array(text.utf8)
    guard digits.count == Self.digitCount else { return nil }
    var value = Self.zero
    for digit in digits.dropLast() {
      guard let sextet = Self.alphabet.firstIndex(of: digit) else { return nil }
      value.shiftIn(UInt64(sextet), bits: 6)
    }
    // 128 bits are 21 digits and the upper two bits of the last one.
    guard let last = Self.alphabet.firstIndex(of: digits[Self.digitCount - 1]) else { return nil }
    value.shiftIn(UInt64(last >> 4), bits: 2)
    self = value
  }

  /// A new version 4 identifier whose text does not start with a dash, as Kafka's `randomUuid`.
  package static func random(using generator: inout some RandomNumberGenerator) -> Uuid {
    while true {
      var uuid = Uuid(high: generator.next(), low: generator.next())
      uuid.high = uuid.high & ~0xF000 | 0x4000
      uuid.low = uuid.low & ~(3 << 62) | 1 << 63
      if !uuid.description.hasPrefix("-") { return uuid }
    }
  }

  /// The 22 characters.
  package var description: String {
    var rest = self
    var digits: [UInt8] = []
    for _ in 0..<Self.digitCount {
      digits.append(Self.alphabet[Int(rest.high >> 58)])
      rest.shiftIn(0, bits: 6)
    }
    return String(decoding: digits, as: UTF8.self)
  }

  private mutating func shiftIn(_ value: UInt64, bits: UInt64) {
    high = high << bits | low >> (64 - bits)
    low = low << bits | value
  }

  private static let digitCount = 22
  private static let alphabet = Array(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
}
