package import LogStore

extension Log {
  /// What the log's end of acknowledged records is published by.
  package var acknowledgedEnd: OffsetNotifier {
    config.durability == .flushed ? flushed : logEnd
  }

  /// Whether the log may hold aborted transactions that only the disk can tell.
  package var mayHoldAbortedTransactions: Bool { !producers.transactionIndexes.isEmpty }

  /// The greatest producer id below a limit that the log knows; nil where it knows none. Blocks.
  package func largestProducerId(below limit: Int64) throws(LogError) -> Int64? {
    try loadProducers()
    return writer?.withLock { $0.producers.producers.keys.lazy.filter { $0 < limit }.max() }
  }
}
