internal import DiskIO

/// Deleting a log's oldest records.
extension Log {
  /// Deletes every record below `offset`.
  ///
  /// They are gone at once and for good: no read gives them any more, whatever crashes. Segments
  /// that hold nothing else are renamed aside, and their files are unlinked after
  /// `LogConfig.fileDeleteDelayMs`; a segment that holds later records too stays whole, and so does
  /// the last one. Records that a reader found before may still be read for a while
  /// (`FileRecords`).
  ///
  /// - Parameter offset: The log's new start; one at or below the present one changes nothing.
  /// - Durability: The new start is durable when this returns.
  /// - Throws: `.offsetOutOfRange` beyond the high watermark, `.readOnly`, `.closed`, `.poisoned`;
  ///   `.disk` or `.diskFull`, and then nothing was deleted.
  /// - Complexity: One small file written and synced, and a rename for each file of a removed
  ///   segment. Blocks.
  public func deleteRecords(before offset: Int64) throws(LogError) {
    guard let writing else { throw .readOnly(path: path) }
    try health.checkPresent()
    guard offset <= highWatermark else {
      throw .offsetOutOfRange(
        offset: offset, logStartOffset: logStartOffset, logEndOffset: logEndOffset)
    }
    // What is not on disk has files that a flush still needs.
    try writing.pipeline.waitFlushed(upTo: offset)
    do throws(DiskError) {
      try store.dropPrefix(below: offset)
    } catch {
      health.failIfNamesMayBeLost(error)
      throw LogError(error)
    }
  }
}
