package import LogStore

extension Log {
  /// What the log's end of acknowledged records is published by.
  package var acknowledgedEnd: OffsetNotifier {
    config.durability == .flushed ? flushed : logEnd
  }

  /// Whether an append needs no sync and no look at the log first, as the first one of a session
  /// does.
  package var isReadyToAppend: Bool { hasCurrentMark }

  /// Does what the first append of a session would do. Blocks.
  package func prepareToAppend() throws(LogError) { try markBeforeFirstWrite() }

  /// Whether the log may hold aborted transactions that only the disk can tell.
  package var mayHoldAbortedTransactions: Bool { !producers.transactionIndexes.isEmpty }

  /// The greatest producer id that the log knows; nil where it knows none. Blocks.
  package func largestProducerId() throws(LogError) -> Int64? {
    try loadProducers()
    return writer?.withLock { $0.producers.producers.keys.max() }
  }
}
