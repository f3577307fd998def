public import RecordFormat

/// What an acknowledgement of an append means.
///
/// ```swift
/// var config = StoreConfig()
/// config.log.durability = .interval(milliseconds: 200)
/// let store = try await Store.open("data", config: config)
/// ```
public enum Durability: Sendable, Equatable {
  /// `append` returns when the data survive a power cut (the default).
  case flushed
  /// `append` returns when the data are with the operating system, which survives the death of the
  /// process. A power cut may take what was appended within the last `milliseconds`.
  case interval(milliseconds: Int)
  /// `append` returns when the data are with the operating system; only rolling and closing sync.
  case operatingSystem
}

extension Durability: CustomStringConvertible {
  /// As shown in every description of a log.
  public var description: String {
    switch self {
    case .flushed: "flushed"
    case .interval(let milliseconds): "interval:\(milliseconds)ms"
    case .operatingSystem: "os"
    }
  }
}

/// What happens to a log's old records (`cleanup.policy`).
///
/// ```swift
/// if log.config.cleanupPolicy.contains(.compact) { print("each record needs a key") }
/// ```
public struct CleanupPolicy: OptionSet, Sendable {
  /// The policies as bits.
  public let rawValue: UInt8

  /// Takes over the bits.
  public init(rawValue: UInt8) { self.rawValue = rawValue }

  /// Segments are deleted by `retention.ms` and `retention.bytes`.
  public static let delete = CleanupPolicy(rawValue: 1)
  /// Only the last record of each key is kept. Logs are not compacted yet, but records without a
  /// key are refused, as in Kafka.
  public static let compact = CleanupPolicy(rawValue: 2)
}

extension CleanupPolicy: CustomStringConvertible {
  /// As Kafka writes it: `delete`, `compact` or `compact,delete`.
  public var description: String {
    [(CleanupPolicy.compact, "compact"), (.delete, "delete")].filter { contains($0.0) }
      .map(\.1).joined(separator: ",")
  }
}

/// Settings of one log, with Kafka's names and defaults, except for retention: by default a log
/// deletes nothing.
///
/// ```swift
/// var config = StoreConfig()
/// config.log.retentionMs = 7 * 86_400_000
/// config.log.durability = .interval(milliseconds: 200)
/// ```
public struct LogConfig: Sendable, Equatable {
  /// `segment.bytes`: a segment is rolled before it would exceed this size. 14 … 2^31-1.
  public var segmentBytes = 1_073_741_824
  /// `segment.ms`: a segment that holds data is rolled when it is this old, by the wall clock of
  /// its creation (Kafka: by record time; docs/decisions/0005-roll-by-append-time.md).
  public var segmentMs: Int64 = 604_800_000
  /// `segment.jitter.ms`: a segment is rolled up to this much earlier than `segmentMs`, at random,
  /// so that logs that began together do not roll together.
  public var segmentJitterMs: Int64 = 0
  /// `segment.index.bytes`: most bytes of either index of a segment; a full index rolls it.
  public var segmentIndexBytes = 10_485_760
  /// `index.interval.bytes`: an index entry is added when more than this many bytes were appended
  /// since the last.
  public var indexIntervalBytes = 4096
  /// `max.message.bytes`: largest whole batch, as stored.
  public var maxMessageBytes = 1_048_588
  /// How `append(records)` compresses; ready batches keep their own codec.
  public var compression: Compression = .none
  /// `message.timestamp.type`: who sets a record's time.
  public var timestampType: TimestampType = .createTime
  /// `message.timestamp.before.max.ms`: a ready batch with a record older than this is refused if
  /// producers set the time. `Int64.max`: never.
  public var timestampBeforeMaxMs = Int64.max
  /// `message.timestamp.after.max.ms`: the same for a record that is further in the future.
  public var timestampAfterMaxMs = Int64.max
  /// `cleanup.policy`: whether retention deletes old segments.
  public var cleanupPolicy: CleanupPolicy = .delete
  /// `retention.ms`: a segment is deleted once its latest record is older than this. -1: never,
  /// which is the default here (Kafka: seven days).
  public var retentionMs: Int64 = -1
  /// `retention.bytes`: the oldest segments are deleted while the others hold at least this many
  /// bytes. -1: no limit.
  public var retentionBytes: Int64 = -1
  /// Whether record times in the future keep a segment, and all later ones, until then, as in
  /// Kafka. By default a time further ahead than `timestampAfterMaxMs`, or than a day if that is no
  /// limit, does not count, and the segment's last write is used
  /// (docs/decisions/0030-retention.md).
  public var trustsFutureTimes = false
  /// `file.delete.delay.ms`: how long the files of a removed segment stay on disk, under other
  /// names; readers that found records there before can continue for at most twice as long.
  public var fileDeleteDelayMs: Int64 = 60_000
  /// What an acknowledgement means.
  public var durability: Durability = .flushed
  /// Most bytes in the log's `.bad/`, where recovery keeps what it removes from the log; nil: no
  /// bound. An opening removes the oldest files beyond it, never those that it kept itself.
  public var keptBytesMax: Int?
  /// Most lines of the log's `mkstore.history`, 1 … 10,000; the oldest are removed first.
  public var historyLinesMax = 200

  /// Kafka's defaults, except for `retentionMs`.
  public init() {}

  /// Kafka's default of `retention.ms`: seven days.
  public static let kafkaRetentionMs: Int64 = 604_800_000

  /// Whether a retention rule may ever delete a segment of the log.
  package var hasRetention: Bool {
    cleanupPolicy.contains(.delete) && (retentionMs >= 0 || retentionBytes >= 0)
  }

  /// Refuses settings that no log can work with.
  package func validate() throws(LogError) {
    let int32Max = Int(Int32.max)
    try LogError.check("segmentBytes", segmentBytes, 14...int32Max)
    try LogError.check("segmentMs", segmentMs, 1...Int64.max)
    try LogError.check("segmentJitterMs", segmentJitterMs, 0...Int64.max)
    try LogError.check("retentionMs", retentionMs, -1...Int64.max)
    try LogError.check("retentionBytes", retentionBytes, -1...Int64.max)
    try LogError.check("segmentIndexBytes", segmentIndexBytes, 24...int32Max)
    try LogError.check("indexIntervalBytes", indexIntervalBytes, 0...int32Max)
    try LogError.check("maxMessageBytes", maxMessageBytes, 1...int32Max)
    try LogError.check("timestampBeforeMaxMs", timestampBeforeMaxMs, 0...Int64.max)
    try LogError.check("timestampAfterMaxMs", timestampAfterMaxMs, 0...Int64.max)
    try LogError.check("fileDeleteDelayMs", fileDeleteDelayMs, 0...Int64.max)
    if let keptBytesMax { try LogError.check("keptBytesMax", keptBytesMax, 0...Int.max) }
    try LogError.check("historyLinesMax", historyLinesMax, 1...10_000)
    if case .interval(let milliseconds) = durability {
      try LogError.check("durability interval", milliseconds, 1...3_600_000)
    }
  }
}

extension LogError {
  /// Refuses a setting that is out of its range.
  static func check<Value>(
    _ name: String, _ value: Value, _ range: ClosedRange<Value>
  ) throws(LogError) {
    guard range.contains(value) else {
      throw .invalidConfiguration(
        name: name, reason: "\(value) is not in \(range.lowerBound) … \(range.upperBound)")
    }
  }
}
