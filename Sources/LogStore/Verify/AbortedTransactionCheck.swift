import RecordFormat

/// Compares a transaction index with the markers of its segment, given in order.
struct AbortedTransactionCheck {
  private let entries: [AbortedTransaction]
  private var index = 0
  private(set) var verdict = IndexVerdict()

  init(_ entries: [AbortedTransaction]) {
    self.entries = entries
  }

  mutating func pass(_ header: BatchHeader) {
    while index < entries.count, entries[index].lastOffset <= header.lastOffset {
      let entry = entries[index]
      // Below the batch: in a gap or in damaged bytes, which prove nothing.
      if entry.lastOffset >= header.baseOffset,
        !header.isControl || header.producerId != entry.producerId
      {
        verdict.reject(
          index, "there is no marker of producer \(entry.producerId) at offset \(entry.lastOffset)")
      }
      index += 1
    }
  }

  /// Called after the last batch; `isComplete` unless the log's end is cut or damaged.
  mutating func finish(isComplete: Bool) {
    while index < entries.count, isComplete {
      verdict.reject(index, "the log ends before offset \(entries[index].lastOffset)")
      index += 1
    }
  }
}
