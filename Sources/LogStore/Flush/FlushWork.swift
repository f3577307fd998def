/// What one flush has to make durable.
struct FlushWork {
  /// When it was taken, nanoseconds of the monotonic clock.
  var startedNs: Int64
  /// Offset up to which the log is durable afterwards.
  var target: Int64
  var active: ActiveSegment?
  /// What the mark will say of the active segment; taken under the writer lock so that it is
  /// consistent.
  var record: MarkRecord?
  /// Segments that were sealed since the last flush, oldest first.
  var sealed: [ActiveSegment]
  var isDirectoryDirty: Bool
  var snapshots: [PendingSnapshot]
}
