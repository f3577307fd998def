/// What one flush has to make durable.
struct FlushWork {
  var startedNs: Int64
  var target: Int64
  var active: ActiveSegment?
  /// What the mark will say of the active segment, taken under the writer lock so that it agrees
  /// with itself.
  var record: MarkRecord?
  var sealed: [ActiveSegment]
  var isDirectoryDirty: Bool
  var snapshots: [PendingSnapshot]
}
