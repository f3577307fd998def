package import LogStore

extension Log {
  /// What the log's end of acknowledged records is published by.
  package var acknowledgedEnd: OffsetNotifier {
    config.durability == .flushed ? flushed : logEnd
  }

  /// The epoch that records are appended in, and that clients are told.
  package var leaderEpoch: Int32 { 0 }

  /// The end of what read_committed clients may read.
  package var lastStableOffset: Int64 { highWatermark }

  /// The greatest epoch up to `epoch`, and the offset after its last record; nil for one above ours.
  package func endOffset(ofEpoch epoch: Int32) -> (epoch: Int32, offset: Int64)? {
    epoch == leaderEpoch ? (epoch, logEndOffset) : nil
  }
}
