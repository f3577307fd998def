/// What is known of the batches of a log that this engine wrote from its first record on, beside
/// their own bytes: what no CRC covers (base offset, leader epoch) is held against it.
package struct OwnLogRules: Sendable, Equatable {
  /// Whether a batch begins at the offset where the one before it ends. A gap then counts only
  /// where a batch behind it agrees: a broker may have compacted the log since.
  package var isGapless = false
  /// The leader epoch that every batch bears; nil where it is not known.
  package var leaderEpoch: Int32?

  /// Nothing is known: somebody else may have written the log.
  package static let none = OwnLogRules()

  /// Memberwise.
  package init(isGapless: Bool = false, leaderEpoch: Int32? = nil) {
    self.isGapless = isGapless
    self.leaderEpoch = leaderEpoch
  }

  /// Judges a log.
  ///
  /// - Parameters:
  ///   - newest: The newest slot of its mark.
  ///   - standsBeyondMark: Whether bytes stand behind the mark's position.
  ///   - epochs: Its leader-epoch checkpoint; nil where it is missing or cannot be read.
  package init(
    _ newest: MarkRecord?, standsBeyondMark: Bool, epochs: LeaderEpochCheckpoint?
  ) {
    let isOwn =
      newest.map { $0.isGapless && !($0.isClean && standsBeyondMark) } ?? false
    self = isOwn ? OwnLogRules(epochs: epochs) : .none
  }

  /// The rules of a log that this engine alone has written.
  ///
  /// It begins its logs in epoch 0 and never leaves it. Only a checkpoint that says just this is
  /// believed: one with other epochs may be rotten itself, or come from a broker that led the log.
  package init(epochs: LeaderEpochCheckpoint?) {
    let isNeverLeft = epochs?.entries.count == 1 && epochs?.latest == 0
    self.init(isGapless: true, leaderEpoch: isNeverLeft ? 0 : nil)
  }
}
