/// Where a leader epoch ends in a log.
package struct EpochEnd: Sendable, Equatable {
  /// The epoch asked for, or the last one before it that wrote anything.
  package var leaderEpoch: Int32
  /// Offset after its last record.
  package var endOffset: Int64
}

extension LeaderEpochCheckpoint {
  /// Where `epoch` ends, as Kafka's `LeaderEpochFileCache.endOffsetFor` tells it.
  ///
  /// - Parameter logEnd: Where the log ends, and the last epoch with it.
  /// - Returns: nil where there is no such epoch: above the last one, or nothing is known.
  func end(of epoch: Int32, logEnd: Int64) -> EpochEnd? {
    guard epoch >= 0, let last = entries.last, epoch <= last.epoch else { return nil }
    if epoch == last.epoch { return EpochEnd(leaderEpoch: epoch, endOffset: logEnd) }
    guard let next = entries.first(where: { $0.epoch > epoch }) else { return nil }
    let floor = entries.last { $0.epoch <= epoch }
    return EpochEnd(leaderEpoch: floor?.epoch ?? epoch, endOffset: next.startOffset)
  }
}
