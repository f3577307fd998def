internal import RecordFormat

/// The state of the holder of a log's writer lock: the active segment and where the next batch
/// goes.
struct WriterState {
  /// The segment that is appended to, open; nil before the first append of a session.
  var active: ActiveSegment?
  /// The segment that the first append will continue; nil if it must start a new one.
  var dormant: DormantSegment?
  /// Leader epoch of appended batches.
  var leaderEpoch: Int32
  /// Sealed segments that no flush has covered yet, oldest first.
  var unsyncedSealed: [ActiveSegment] = []
  /// Whether names were made in the log's directory since it was last synced.
  var isDirectoryDirty = false
  /// Whether the log accepts no more appends.
  var isClosed = false
  /// The log's producer state; valid once `ProducerTracking.isLoaded`.
  var producers = ProducerState(endOffset: 0, expirationMs: Int64.max)
  /// Snapshots of it that the next flush writes.
  var pendingSnapshots: [PendingSnapshot] = []
  /// Position in the active segment up to which a snapshot was taken.
  var snapshotPosition = 0

  init(dormant: DormantSegment?, leaderEpoch: Int32) {
    self.dormant = dormant
    self.leaderEpoch = leaderEpoch
  }
}
