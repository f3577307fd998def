import LogStore

/// The state of a `LogUse` about its log's start, possible deletions, and readers of deleted
/// records.
struct LogAging {
  /// Records that a reader got before they were deleted.
  struct Held {
    var records: FileRecords
    var bytes: [UInt8]
    /// Checks since no segment of the log contained them.
    var checksSinceRemoval = 0
  }

  /// Whether the input uses deletions at all.
  var isOn = false
  let clock: SimulatedClock
  /// nil: a change of them failed half-way.
  var settings: RetentionModel.Settings? = RetentionModel.Settings()
  /// Every batch that was ever in the log and was not truncated.
  var batches: [RetentionModel.Batch] = []
  /// The log's start was durable here; an attempt was made to raise it up to the next value.
  var startMin: Int64 = 0
  var startMax: Int64 = 0
  var held: [Held] = []
  /// The log's alternative content if a truncation, or its undoing, began and may be committed.
  var alternative: LogModel?
  /// What the last truncation removed, if it can be undone.
  var truncated: [LogModel.Batch]?
  /// Wall time at which this session began a segment, by base offset.
  var begun: [Int64: Int64] = [:]
  /// The last segment found by the session: its age is that of its file, by the disk's clock.
  var resumed: Int64?
  /// How often each event happened, by name.
  var counts: [String: Int] = [:]

  init(_ clock: SimulatedClock) { self.clock = clock }

  mutating func count(_ name: String, _ number: Int = 1) {
    counts[name, default: 0] += number
  }

  /// Resets everything except the clock and the counts, for a new log.
  mutating func forget() {
    let old = self
    self = LogAging(old.clock)
    (isOn, counts) = (old.isOn, old.counts)
  }
}
