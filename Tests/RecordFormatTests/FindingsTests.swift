import Foundation
import RecordFormat
import Testing

/// What Kafka lets pass: read and told, and refused where the rules forbid it.
@Suite struct FindingsTests {
  @Test(arguments: [
    ("valid/attributes-unused-bits-1.hand", BatchFindings.unusedAttributeBits),
    ("valid/record-attributes-0.hand", .unusedRecordAttributes),
    ("valid/varint-padded-1.hand", .paddedVarints),
    ("valid/max-timestamp-wrong-1.hand", .maxTimestampWrong),
    ("invalid/header-key-not-utf8.2", BatchFindings([.headerNameNotUTF8, .maxTimestampWrong])),
    ("invalid/sequence-missing.0", .sequenceMissing),
    ("valid/headers-null-value.kp", BatchFindings()),
  ])
  func isTold(name: String, expected: BatchFindings) throws {
    #expect(try findings(try SharedVectors.fixture(name)) == expected)
  }

  @Test(arguments: [
    ("key-length-negative", BatchFindings.negativeLengths),
    ("value-length-negative", .negativeLengths),
    ("header-value-negative", .negativeLengths),
    ("gzip-trailing", .bytesAfterStream), ("lz4-trailing", .bytesAfterStream),
    ("snappy-version", .snappyVersion),
  ])
  func isReadOnlyWithKafkasTolerance(kind: String, expected: BatchFindings) throws {
    let path = try #require(
      SharedVectors.batchVectors("invalid").first { $0.lastPathComponent.dropLast(2) == kind })
    let bytes = try SharedVectors.bytes(path)
    #expect(fault(bytes) != nil)
    #expect(try findings(bytes, tolerance: .kafka).contains(expected))
    #expect(fault(bytes, .produced(maxMessageBytes: 1 << 20), tolerance: .kafka) != nil)
  }

  @Test func negativeLengthsAreReadAsNull() throws {
    // Length 6, attributes, time, offset, key length -2, value length -1, no headers.
    let bytes = batch(
      codec: .none, payload: [0x0C, 0, 0, 0, 0x03, 0x01, 0], recordCount: 1)
    #expect(
      fault(bytes)
        == .record(
          0, .key, position: .stored(65), found: -2, expected: "a length of at least -1"))
    let read = try records(bytes, tolerance: .kafka)
    #expect(read == [Record(offset: 0, timestamp: 0, key: nil, value: nil)])
  }

  @Test func aTimestampBeyond64BitsWrapsOnReadAndIsRefusedOnAppend() throws {
    // Time delta 1 on the largest base timestamp.
    let bytes = batch(
      codec: .none, payload: [0x0C, 0, 0x02, 0, 0x01, 0x01, 0], recordCount: 1,
      baseTimestamp: Int64.max)
    #expect(try findings(bytes).contains(.timestampOverflow))
    #expect(try records(bytes)[0].timestamp == Int64.min)
    #expect(fault(bytes, .produced(maxMessageBytes: 1000)) != nil)
  }

  @Test func linkedBlocksAreReadAndRefusedOnAppend() throws {
    // A frame of linked blocks (FLG 0x40) with one stored block that holds one record. The checksum
    // of its header is XXH32 (its second byte) of the two bytes before it.
    let record: [UInt8] = [0x0C, 0, 0, 0, 0x01, 0x01, 0]
    let frame =
      [0x04, 0x22, 0x4D, 0x18, 0x40, 0x40, 0xC0, 7, 0, 0, 0x80] + record + [0, 0, 0, 0]
    let bytes = batch(codec: .lz4, payload: frame, recordCount: 1)
    #expect(try findings(bytes) == .linkedLZ4Blocks)
    #expect(fault(bytes, .produced(maxMessageBytes: 1000))?.description.contains("linked") == true)
  }

  @Test func eachFindingHasItsOwnText() {
    let all = (0..<12).map { BatchFindings(rawValue: 1 << $0) }
    let texts = all.map(\.descriptions)
    #expect(texts.allSatisfy { $0.count == 1 })
    #expect(Set(texts.flatMap { $0 }).count == all.count)
    #expect(BatchFindings(all).descriptions == texts.flatMap { $0 })
    #expect(BatchFindings().descriptions.isEmpty)
  }
}
