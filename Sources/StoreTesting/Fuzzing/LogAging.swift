import LogStore

/// What a `LogUse` knows of its log's start, of what may be deleted, and of who still reads it.
struct LogAging {
  /// Records that a reader was given before they were deleted.
  struct Held {
    var records: FileRecords
    var bytes: [UInt8]
    /// Checks since no segment of the log holds them.
    var checksSinceRemoval = 0
  }

  /// Whether the input asks for deletions at all.
  var isOn = false
  let clock: SimulatedClock
  /// nil: a change of them failed half-way.
  var settings: RetentionModel.Settings? = RetentionModel.Settings()
  /// Every batch that was ever in the log and was not truncated.
  var batches: [RetentionModel.Batch] = []
  /// The log's start was durable here, and it was tried to raise it up to there.
  var startMin: Int64 = 0
  var startMax: Int64 = 0
  var held: [Held] = []
  /// The log as it is where a truncation, or its undoing, began and may have counted.
  var alternative: LogModel?
  /// What the last truncation took, where it can be undone.
  var truncated: [LogModel.Batch]?
  /// Wall time at which this session began a segment, by base offset.
  var begun: [Int64: Int64] = [:]
  /// The last segment that the session found: its age is that of its file, by the disk's clock.
  var resumed: Int64?
  /// How often what happened, by name.
  var counts: [String: Int] = [:]

  init(_ clock: SimulatedClock) { self.clock = clock }

  mutating func count(_ name: String, _ number: Int = 1) {
    counts[name, default: 0] += number
  }

  /// All else than the clock and the counts, for a new log.
  mutating func forget() {
    let old = self
    self = LogAging(old.clock)
    (isOn, counts) = (old.isOn, old.counts)
  }
}
