internal import RecordFormat

/// What the holder of a log's writer lock owns: the active segment and where the next batch goes.
package struct WriterState {
  /// The segment that is appended to, open; nil before the first append of a session.
  package var active: ActiveSegment?
  /// The segment that the first append will go on with; nil where it must start a new one.
  package var dormant: DormantSegment?
  /// Epoch that appended batches are stamped with.
  package var leaderEpoch: Int32
  /// Sealed segments that no flush has covered yet, oldest first.
  package var unsyncedSealed: [ActiveSegment] = []
  /// Whether names were made in the log's directory since it was last synced.
  package var isDirectoryDirty = false
  /// Whether the log takes no more appends.
  package var isClosed = false
  /// What is known of the log's producers; right once `ProducerTracking.isLoaded`.
  package var producers = ProducerState(endOffset: 0, expirationMs: Int64.max)
  /// Snapshots of it that the next flush writes.
  package var pendingSnapshots: [PendingSnapshot] = []
  /// Position in the active segment up to which a snapshot was taken.
  package var snapshotPosition = 0

  package init(dormant: DormantSegment?, leaderEpoch: Int32) {
    self.dormant = dormant
    self.leaderEpoch = leaderEpoch
  }
}
