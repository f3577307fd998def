/// What is known of the batches of a log that this engine wrote from its first record on, beside
/// their own bytes: what no CRC covers (base offset, leader epoch) is held against it.
package struct OwnLogRules: Sendable, Equatable {
  /// Whether a batch begins at the offset where the one before it ends. A gap then counts only
  /// where a batch behind it agrees: a broker may have compacted the log since.
  package var isGapless = false
  /// The leader epochs that batches bear; nil where they are not known.
  package var epochs: LeaderEpochCheckpoint?

  /// Nothing is known: somebody else may have written the log.
  package static let none = OwnLogRules()

  /// Memberwise.
  package init(isGapless: Bool = false, leaderEpoch: Int32? = nil) {
    self.isGapless = isGapless
    epochs = leaderEpoch.map { LeaderEpochCheckpoint([.init(epoch: $0, startOffset: 0)]) }
  }

  /// Judges a log.
  ///
  /// - Parameters:
  ///   - newest: The newest slot of its mark.
  ///   - standsBeyondMark: Whether bytes stand behind the mark's position.
  ///   - epochs: What its files say of its epochs.
  package init(_ newest: MarkRecord?, standsBeyondMark: Bool, epochs: EpochEvidence) {
    guard Self.isOwn(newest, standsBeyondMark: standsBeyondMark) else {
      self = .none
      return
    }
    self.init(epochs: epochs.epochs)
    if let own = epochs.own { self.epochs = own }
  }

  /// Whether this engine alone has written the log.
  static func isOwn(_ newest: MarkRecord?, standsBeyondMark: Bool) -> Bool {
    newest.map { $0.isGapless && !($0.isClean && standsBeyondMark) } ?? false
  }

  /// The rules of a log that this engine alone has written.
  ///
  /// It begins its logs in epoch 0 and leaves it where a log is truncated alone, and then
  /// `mkstore.epochs` says so. Without that only a checkpoint that says just this is believed: one
  /// with other epochs may be rotten itself, or come from a broker that led the log.
  package init(epochs: LeaderEpochCheckpoint?) {
    let isNeverLeft = epochs?.entries.count == 1 && epochs?.latest == 0
    self.init(isGapless: true, leaderEpoch: isNeverLeft ? 0 : nil)
  }
}
