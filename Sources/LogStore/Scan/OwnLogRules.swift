/// What is known of the batches of a log that this engine wrote from its first record on, besides
/// their own bytes. Fields that no CRC covers (base offset, leader epoch) are checked against it.
package struct OwnLogRules: Sendable, Equatable {
  /// Whether a batch begins at the offset where the previous one ends. A gap is then accepted only
  /// if the next batch agrees: a broker may have compacted the log since.
  var isGapless = false
  /// The leader epochs of batches; nil if unknown.
  package var epochs: LeaderEpochCheckpoint?

  /// Nothing is known: another writer may have written the log.
  package static let none = OwnLogRules()

  /// Memberwise.
  package init(isGapless: Bool = false, leaderEpoch: Int32? = nil) {
    self.isGapless = isGapless
    epochs = leaderEpoch.map { LeaderEpochCheckpoint([.init(epoch: $0, startOffset: 0)]) }
  }

  /// Determines the rules for a log.
  ///
  /// - Parameters:
  ///   - newest: The newest slot of its mark.
  ///   - standsBeyondMark: Whether bytes exist after the mark's position.
  ///   - epochs: The log's epochs by its files.
  init(_ newest: MarkRecord?, standsBeyondMark: Bool, epochs: EpochEvidence) {
    guard Self.isOwn(newest, standsBeyondMark: standsBeyondMark) else {
      self = .none
      return
    }
    self.init(epochs: epochs.epochs)
    if let own = epochs.own { self.epochs = own }
  }

  /// Whether only this engine has written the log.
  static func isOwn(_ newest: MarkRecord?, standsBeyondMark: Bool) -> Bool {
    newest.map { $0.isGapless && !($0.isClean && standsBeyondMark) } ?? false
  }

  /// The rules of a log that only this engine has written.
  ///
  /// It begins its logs in epoch 0 and leaves it only when a log is truncated, which
  /// `mkstore.epochs` then says. Without that file, only a checkpoint that says exactly this is
  /// believed: one with other epochs may be corrupted itself, or come from a broker that led the
  /// log.
  package init(epochs: LeaderEpochCheckpoint?) {
    let isNeverLeft = epochs?.entries.count == 1 && epochs?.latest == 0
    self.init(isGapless: true, leaderEpoch: isNeverLeft ? 0 : nil)
  }
}
