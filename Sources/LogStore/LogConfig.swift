public import RecordFormat

/// What an acknowledgement of an append means.
public enum Durability: Sendable, Equatable {
  /// `append` returns when the data survive a power cut (the default).
  case flushed
  /// `append` returns when the data are with the operating system, which survives the death of the
  /// process; a power cut may take what was appended within the last `milliseconds`.
  case interval(milliseconds: Int)
  /// `append` returns when the data are with the operating system; only rolling and closing sync.
  case operatingSystem
}

extension Durability: CustomStringConvertible {
  /// As shown wherever a log is described.
  public var description: String {
    switch self {
    case .flushed: "flushed"
    case .interval(let milliseconds): "interval:\(milliseconds)ms"
    case .operatingSystem: "os"
    }
  }
}

/// Settings of one log, with Kafka's names and defaults.
public struct LogConfig: Sendable, Equatable {
  /// `segment.bytes`: a segment is rolled before it would exceed this size. 14 … 2^31-1.
  public var segmentBytes = 1_073_741_824
  /// `segment.ms`: a segment that holds data is rolled when it is this old, by the wall clock of
  /// its creation (Kafka: by record time; docs/decisions/0005-roll-by-append-time.md).
  public var segmentMs: Int64 = 604_800_000
  /// `segment.index.bytes`: most bytes of either index of a segment; a full index rolls it.
  public var segmentIndexBytes = 10_485_760
  /// `index.interval.bytes`: an index entry is added when more than this many bytes were appended
  /// since the last.
  public var indexIntervalBytes = 4096
  /// `max.message.bytes`: largest whole batch, as stored.
  public var maxMessageBytes = 1_048_588
  /// How `append(records)` compresses; ready batches keep their own codec.
  public var compression: Compression = .none
  /// `message.timestamp.type`: who says a record's time.
  public var timestampType: TimestampType = .createTime
  /// What an acknowledgement means.
  public var durability: Durability = .flushed

  /// Kafka's defaults.
  public init() {}

  /// Refuses settings that no log can work with.
  package func validate() throws(LogError) {
    func check(_ name: String, _ value: Int64, _ range: ClosedRange<Int64>) throws(LogError) {
      guard range.contains(value) else {
        throw .invalidConfiguration(
          name: name, reason: "\(value) is not in \(range.lowerBound) … \(range.upperBound)")
      }
    }
    try check("segmentBytes", Int64(segmentBytes), 14...Int64(Int32.max))
    try check("segmentMs", segmentMs, 1...Int64.max)
    try check("segmentIndexBytes", Int64(segmentIndexBytes), 24...Int64(Int32.max))
    try check("indexIntervalBytes", Int64(indexIntervalBytes), 0...Int64(Int32.max))
    try check("maxMessageBytes", Int64(maxMessageBytes), 1...Int64(Int32.max))
    if case .interval(let milliseconds) = durability {
      try check("durability interval", Int64(milliseconds), 1...3_600_000)
    }
  }
}
