import MkstoreBytes

/// Consecutive entries, as in a segment or in the answer to a fetch.
///
/// ```swift
/// var batches = RecordBatches(bytes.span)
/// while let batch = try batches.next() {
///   print(batch.header.baseOffset, batch.header.recordCount)
/// }
/// ```
public struct RecordBatches: ~Escapable {
  /// All bytes.
  public let bytes: Span<UInt8>
  /// Where the next entry begins: everything before is whole and in order.
  public private(set) var position = 0
  /// Lower bound of the next entry's offset.
  public private(set) var nextOffset: Int64 = 0

  /// Walks over `bytes` from the start.
  @_lifetime(copy bytes)
  public init(_ bytes: Span<UInt8>) {
    self.bytes = bytes
  }

  /// The next entry; nil at the end.
  ///
  /// Neither checksums nor records are checked.
  ///
  /// - Throws: `.incomplete` for a truncated entry, which is normal in an answer to a fetch;
  ///   `.header` for one that is invalid or whose offset decreases. `position` stays before it.
  @_lifetime(copy self)
  public mutating func next() throws(BatchError) -> RecordBatch? {
    guard position < bytes.count else { return nil }
    let rest = bytes.extracting(position...)
    let header = try BatchHeader(rest)
    guard header.byteCount <= rest.count else {
      throw .incomplete(needed: header.byteCount, available: rest.count)
    }
    // An entry of the old formats states its last offset.
    guard header.baseOffset >= nextOffset else {
      throw .header(
        .baseOffset, position: BatchLayout.baseOffset, found: header.baseOffset,
        expected: "at least \(nextOffset), which follows the entry before")
    }
    position += header.byteCount
    nextOffset = header.nextOffset
    return try RecordBatch(rest.extracting(..<header.byteCount))
  }
}
