package import DiskIO

/// What a log knows to be durable, as of one flush: the content of one slot of `mkstore.mark`.
package struct MarkRecord: Sendable, Equatable {
  /// Rises with every write; the highest valid slot speaks.
  package var sequence: UInt64
  /// Run of the operating system that wrote it, see `Disk.bootIdentifier`.
  package var bootIdentifier: UInt64
  /// All records below this offset were synced when the slot was written.
  package var recoveryPoint: Int64
  /// Segment that holds the recovery point, and the position of the point in it.
  package var segmentBaseOffset: Int64
  package var position: Int
  /// Greatest record time of that segment below the point, and the batch that first reached it.
  package var largest: TimestampOffset
  /// Entries of the segment's two indexes that stand for batches below the point.
  package var offsetEntries: Int
  package var timeEntries: Int
  /// Written at a clean close: what stands beyond the point later was not written by this engine.
  package var isClean: Bool
  /// No producer id that the log remembers stands below the point.
  package var isWithoutProducers = false
  /// This engine has written the log from its first record on, so that between two segments no
  /// offset is missing by right.
  package var isGapless = false
  /// What an acknowledgement of the writer meant; nil where an older engine did not say.
  package var durability: Durability?
  /// The file that the slot was written to; nil where its file system does not tell when a file was
  /// made, or an older engine wrote it.
  package var birth: FileBirth?

  /// Whether a segment holds, or by its name follows, what was written after this: after a clean
  /// close, by somebody else.
  package func isOutrun(by baseOffset: Int64, byteCount: Int) -> Bool {
    if baseOffset > recoveryPoint { return true }
    return byteCount > 0
      && (baseOffset == segmentBaseOffset
        ? byteCount > position : baseOffset > segmentBaseOffset)
  }
}
