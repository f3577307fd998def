/// A log's leader epochs by Kafka's checkpoint and, if only this engine has written the log, by
/// `mkstore.epochs`.
package struct EpochEvidence: Sendable {
  /// The log's epochs; nil if unknown.
  package private(set) var epochs: LeaderEpochCheckpoint?
  /// Those of a log of ours, from a file with a CRC; nil if batches are not checked against it.
  package private(set) var own: LeaderEpochCheckpoint?
  /// What to do about Kafka's checkpoint.
  package private(set) var state = State.right

  /// Kafka's checkpoint, compared with a file of ours.
  package enum State: Sendable {
    /// As ours, or there is none of ours.
    case right
    /// Missing or unreadable; rebuilt from ours.
    case missing
    /// It differs; rebuilt from ours.
    case wrong
  }

  /// - Parameters:
  ///   - told: Kafka's checkpoint; nil if it is missing or unreadable.
  ///   - own: `mkstore.epochs`; nil if it is missing or unreadable.
  ///   - isOwn: Whether only this engine has written the log.
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
