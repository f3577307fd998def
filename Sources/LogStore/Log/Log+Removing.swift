internal import DiskIO

/// Deleting a log's oldest records.
extension Log {
  /// Deletes every record below `offset`; see `deleteRecordsBlocking`.
  ///
  /// - Throws: As `deleteRecordsBlocking`.
  public func deleteRecords(before offset: Int64) async throws(LogError) {
    try await OneOffThread.run { [self] () throws(LogError) in
      try deleteRecordsBlocking(before: offset)
    }
  }

  /// Deletes every record below `offset`.
  ///
  /// They are gone at once and for good: no read gives them any more, whatever crashes. Segments
  /// that hold nothing else are renamed aside, and their files are unlinked after
  /// `LogConfig.fileDeleteDelayMs`; a segment that holds later records too stays whole, and so does
  /// the last one. Records that a reader found before may still be read for a while
  /// (`FileRecords`).
  ///
  /// - Parameter offset: The log's new start; one at or below the present one changes nothing.
  /// - Durability: The new start is durable when this returns.
  /// - Throws: `.offsetOutOfRange` beyond the high watermark, `.readOnly`, `.closed`, `.poisoned`;
  ///   `.disk` or `.diskFull`, and then nothing was deleted.
  /// - Complexity: One small file written and synced, and a rename for each file of a removed
  ///   segment. Blocks.
  public func deleteRecordsBlocking(before offset: Int64) throws(LogError) {
    guard let writing else { throw .readOnly(path: path) }
    try health.checkPresent()
    guard offset <= highWatermark else {
      throw .offsetOutOfRange(
        offset: offset, logStartOffset: logStartOffset, logEndOffset: logEndOffset)
    }
    // What is not on disk has files that a flush still needs.
    try writing.pipeline.waitSynced(upTo: offset)
    do throws(DiskError) {
      try store.dropPrefix(below: offset)
    } catch {
      health.failIfNamesMayBeLost(error)
      throw LogError(error)
    }
  }
}

/// Accepting damage, so that readers get over it.
extension Log {
  /// Accepts the damage of this log that is known: what its opening found, and reads since.
  ///
  /// No client gets over a damaged range by itself. This keeps the damaged bytes in `.bad/` and
  /// puts batches without records over the lost offsets, as compaction leaves them, so that readers
  /// go on after them. It is recorded in the log's `mkstore.accepted`, which `verify` reports. Lost
  /// records stay lost.
  ///
  /// - Returns: What was accepted; empty where no damage is known.
  /// - Durability: Durable when this returns.
  /// - Throws: `.readOnly`, `.closed`, `.poisoned`, `.disk`; `.diskFull` where there is no room for
  ///   the bytes or for a new segment, and then damage is told as before. It may be tried again.
  /// - Complexity: Each segment with damage is read and written once. Blocks.
  public func acceptLossesBlocking() throws(LogError) -> [AcceptedLoss] {
    guard let writing else { throw .readOnly(path: path) }
    try health.checkPresent()
    return try LossAcceptance(self, writing).run(knownDamage)
  }

  /// Undoes what was accepted, as far as `.bad/` holds the bytes and nothing has removed or
  /// compacted the range: the bytes are put back, and are told as damage again.
  ///
  /// - Durability: Durable when this returns.
  /// - Throws: As `acceptLosses`; `.corrupt` where `mkstore.accepted` is wrong.
  public func undoAcceptedLossesBlocking() throws(LogError) -> UndoneLosses {
    guard let writing else { throw .readOnly(path: path) }
    try health.checkPresent()
    return try LossAcceptance(self, writing).undo()
  }

  /// What was accepted of this log and not undone, oldest first.
  ///
  /// - Throws: `.disk`; `.corrupt` where `mkstore.accepted` is wrong.
  public func acceptedLosses() throws(LogError) -> [AcceptedLoss] {
    try AcceptedLossesFile.known(in: environment.directory)
  }

  /// What the opening found and what was found since, of segments that the log still has.
  private var knownDamage: [DamagedRange] {
    let found = damagedRanges
    return found + recovery.damage.filter { !found.contains($0) }
  }
}

/// What undoing accepted losses did.
///
/// ```swift
/// let result = try log.undoAcceptedLossesBlocking()
/// for loss in result.undone { print("reported as damage again: \(loss)") }
/// for left in result.left { print("still accepted: \(left.loss); \(left.reason)") }
/// ```
public struct UndoneLosses: Sendable {
  /// Losses that are told as damage again.
  public var undone: [AcceptedLoss] = []
  /// Those that stay accepted.
  public var left: [Left] = []

  /// A loss that stays accepted.
  public struct Left: Sendable {
    /// The loss.
    public var loss: AcceptedLoss
    /// Why, one sentence.
    public var reason: String
  }
}
