import Foundation
import MkstoreBytes
import RecordFormat
import Testing

/// Magic 0 and 1: read, checked and shown, never written.
@Suite struct LegacyTests {
  /// CRC-32 (IEEE) by definition.
  private func crc32(_ bytes: ArraySlice<UInt8>) -> UInt32 {
    var state: UInt32 = 0xFFFF_FFFF
    for byte in bytes {
      state ^= UInt32(byte)
      for _ in 0..<8 { state = state & 1 == 0 ? state >> 1 : (state >> 1) ^ 0xEDB8_8320 }
    }
    return ~state
  }

  private func bigEndian<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
    (0..<T.bitWidth / 8).map { UInt8(truncatingIfNeeded: value >> (T.bitWidth - 8 - 8 * $0)) }
  }

  private func field(_ bytes: [UInt8]?) -> [UInt8] {
    bigEndian(Int32(bytes?.count ?? -1)) + (bytes ?? [])
  }

  private func message(
    magic: UInt8, offset: Int64, attributes: UInt8 = 0, timestamp: Int64 = 0, key: [UInt8]? = nil,
    value: [UInt8]?
  ) -> [UInt8] {
    let body =
      [magic, attributes] + (magic == 0 ? [] : bigEndian(timestamp)) + field(key) + field(value)
    return bigEndian(offset) + bigEndian(Int32(body.count + 4)) + bigEndian(crc32(body[...]))
      + body
  }

  /// An LZ4 frame of one stored block; its header's checksum is right only if it is 0x82.
  private func lz4Frame(_ content: [UInt8], headerChecksum: UInt8 = 0x82) -> [UInt8] {
    let count = (0..<4).map { UInt8(truncatingIfNeeded: (content.count | 1 << 31) >> (8 * $0)) }
    return [0x04, 0x22, 0x4D, 0x18, 0x60, 0x40, headerChecksum] + count + content + [0, 0, 0, 0]
  }

  @Test func aMessageOfMagic0HasNoTime() throws {
    let bytes = message(magic: 0, offset: 42, key: [1], value: [2, 3])
    let header = try BatchHeader(bytes.span)
    #expect(header.magic == 0 && header.isLegacy && header.byteCount == bytes.count)
    #expect(header.baseOffset == 42 && header.nextOffset == 43 && header.recordCount == 1)
    #expect(header.maxTimestamp == -1 && header.producerId == -1 && header.leaderEpoch == -1)
    #expect(
      try records(bytes) == [Record(offset: 42, timestamp: -1, key: [1], value: [2, 3])])
    #expect(fault(bytes, .produced(maxMessageBytes: 1000)) != nil)
  }

  @Test func aMessageOfMagic1HasATimeAndItsType() throws {
    let bytes = message(
      magic: 1, offset: 7, attributes: 8, timestamp: 1_500_000_000_000, value: nil)
    #expect(try BatchHeader(bytes.span).maxTimestamp == 1_500_000_000_000)
    #expect(
      try records(bytes) == [
        Record(
          offset: 7, timestamp: 1_500_000_000_000, timestampType: .logAppendTime, key: nil,
          value: nil)
      ])
  }

  @Test func innerOffsetsOfMagic1AreRelative() throws {
    let inner = (0..<3).flatMap {
      message(magic: 1, offset: Int64($0), timestamp: Int64(100 + $0), value: [UInt8($0)])
    }
    let bytes = message(
      magic: 1, offset: 52, attributes: 3, timestamp: 102, value: lz4Frame(inner))
    #expect(try BatchHeader(bytes.span).recordCount == BatchHeader.recordCountUnknown)
    let read = try records(bytes)
    #expect(read.map(\.offset) == [50, 51, 52])
    #expect(read.map(\.timestamp) == [100, 101, 102])
    #expect(read.map(\.value) == [[0], [1], [2]])
    #expect(fault(bytes) == nil)
    let appended = message(
      magic: 1, offset: 52, attributes: 3 | 8, timestamp: 999, value: lz4Frame(inner))
    #expect(try records(appended).map(\.timestamp) == [999, 999, 999])
  }

  @Test func innerOffsetsOfMagic0AreAbsolute() throws {
    let inner = [7, 9].flatMap { message(magic: 0, offset: $0, value: []) }
    let bytes = message(magic: 0, offset: 9, attributes: 3, value: lz4Frame(inner))
    #expect(try records(bytes).map(\.offset) == [7, 9])
    #expect(try findings(bytes) == [])
    let unplaced = message(magic: 0, offset: 0, attributes: 3, value: lz4Frame(inner))
    #expect(try findings(unplaced) == .legacyOffsetWrong)
  }

  /// Kafka's first LZ4 writers took the checksum over the frame's magic as well.
  @Test func aWrongLZ4HeaderChecksumIsIgnoredInMagic0Alone() throws {
    let old = message(magic: 0, offset: 3, value: [1])
    let frame = lz4Frame(old, headerChecksum: 0x11)
    #expect(
      try records(message(magic: 0, offset: 3, attributes: 3, value: frame)).map(\.value) == [[1]])
    let new = lz4Frame(message(magic: 1, offset: 0, value: [1]), headerChecksum: 0x11)
    #expect(fault(message(magic: 1, offset: 3, attributes: 3, value: new)) != nil)
  }

  @Test func damageIsRefused() {
    let sound = message(magic: 1, offset: 0, value: [1, 2, 3])
    for position in 12..<sound.count {
      var damaged = sound
      damaged[position] ^= 0x40
      #expect(fault(damaged) != nil, "byte \(position)")
    }
    let wrongInner = message(magic: 0, offset: 0, value: [])
    let cases: [(String, [UInt8])] = [
      ("inner magic", lz4Frame(wrongInner)), ("no messages", lz4Frame([])),
      ("inner checksum", lz4Frame(sound.dropLast() + [9])),
      ("inner cut", lz4Frame(sound + sound.dropLast())),
      ("offsets repeat", lz4Frame(sound + sound)),
      (
        "nested",
        lz4Frame(message(magic: 1, offset: 0, attributes: 3, value: lz4Frame(sound)))
      ), ("no frame", [1, 2, 3]), ("empty", []),
    ]
    for (name, value) in cases {
      let bytes = message(magic: 1, offset: 5, attributes: 3, value: value)
      #expect(fault(bytes) != nil, "\(name)")
    }
    #expect(fault(message(magic: 1, offset: 5, attributes: 3, value: nil)) != nil)
    #expect(fault(message(magic: 1, offset: 5, attributes: 4, value: [1])) != nil)
  }

  @Test func everyShorterLengthIsRefused() {
    let bytes = message(magic: 0, offset: 1, key: [1, 2], value: [3])
    for count in 0..<bytes.count {
      guard case .incomplete = fault(Array(bytes[..<count])) else {
        Issue.record("\(count) of \(bytes.count) bytes")
        continue
      }
    }
  }

  @Test func theSharedSetsAreRead() throws {
    for kind in ["legacy-magic-0", "legacy-magic-1"] {
      let vectors = SharedVectors.batchVectors("invalid").filter { $0.path.contains(kind) }
      #expect(!vectors.isEmpty)
      for vector in vectors {
        let bytes = try SharedVectors.bytes(vector)
        var decoder = RecordDecoder()
        var batches = RecordBatches(bytes.span)
        var count = 0
        while let batch = try batches.next() {
          count += try batch.validate(.stored, decoder: &decoder).recordCount
        }
        #expect(count > 0)
      }
    }
  }
}
