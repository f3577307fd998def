package import DiskIO

/// The durable state of a log, as of one flush: the content of one slot of `mkstore.mark`.
package struct MarkRecord: Sendable, Equatable {
  /// Rises with every write; the highest valid slot counts.
  package var sequence: UInt64
  /// Boot of the operating system that wrote it, see `Disk.bootIdentifier`.
  package var bootIdentifier: UInt64
  /// All records below this offset were synced when the slot was written.
  package var recoveryPoint: Int64
  /// Segment that holds the recovery point, and the position of the point in it.
  package var segmentBaseOffset: Int64
  package var position: Int
  /// Greatest record time of that segment below the point, and the batch that first reached it.
  var largest: TimestampOffset
  /// Entries of the segment's two indexes for batches below the point.
  var offsetEntries: Int
  var timeEntries: Int
  /// Written at a clean close: anything after the point later was not written by this engine.
  package var isClean: Bool
  /// No batch below the point has a producer id that the log remembers.
  var isWithoutProducers = false
  /// This engine has written the log from its first record on, so any gap between two segments is
  /// damage.
  var isGapless = false
  /// What an acknowledgement of the writer meant; nil from older engines.
  package var durability: Durability?
  /// The file that the slot was written to; nil if its file system does not report birth times, or
  /// an older engine wrote it.
  package var birth: FileBirth?

  /// Whether a segment contains bytes written after this mark, or by its name follows it: after a
  /// clean close, by another writer.
  func isOutrun(by baseOffset: Int64, byteCount: Int) -> Bool {
    if baseOffset > recoveryPoint { return true }
    return byteCount > 0
      && (baseOffset == segmentBaseOffset
        ? byteCount > position : baseOffset > segmentBaseOffset)
  }
}
