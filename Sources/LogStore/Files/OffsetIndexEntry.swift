import MkstoreBytes

/// One entry of an offset index as stored in the file.
package struct OffsetIndexEntry: IndexFileEntry {
  /// Int32 relative offset, Int32 position.
  package static let byteCount = 8

  /// Last offset of the append that made the entry.
  package var offset: Int64
  /// Position of that append's first byte in the `.log` file.
  package var position: Int

  /// Memberwise.
  package init(offset: Int64, position: Int) {
    self.offset = offset
    self.position = position
  }

  /// Reads the entry at `start`; `baseOffset` is the segment's.
  package init(_ span: Span<UInt8>, at start: Int, baseOffset: Int64) {
    offset = Self.offset(baseOffset, span.loadBigEndian(Int32.self, at: start))
    position = Int(span.loadBigEndian(Int32.self, at: start + 4))
  }
}
