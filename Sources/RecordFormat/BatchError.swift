public import MkstoreBytes

/// Why bytes are not a batch, or not one that may be appended.
///
/// ```swift
/// do {
///   try RecordBatch(bytes.span).checkCRC()
/// } catch .checksum(let found, let expected) {
///   print("the batch is damaged: CRC \(found), computed \(expected)")
/// }
/// ```
///
/// Positions count bytes from the batch's first byte; inside compressed records, from the first
/// inflated byte, and the text says so.
public enum BatchError: Error, Equatable, Sendable {
  /// Bytes end before the entry does: `available` of `needed` bytes exist.
  case incomplete(needed: Int, available: Int)
  /// Bytes follow the entry's end.
  case bytesAfterBatch(count: Int)
  /// A field of the header has an illegal value.
  case header(BatchField, position: Int, found: Int64, expected: String)
  /// The stored checksum does not match the bytes.
  case checksum(found: UInt32, expected: UInt32)
  /// A field of record number `record` (from 0) has an illegal value.
  case record(Int, BatchField, position: BatchPosition, found: Int64, expected: String)
  /// A variable-length integer of a record cannot be read.
  case varint(record: Int, BatchField, position: BatchPosition, Varint.Fault)
  /// Bytes are left over after the last record.
  case bytesAfterRecords(count: Int, position: BatchPosition)
  /// The compressed stream is damaged; `reason` is the codec's own text.
  case compression(CompressionCodec, reason: String)
  /// The records would inflate to more than allowed.
  case inflatesTooFar(CompressionCodec, limit: Int)
  /// A batch or record is larger than allowed.
  case tooLarge(byteCount: Int, limit: Int)
}

extension BatchError: CustomStringConvertible {
  /// One line for people: the field, its position, what was found and what was expected.
  public var description: String {
    switch self {
    case .incomplete(let needed, let available):
      "batch is cut off: \(needed) bytes needed, \(available) there"
    case .bytesAfterBatch(let count):
      "\(count) bytes after the end of the batch"
    case .header(let field, let position, let found, let expected):
      "\(field) at byte \(position) is \(found), expected \(expected)"
    case .checksum(let found, let expected):
      "crc is \(hex(found)), computed \(hex(expected))"
    case .record(let index, let field, let position, let found, let expected):
      "record \(index): \(field) at \(position) is \(found), expected \(expected)"
    case .varint(let index, let field, let position, let fault):
      "record \(index): \(field) at \(position) \(text(fault))"
    case .bytesAfterRecords(let count, let position):
      "\(count) bytes after the last record at \(position)"
    case .compression(let codec, let reason):
      "records cannot be inflated by \(codec): \(reason)"
    case .inflatesTooFar(let codec, let limit):
      "\(codec) records inflate to more than the limit of \(limit) bytes"
    case .tooLarge(let byteCount, let limit):
      "\(byteCount) bytes are more than the limit of \(limit)"
    }
  }

  private func text(_ fault: Varint.Fault) -> String {
    switch fault {
    case .truncated: "runs past the end"
    case .tooLong: "has more bytes than an integer may have"
    case .overflow: "has more bits than its type"
    }
  }

  private func hex(_ value: UInt32) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 8 - digits.count) + digits
  }
}
