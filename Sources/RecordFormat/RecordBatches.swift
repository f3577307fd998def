import MkstoreBytes

/// Entries one after the other, as in a segment or in the answer to a fetch.
public struct RecordBatches: ~Escapable {
  /// All bytes.
  public let bytes: Span<UInt8>
  /// Where the next entry begins: all before is whole and in order.
  public private(set) var position = 0
  /// The offset that the next entry must not be below.
  public private(set) var nextOffset: Int64 = 0

  /// Walks over `bytes` from the start.
  @_lifetime(copy bytes)
  public init(_ bytes: Span<UInt8>) {
    self.bytes = bytes
  }

  /// The next entry; nil at the end.
  ///
  /// Neither checksums nor records are looked at.
  ///
  /// - Throws: `.incomplete` for an entry that is cut off, which in an answer to a fetch is nothing
  ///   unusual; `.header` for one that is none or that goes back in offset. `position` stays before
  ///   it.
  @_lifetime(copy self)
  public mutating func next() throws(BatchError) -> RecordBatch? {
    guard position < bytes.count else { return nil }
    let rest = bytes.extracting(position...)
    let header = try BatchHeader(rest)
    guard header.byteCount <= rest.count else {
      throw .incomplete(needed: header.byteCount, available: rest.count)
    }
    // What an entry of the old formats states is its last offset.
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
