import MkstoreBytes

/// One entry of a time index as stored in the file.
package struct TimeIndexEntry: IndexFileEntry {
  /// Int64 timestamp, Int32 relative offset.
  package static let byteCount = 12

  /// Largest timestamp of the segment up to the append that made the entry, milliseconds.
  package var timestamp: Int64
  /// Last offset of the first batch that had it.
  package var offset: Int64

  /// Reads the entry at `start`; `baseOffset` is the segment's.
  package init(_ span: Span<UInt8>, at start: Int, baseOffset: Int64) {
    timestamp = span.loadBigEndian(Int64.self, at: start)
    offset = Self.offset(baseOffset, span.loadBigEndian(Int32.self, at: start + 8))
  }
}
