internal import DiskIO

/// Removing the log's last records: an operator's explicit command.
extension SegmentStore {
  /// Removes the records from an offset on, in a log whose use has ended.
  ///
  /// Its new last segment is already complete and durable. When this returns the truncation is
  /// committed, durably, and the opening that must follow completes it (`TruncationExecution`): a
  /// crash or an error leaves the log with all of its records or without the removed ones. No file
  /// is cut in place, so files that readers of the old state have open stay unchanged. Their reads
  /// work for at most twice `file.delete.delay.ms`, then they get "offset out of range".
  ///
  /// - Throws: If it could not be committed. Unless the error came after that, the log is
  ///   unchanged.
  func truncateSuffix(_ truncation: Truncation) throws(LogError) {
    do throws(DiskError) {
      try truncation.begin(in: log.directory)
    } catch {
      throw LogError(error)
    }
    let gone = edit { $0.truncateSuffix(truncation) }
    for segment in gone {
      segment.retire()
      log.context.fileCache.remove(segment)
    }
    removeLater(RetiredSegments(gone, named: [], of: self))
  }
}

extension LogState {
  /// - Returns: The segments that were removed.
  fileprivate mutating func truncateSuffix(_ truncation: Truncation) -> [Segment] {
    let moved = Set(truncation.files.map(\.name.baseOffset))
    let gone = segments.filter {
      $0.baseOffset > truncation.lastBase || moved.contains($0.baseOffset)
    }
    segments.removeAll { segment in gone.contains { $0 === segment } }
    transactionIndexes.subtract(gone.map(\.baseOffset))
    snapshotOffsets.removeAll { $0 > truncation.endOffset }
    epochs = LeaderEpochCheckpoint(truncation.epochs)
    return gone
  }
}
