package import LogStore

extension Log {
  /// What the log's end of acknowledged records is published by.
  package var acknowledgedEnd: OffsetNotifier { offsets.acknowledged }

  /// Whether the log may hold aborted transactions that only the disk can tell.
  package var mayHoldAbortedTransactions: Bool { !store.state.transactionIndexes.isEmpty }
}
