package import LogStore

extension Log {
  /// Publishes the end of acknowledged records.
  package var acknowledgedEnd: OffsetNotifier { offsets.acknowledged }

  /// Whether the log may hold aborted transactions that must be read from the disk.
  var mayHoldAbortedTransactions: Bool { !store.state.transactionIndexes.isEmpty }
}
