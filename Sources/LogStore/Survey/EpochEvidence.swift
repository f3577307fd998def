/// Which leader epochs a log has, by Kafka's checkpoint and, where this engine alone has written
/// the log, by `mkstore.epochs`.
package struct EpochEvidence: Sendable {
  /// The log's epochs; nil where nothing tells them.
  package private(set) var epochs: LeaderEpochCheckpoint?
  /// Those of a log of ours, by a file with a CRC; nil where batches are not judged by it.
  package private(set) var own: LeaderEpochCheckpoint?
  /// What is to be done about Kafka's checkpoint.
  package private(set) var state = State.right

  /// Kafka's checkpoint, compared with a file of ours.
  package enum State: Sendable {
    /// As ours, or there is none of ours.
    case right
    /// Missing, or it does not read; rebuilt from ours.
    case missing
    /// It says something else; rebuilt from ours.
    case wrong
  }

  /// - Parameters:
  ///   - told: Kafka's checkpoint; nil where it is missing or does not read.
  ///   - own: `mkstore.epochs`; nil where it is missing or does not read.
  ///   - isOwn: Whether this engine alone has written the log.
  ///   - start: Where the log begins, as far as is known.
  package init(
    told: LeaderEpochCheckpoint?, own: LeaderEpochCheckpoint? = nil, isOwn: Bool = false,
    start: Int64 = 0
  ) {
    guard let own, isOwn else {
      epochs = told
      return
    }
    let (known, said) = (Self.cut(own, start), told.map { Self.cut($0, start) })
    // A broker that leads the log begins an epoch before it writes anything.
    if let said, said.count > known.count, said.starts(with: known) {
      epochs = told
      return
    }
    (epochs, self.own) = (own, own)
    if said != known { state = told == nil ? .missing : .wrong }
  }

  private static func cut(
    _ epochs: LeaderEpochCheckpoint, _ start: Int64
  ) -> [LeaderEpochCheckpoint.Entry] {
    var epochs = epochs
    epochs.cut(before: start)
    return epochs.entries
  }
}
