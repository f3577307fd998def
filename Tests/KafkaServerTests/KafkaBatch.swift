/// A batch of format 2 written byte by byte from Kafka's own description, without the engine's
/// code, and what a stored batch's header says.
struct KafkaBatch: Equatable {
  var baseOffset: Int64 = 0
  var lastOffset: Int64 = 0
  var producerId: Int64 = -1
  var producerEpoch: Int16 = -1
  var baseSequence: Int32 = -1
  var attributes: Int16 = 0
  var maxTimestamp: Int64 = 1_700_000_000_000
  /// All bytes; the base offset and the CRC are in them.
  var bytes: [UInt8] = []

  var isTransactional: Bool { attributes & 0x10 != 0 }
  var isControl: Bool { attributes & 0x20 != 0 }
  var lastSequence: Int32 { baseSequence + Int32(lastOffset - baseOffset) }
  /// The type of a control record: 0 abort, 1 commit.
  var controlType: UInt8? { isControl && bytes.count > 69 ? bytes[69] : nil }

  /// A batch of plain values, or the marker of a transaction (`control` 0 abort, 1 commit).
  init(
    _ values: [String], at baseOffset: Int64 = 0, producerId: Int64 = -1, epoch: Int16 = -1,
    sequence: Int32 = -1, isTransactional: Bool = false, control: UInt8? = nil
  ) {
    self.baseOffset = baseOffset
    self.producerId = producerId
    producerEpoch = producerId < 0 ? -1 : max(0, epoch)
    baseSequence = sequence
    attributes = control != nil ? 0x30 : isTransactional ? 0x10 : 0
    var records: [UInt8] = []
    if let control {
      records += Self.record(0, key: [0, 0, 0, control], value: [0, 0, 0, 0, 0, 4])
    }
    for (index, value) in values.enumerated() {
      records += Self.record(index, key: nil, value: Array(value.utf8))
    }
    let count = max(values.count, 1)
    lastOffset = baseOffset + Int64(count) - 1
    let covered: [UInt8] =
      Self.big(attributes) + Self.big(Int32(count - 1)) + Self.big(maxTimestamp)
      + Self.big(maxTimestamp) + Self.big(producerId) + Self.big(producerEpoch)
      + Self.big(baseSequence) + Self.big(Int32(count)) + records
    bytes =
      Self.big(baseOffset) + Self.big(Int32(covered.count + 9)) + Self.big(Int32(0)) + [2]
      + Self.big(Self.crc32c(covered)) + covered
  }

  /// The batch at the start of stored bytes; nil where no whole one is there.
  init?(stored: ArraySlice<UInt8>) {
    func number<T: FixedWidthInteger>(_ at: Int, _: T.Type) -> T {
      stored[stored.startIndex + at..<stored.startIndex + at + MemoryLayout<T>.size]
        .reduce(0) { $0 << 8 | T(truncatingIfNeeded: $1) }
    }
    guard stored.count >= 17 else { return nil }
    let size = 12 + Int(number(8, Int32.self))
    guard size >= 17, stored.count >= size else { return nil }
    bytes = Array(stored.prefix(size))
    baseOffset = number(0, Int64.self)
    lastOffset = baseOffset
    guard bytes[16] == 2 else { return }
    attributes = number(21, Int16.self)
    lastOffset = baseOffset + Int64(number(23, Int32.self))
    maxTimestamp = number(35, Int64.self)
    producerId = number(43, Int64.self)
    producerEpoch = number(51, Int16.self)
    baseSequence = number(53, Int32.self)
  }

  /// The whole batches of a segment.
  static func all(in bytes: [UInt8]) -> [KafkaBatch] {
    var found: [KafkaBatch] = []
    var rest = bytes[...]
    while let batch = KafkaBatch(stored: rest) {
      found.append(batch)
      rest = rest.dropFirst(batch.bytes.count)
    }
    return found
  }

  /// The same batch at another offset, which lies outside the CRC.
  func moved(to offset: Int64) -> KafkaBatch {
    var moved = self
    moved.bytes.replaceSubrange(0..<8, with: Self.big(offset))
    moved.lastOffset += offset - baseOffset
    moved.baseOffset = offset
    return moved
  }

  // MARK: Bytes

  static func big(_ number: some FixedWidthInteger) -> [UInt8] {
    (0..<number.bitWidth / 8).reversed().map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) }
  }

  private static func varint(_ number: Int) -> [UInt8] {
    var rest = UInt64(bitPattern: Int64(number << 1 ^ number >> 63))
    var bytes: [UInt8] = []
    while rest > 127 {
      bytes.append(UInt8(rest & 127) | 128)
      rest >>= 7
    }
    return bytes + [UInt8(rest)]
  }

  private static func record(_ index: Int, key: [UInt8]?, value: [UInt8]) -> [UInt8] {
    let body =
      [0, 0] + varint(index) + varint(key?.count ?? -1) + (key ?? []) + varint(value.count) + value
      + [0]
    return varint(body.count) + body
  }

  static func crc32c(_ bytes: some Sequence<UInt8>) -> UInt32 {
    ~bytes.reduce(~0) { crc, byte in
      (0..<8).reduce(crc ^ UInt32(byte)) { sum, _ in
        sum & 1 == 1 ? sum >> 1 ^ 0x82f6_3b78 : sum >> 1
      }
    }
  }
}
