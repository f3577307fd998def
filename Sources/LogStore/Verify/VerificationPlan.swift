/// One segment to look at, and what is known of it beforehand.
struct SegmentPlan: Sendable {
  /// Path of the `.log` file.
  var path: String
  /// From the file's name; 0 where that tells nothing.
  var baseOffset: Int64
  /// What the segment's offsets stay below.
  var offsetLimit: Int64
  /// Base offset of the segment after it.
  var nextBaseOffset: Int64?
  /// Size when the plan was made.
  var byteCount: Int
  /// Whether the store was closed in order, so that nothing can be unfinished.
  var isClean: Bool
  /// How far the log is known to be durable.
  var point: RecoveryPoint
  /// What is known of its batches.
  var rules = OwnLogRules.none
  /// Which index files there are; nil: not to be looked for.
  var indexes: Set<SegmentName.Kind>?

  /// Whether a writer may be at work in the segment, or have been cut short there.
  var isOpenEnded: Bool { nextBaseOffset == nil && !isClean }

  /// Path of a file beside the `.log`.
  func path(of kind: SegmentName.Kind) -> String {
    String(path.dropLast(SegmentName.Kind.log.rawValue.count)) + kind.rawValue
  }
}

/// One log to look at.
struct LogPlan: Sendable {
  /// Path of the directory, or of the single file.
  var path: String
  /// In the order of base offsets.
  var segments: [SegmentPlan] = []
  /// Base offsets of producer snapshots.
  var snapshots: [Int64] = []
  /// Whether `leader-epoch-checkpoint` is there.
  var hasEpochCheckpoint = false
  /// Whether `partition.metadata` is there.
  var hasMetadata = false
  /// How far the log is known to be durable.
  var point = RecoveryPoint.unknown
  /// What is known of its batches where this engine alone has written it.
  var rules = OwnLogRules.none
}
