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

  /// One record of 7 bytes.
  private static let record: [UInt8] = [0x0C, 0, 0, 0, 0x01, 0x01, 0]
  /// It as a stored block of an LZ4 frame.
  private static let block: [UInt8] = [7, 0, 0, 0x80] + record
  /// The dictionary 5, the content size 7, the end.
  private static let five: [UInt8] = [5, 0, 0, 0]
  private static let seven: [UInt8] = [7, 0, 0, 0, 0, 0, 0, 0]
  private static let end: [UInt8] = [0, 0, 0, 0]

  /// Descriptor (FLG, BD, optional fields, and the checksum by an independent XXH32), blocks.
  ///
  /// What Kafka's `Lz4BlockInputStream` refuses although liblz4 reads it.
  @Test(arguments: [
    ([0x40, 0x40, 0xC0] + block + end, BatchFindings.linkedLZ4Blocks, "linked"),
    ([0x61, 0x40] + five + [0x4E] + block + end, .lz4DictionaryId, "dictionary"),
    ([0x69, 0x40] + seven + five + [0xD2] + block + end, .lz4DictionaryId, "dictionary"),
    ([0x60, 0x40, 0x82, 0, 0, 0, 0x80] + block + end, .emptyLZ4Block, "holds nothing"),
    ([0x60, 0x40, 0x82, 1, 0, 0, 0, 0] + block + end, .emptyLZ4Block, "holds nothing"),
  ])
  func framesThatKafkaCannotReadAreReadAndRefusedOnAppend(
    _ frame: [UInt8], _ finding: BatchFindings, _ text: String
  ) throws {
    let bytes = batch(codec: .lz4, payload: [0x04, 0x22, 0x4D, 0x18] + frame, recordCount: 1)
    #expect(try findings(bytes) == finding)
    #expect(try records(bytes) == [Record(offset: 0, timestamp: 0, key: nil, value: nil)])
    let refusal = try #require(fault(bytes, .produced(maxMessageBytes: 1000)))
    #expect(refusal.description.contains(text), "\(refusal)")
  }

  /// What Kafka's reader refuses and liblz4 too, and beside it what both read.
  @Test(
    arguments: [
      ([0x60, 0x40, 0x82], true), ([0x68, 0x40] + seven + [0xB0], true),
      ([0x60, 0x40, 0x83], false), ([0x62, 0x40, 0xF0], false), ([0x60, 0x41, 0xBD], false),
      ([0x60, 0xC0, 0x2A], false), ([0x60, 0x30, 0xD4], false), ([0x20, 0x40, 0x03], false),
      ([0xA0, 0x40, 0x0F], false),
    ] as [([UInt8], Bool)])
  func headersOfFramesAreThoseThatKafkaReads(_ descriptor: [UInt8], _ isRead: Bool) {
    let frame = [0x04, 0x22, 0x4D, 0x18] + descriptor + Self.block + Self.end
    let bytes = batch(codec: .lz4, payload: frame, recordCount: 1)
    #expect((fault(bytes) == nil) == isRead)
    #expect((fault(bytes, .produced(maxMessageBytes: 1000)) == nil) == isRead)
  }

  /// Kafka has read everything when it meets an empty block at the end.
  @Test(arguments: [[0, 0, 0, 0x80], [1, 0, 0, 0, 0]] as [[UInt8]])
  func anEmptyBlockAtTheEndIsNoMatter(_ empty: [UInt8]) throws {
    let frame = [0x04, 0x22, 0x4D, 0x18, 0x60, 0x40, 0x82] + Self.block + empty + Self.end
    let bytes = batch(codec: .lz4, payload: frame, recordCount: 1)
    #expect(try findings(bytes).isEmpty)
    #expect(fault(bytes, .produced(maxMessageBytes: 1000)) == nil)
  }

  @Test func eachFindingHasItsOwnText() {
    let all = (0..<14).map { BatchFindings(rawValue: 1 << $0) }
    let texts = all.map(\.descriptions)
    #expect(texts.allSatisfy { $0.count == 1 })
    #expect(Set(texts.flatMap { $0 }).count == all.count)
    #expect(BatchFindings(all).descriptions == texts.flatMap { $0 })
    #expect(BatchFindings().descriptions.isEmpty)
  }
}
