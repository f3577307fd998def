import MkstoreBytes

/// One whole entry of a segment: a batch of magic 2, or a message (set) of the old formats.
///
/// ```swift
/// let batch = try RecordBatch(bytes.span)
/// try batch.checkCRC()
/// var decoder = RecordDecoder()
/// let records = try batch.records(&decoder)
/// ```
///
/// A view of bytes that other code owns; making one reads the header and checks the length.
public struct RecordBatch: ~Escapable, BitwiseCopyable {
  /// The header.
  public let header: BatchHeader
  /// The entry's bytes, header included.
  public let bytes: Span<UInt8>

  /// Reads exactly one entry.
  ///
  /// - Throws: `.incomplete` if bytes are missing, `.bytesAfterBatch` if there are too many, else
  ///   as `BatchHeader.init`.
  @_lifetime(copy bytes)
  public init(_ bytes: Span<UInt8>) throws(BatchError) {
    try self.init(bytes, header: try BatchHeader(bytes))
  }

  /// The same, for an entry whose header was decoded before.
  @_lifetime(copy bytes)
  package init(_ bytes: Span<UInt8>, header: BatchHeader) throws(BatchError) {
    guard bytes.count >= header.byteCount else {
      throw .incomplete(needed: header.byteCount, available: bytes.count)
    }
    guard bytes.count == header.byteCount else {
      throw .bytesAfterBatch(count: bytes.count - header.byteCount)
    }
    self.header = header
    self.bytes = bytes
  }

  /// Compares the stored checksum with that of the bytes.
  ///
  /// It does not cover the base offset, the length, the leader epoch and the magic byte.
  ///
  /// - Throws: `.checksum`.
  public func checkCRC() throws(BatchError) {
    let expected =
      header.isLegacy
      ? LegacyMessage.crc32(bytes.extracting(LegacyLayout.magic...))
      : CRC32C.checksum(bytes.extracting(BatchLayout.attributes...))
    guard header.crc == expected else {
      throw .checksum(found: header.crc, expected: expected)
    }
  }
}
