import Bytes
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
  func readsAndWrites32Bits(value: Int32, bytes: [UInt8]) {
    var position = 0
    #expect(Varint.read32(bytes.span, at: &position) == value)
    #expect(position == bytes.count)
    #expect(Varint.byteCount(value) == bytes.count)
    #expect(written { Varint.write(value, to: &$0, at: &$1) } == bytes)
  }

  @Test(arguments: edges64)
  func readsAndWrites64Bits(value: Int64, bytes: [UInt8]) {
    var position = 0
    #expect(Varint.read64(bytes.span, at: &position) == value)
    #expect(position == bytes.count)
    #expect(Varint.byteCount(value) == bytes.count)
    #expect(written { Varint.write(value, to: &$0, at: &$1) } == bytes)
  }

  private func written(_ write: (inout MutableSpan<UInt8>, inout Int) -> Void) -> [UInt8] {
    var bytes = [UInt8](repeating: 0xEE, count: 12)
    var position = 0
    var span = bytes.mutableSpan
    write(&span, &position)
    return Array(bytes[..<position])
  }

  @Test(arguments: edges32)
  func isTruncatedAtEveryShorterLength(value: Int32, bytes: [UInt8]) {
    for count in 0..<bytes.count {
      let cut = Array(bytes[..<count])
      var position = 0
      #expect(Varint.read32(cut.span, at: &position) == nil)
      #expect(position == 0)
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
    var position = 0
    if byteCountMax == 5 {
      #expect(Varint.read32(bytes.span, at: &position) == nil)
    } else {
      #expect(Varint.read64(bytes.span, at: &position) == nil)
    }
    #expect(position == 0)
    #expect(Varint.fault(bytes.span, at: 0, byteCountMax: byteCountMax) == fault)
  }

  @Test func everyPowerOfTwoAndItsNeighboursSurvive() {
    for shift in 0..<64 {
      for value in [Int64(bitPattern: 1 << shift), Int64(bitPattern: (1 << shift) &- 1)] {
        for value in [value, 0 &- value, value &+ 1] {
          let bytes = written { Varint.write(value, to: &$0, at: &$1) }
          var position = 0
          #expect(Varint.read64(bytes.span, at: &position) == value)
          #expect(Varint.byteCount(value) == bytes.count)
          guard let small = Int32(exactly: value) else { continue }
          position = 0
          #expect(Varint.read32(bytes.span, at: &position) == small)
        }
      }
    }
  }
}
