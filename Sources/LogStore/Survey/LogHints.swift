internal import DiskIO

/// Information about a log from the store around it.
package struct LogHints: Sendable {
  /// Whether the clean-shutdown marker was present.
  var isCleanStop: Bool
  /// This log's line in the recovery-point checkpoint.
  package var recoveryPoint: Int64?
  /// This log's line in the log-start checkpoint.
  package var logStartOffset: Int64?
  /// Whether a broker's cleaner was working on the log.
  var isCompacted: Bool
  /// Whether everything in the directory was made durable since only this process writes to it.
  var isSynced: Bool
  /// What the store's journal holds of the log.
  var journal: [JournalContents.Located] = []
  /// What of it was lost when the journal was put into the log's files, for an opening that has
  /// done so; nil: it was not done.
  var journalLosses: [DamagedRange]?

  /// Memberwise.
  package init(
    isCleanStop: Bool, recoveryPoint: Int64?, logStartOffset: Int64?, isCompacted: Bool = false,
    isSynced: Bool = false
  ) {
    self.isCleanStop = isCleanStop
    self.recoveryPoint = recoveryPoint
    self.logStartOffset = logStartOffset
    self.isCompacted = isCompacted
    self.isSynced = isSynced
  }
}

/// A store's checkpoints and its clean-shutdown marker, read without a lock.
struct StoreHints: Sendable {
  private var isCleanStop = false
  private var recoveryPoints: [TopicPartition: Int64] = [:]
  private var logStarts = LogStarts()
  private var cleaned: [TopicPartition: Int64] = [:]
  private(set) var journal = JournalContents()

  /// No information.
  init() {}

  /// Reads a store's directory; an unusable checkpoint is ignored.
  init(_ disk: any Disk, directory: String) throws(DiskError) {
    isCleanStop = try disk.status("\(directory)/\(CleanShutdownFile.name)") != nil
    recoveryPoints = try Self.offsets(disk, directory, .recoveryPoint)
    logStarts = try LogStarts(disk, directory: directory)
    cleaned = try Self.offsets(disk, directory, .cleaner)
    journal = try JournalContents(disk, directory: directory)
  }

  /// The information about one log; nil if a directory's name names none.
  func hints(of log: TopicPartition?) -> LogHints {
    var hints = LogHints(
      isCleanStop: isCleanStop, recoveryPoint: log.flatMap { recoveryPoints[$0] },
      logStartOffset: log.flatMap { logStarts.offsets[$0] },
      isCompacted: log.map { cleaned[$0] != nil } ?? false)
    hints.journal = log.flatMap { journal.entries[$0.description] } ?? []
    return hints
  }

  private static func offsets(
    _ disk: any Disk, _ directory: String, _ name: OffsetCheckpoint.Name
  ) throws(DiskError) -> [TopicPartition: Int64] {
    try OffsetCheckpoint.usable(disk, directory: directory, name).offsets
  }
}
