/// What opening one log found and did.
///
/// ```swift
/// let found = log.recovery
/// for cut in found.cuts { print("\(cut.bytes) bytes cut off \(cut.file): \(cut.reason)") }
/// for range in found.damage { print("damaged: \(range)") }
/// print("records from \(found.logStartOffset) to \(found.logEndOffset - 1)")
/// ```
public struct RecoveryReport: Sendable, Equatable {
  /// Bytes that were cut off a log's end: they are no whole batch, and were never acknowledged.
  public struct Cut: Sendable, Equatable {
    /// Path of the `.log` file.
    public var file: String
    /// Where the cut was made.
    public var position: Int
    /// Bytes cut off.
    public var bytes: Int
    /// Where the bytes were kept; nil if they were all zeros or the disk was full.
    public var keptAs: String?
    /// Why they were no batch, or no part of the log.
    public var reason: String
    /// Whether a whole file, which may have valid batches, was moved away: no unfinished write.
    public var isWholeFile: Bool

    package init(
      file: String, position: Int, bytes: Int, keptAs: String? = nil, reason: String,
      isWholeFile: Bool = false
    ) {
      self.file = file
      self.position = position
      self.bytes = bytes
      self.keptAs = keptAs
      self.reason = reason
      self.isWholeFile = isWholeFile
    }
  }

  /// Whether the store's last stop was clean.
  public var wasClean: Bool
  /// First offset that may be read.
  public var logStartOffset: Int64
  /// Offset of the next record.
  public var logEndOffset: Int64
  /// Segments found.
  public var segmentCount: Int
  /// Bytes of `.log` files that were read to find the log's end.
  public var bytesScanned: Int
  /// What was cut off the end.
  public var cuts: [Cut]
  /// Damage that was found; everything around it is served.
  public var damage: [DamagedRange]
  /// Index files that were missing or wrong and were rebuilt.
  public var rebuiltIndexes: [String]
  /// Files that were removed: empty segments, leftovers of an interrupted replacement, useless
  /// producer snapshots.
  public var removedFiles: [RemovedFile]
  /// Files of `.bad/` that were removed because it held more than `LogConfig.keptBytesMax`.
  public var droppedKeptFiles: [KeptFile]
  /// Files beside the segments that were found wrong; includes those that opening has repaired.
  public var sideFileDamage: [SideFileDamage]
  /// Files that could not be read, one sentence each.
  public var unreadableFiles: [String]
  /// Which rows of the recovery table (docs/durability.md) applied, e.g. "R6".
  public var rows: [String]
  /// Other notes, such as files that are not Kafka's.
  public var notes: [String]

  package init(wasClean: Bool) {
    self.wasClean = wasClean
    logStartOffset = 0
    logEndOffset = 0
    segmentCount = 0
    bytesScanned = 0
    cuts = []
    damage = []
    rebuiltIndexes = []
    removedFiles = []
    droppedKeptFiles = []
    sideFileDamage = []
    unreadableFiles = []
    rows = []
    notes = []
  }

  /// Whether opening changed or found anything that an operator should know of.
  public var isEventful: Bool {
    !cuts.isEmpty || !damage.isEmpty || !rebuiltIndexes.isEmpty || !droppedKeptFiles.isEmpty
      // Every opening removes old snapshots of producers.
      || removedFiles.contains { !$0.path.hasSuffix(".\(SegmentName.Kind.snapshot.rawValue)") }
  }

  mutating func add(_ row: RecoveryRow) {
    if !rows.contains(row.rawValue) { rows.append(row.rawValue) }
  }
}
