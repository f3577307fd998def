import MkstoreBytes
import Testing

@Suite struct VarintTests {
  /// Values at which the length changes, as in Kafka's ByteUtilsTest.
  static let edges32: [(Int32, [UInt8])] = [
    (0, [0x00]), (-1, [0x01]), (1, [0x02]), (63, [0x7E]), (-64, [0x7F]), (64, [0x80, 0x01]),
    (-65, [0x81, 0x01]), (8191, [0xFE, 0x7F]), (-8192, [0xFF, 0x7F]), (8192, [0x80, 0x80, 0x01]),
    (1_048_575, [0xFE, 0xFF, 0x7F]), (1_048_576, [0x80, 0x80, 0x80, 0x01]),
    (134_217_727, [0xFE, 0xFF, 0xFF, 0x7F]), (134_217_728, [0x80, 0x80, 0x80, 0x80, 0x01]),
    (Int32.max, [0xFE, 0xFF, 0xFF, 0xFF, 0x0F]), (Int32.min, [0xFF, 0xFF, 0xFF, 0xFF, 0x0F]),
  ]

  static let edges64: [(Int64, [UInt8])] =
    edges32.map { (Int64($0.0), $0.1) } + [
      (17_179_869_183, [0xFE, 0xFF, 0xFF, 0xFF, 0x7F]),
      (17_179_869_184, [0x80, 0x80, 0x80, 0x80, 0x80, 0x01]),
      (Int64.max, [0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01]),
      (Int64.min, [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01]),
    ]

  @Test(arguments: edges32)
  func reads32Bits(value: Int32, bytes: [UInt8]) {
    var reader = ByteReader(bytes.span)
    let found = reader.readVarint32()
    let (remaining, isPadded) = (reader.remaining, reader.sawPaddedVarint)
    #expect(found == value && remaining == 0 && !isPadded)
  }

  @Test(arguments: edges64)
  func reads64Bits(value: Int64, bytes: [UInt8]) {
    var reader = ByteReader(bytes.span)
    let found = reader.readVarint64()
    let (remaining, isPadded) = (reader.remaining, reader.sawPaddedVarint)
    #expect(found == value && remaining == 0 && !isPadded)
  }

  @Test(arguments: edges32)
  func isTruncatedAtEveryShorterLength(value: Int32, bytes: [UInt8]) {
    for count in 0..<bytes.count {
      let cut = Array(bytes[..<count])
      var reader = ByteReader(cut.span)
      let found = reader.readVarint32()
      let position = reader.position
      #expect(found == nil && position == 0)
      #expect(Varint.fault(cut.span, at: 0, byteCountMax: 5) == .truncated)
    }
  }

  @Test func paddedFormsAreRead() {
    for padding in 1...4 {
      let bytes = [UInt8](arrayLiteral: 0x82) + [UInt8](repeating: 0x80, count: padding - 1) + [0]
      var reader = ByteReader(bytes.span)
      let value = reader.readVarint32()
      let (remaining, isPadded) = (reader.remaining, reader.sawPaddedVarint)
      #expect(value == 1, "\(padding) bytes more than needed")
      #expect(remaining == 0 && isPadded)
    }
    var reader = ByteReader([0x80, 0x01].span)
    let value = reader.readVarint32()
    let isPadded = reader.sawPaddedVarint
    #expect(value == 64 && !isPadded)
  }

  @Test(arguments: [
    ([0x80, 0x80, 0x80, 0x80, 0x10], 5, Varint.Fault.overflow),
    ([0xFF, 0xFF, 0xFF, 0xFF, 0x7F], 5, .overflow),
    ([0x80, 0x80, 0x80, 0x80, 0x80, 0x00], 5, .tooLong),
    ([0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x02], 10, .overflow),
    ([0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00], 10, .tooLong),
  ])
  func bitsBeyondTheTypeAreRefused(bytes: [UInt8], byteCountMax: Int, fault: Varint.Fault) {
    var reader = ByteReader(bytes.span)
    let found = byteCountMax == 5 ? reader.readVarint32().map(Int64.init) : reader.readVarint64()
    let position = reader.position
    #expect(found == nil && position == 0)
    #expect(Varint.fault(bytes.span, at: 0, byteCountMax: byteCountMax) == fault)
  }

  @Test func everyPowerOfTwoAndItsNeighboursAreRead() {
    for shift in 0..<64 {
      for value in [Int64(bitPattern: 1 << shift), Int64(bitPattern: (1 << shift) &- 1)] {
        for value in [value, 0 &- value, value &+ 1] {
          let bytes = encoded(value)
          var reader = ByteReader(bytes.span)
          let found = reader.readVarint64()
          #expect(found == value)
          guard let small = Int32(exactly: value) else { continue }
          reader = ByteReader(bytes.span)
          let foundSmall = reader.readVarint32()
          #expect(foundSmall == small)
        }
      }
    }
  }

  /// The zig-zag by division, then digits of base 128.
  private func encoded(_ value: Int64) -> [UInt8] {
    var rest: UInt64 = value < 0 ? UInt64(-1 - value) * 2 + 1 : UInt64(value) * 2
    #expect(Varint.zigZag(value) == rest)
    var bytes: [UInt8] = []
    while rest >= 128 {
      bytes.append(UInt8(rest % 128 + 128))
      rest /= 128
    }
    return bytes + [UInt8(rest)]
  }
}
