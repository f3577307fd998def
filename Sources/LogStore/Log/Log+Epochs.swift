/// Where a leader epoch ends in a log.
public struct EpochEnd: Sendable, Equatable {
  /// The epoch asked for, or the last one before it that wrote anything.
  public var leaderEpoch: Int32
  /// Offset behind its last record.
  public var endOffset: Int64
}

extension Log {
  /// The epoch that appended batches are stamped with.
  public var leaderEpoch: Int32 { epochs.latest }

  /// Where `epoch` ends, as Kafka's `LeaderEpochFileCache.endOffsetFor` tells it: a consumer that
  /// read further in that epoch has read what is no longer part of the log.
  ///
  /// - Returns: nil where the log knows no such epoch: above the last one, or nothing is known.
  public func endOffset(forLeaderEpoch epoch: Int32) -> EpochEnd? {
    guard epoch >= 0, let last = epochs.entries.last, epoch <= last.epoch else { return nil }
    if epoch == last.epoch { return EpochEnd(leaderEpoch: epoch, endOffset: logEndOffset) }
    guard let next = epochs.entries.first(where: { $0.epoch > epoch }) else { return nil }
    let floor = epochs.entries.last { $0.epoch <= epoch }
    return EpochEnd(leaderEpoch: floor?.epoch ?? epoch, endOffset: next.startOffset)
  }
}
