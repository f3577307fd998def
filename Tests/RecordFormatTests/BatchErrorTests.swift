import Foundation
import RecordFormat
import Testing

/// An error tells a person which field is wrong, where, what was found and what was expected.
@Suite struct BatchErrorTests {
  @Test(arguments: [
    ("magic-c", "magic at byte 16 is 3, expected 0, 1 or 2"),
    ("length-zero", "batchLength at byte 8 is 0, expected at least 49"),
    ("codec-5", ", expected a codec of 0 to 4 in bits 0-2"),
    ("last-delta-negative", "lastOffsetDelta at byte 23 is -"),
    ("count-int-max", "recordCount at byte 57 is "), ("crc-zero", "crc is 00000000, computed "),
    ("base-offset-negative", "baseOffset at byte 0 is -"), ("length-long", "batch is cut off: "),
    ("trailing-after-records", " bytes after the last record at "),
    ("record-offsets-duplicate", "record 2: offsetDelta at byte "),
    ("key-length-overrun", "record 0: key at byte "),
    ("header-count-negative", ": headerCount at "),
    ("header-key-null", ": headerKey at byte "), ("header-value-overrun", ": headerValue at "),
    ("varint-key-too-long", "key at byte 65 has more bytes than an integer may have"),
    ("varint-64-bit-overflow", "timestampDelta at byte 63 has more bits than its type"),
    ("control-key-short", "controlKey at "), ("control-value-short", "controlValue at "),
    ("gzip-bad-crc", "records cannot be inflated by gzip: incorrect data check"),
    ("zstd-truncated", "records cannot be inflated by zstd: the stream ends early"),
    ("lz4-damaged", "records cannot be inflated by lz4: ERROR_"),
    ("snappy-damaged", "records cannot be inflated by snappy: a block is damaged"),
    ("zstd-extra-record", "bytes after the last record at inflated byte "),
  ])
  func namesTheField(kind: String, text: String) throws {
    let vector = try #require(
      SharedVectors.batchVectors("invalid").first {
        $0.lastPathComponent.dropLast(2) == kind
      })
    let error = try #require(fault(try SharedVectors.bytes(vector)))
    #expect(error.description.contains(text))
  }

  @Test func sizesBeyondTheLimitAreRefusedOnAppend() throws {
    let bytes = try batch(of: [Record(offset: 0, timestamp: 0, key: nil, value: [1])])
    #expect(fault(bytes, .produced(maxMessageBytes: bytes.count)) == nil)
    #expect(
      fault(bytes, .produced(maxMessageBytes: bytes.count - 1))
        == .tooLarge(byteCount: bytes.count, limit: bytes.count - 1))
    #expect(fault(bytes + [0]) == .bytesAfterBatch(count: 1))
  }
}
