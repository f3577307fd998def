internal import RecordFormat

/// One of Kafka's topic settings: which values it takes and what they do here.
///
/// Source: Kafka's `TopicConfig` and `LogConfig` (3.9).
struct TopicSetting: Sendable {
  /// Which values are legal.
  enum Values: Sendable {
    case integer(ClosedRange<Int64>)
    case number(ClosedRange<Double>)
    case oneOf([String])
    /// One or more of these, by commas.
    case someOf([String])
    case anything
  }

  let values: Values
  let effect: TopicConfig.Effect
  private let set: (@Sendable (String, inout LogConfig) -> Void)?
  private let get: (@Sendable (LogConfig) -> String)?

  /// What is wrong with a value; nil where it is legal.
  func check(_ value: String) -> String? {
    switch values {
    case .integer(let range):
      guard let number = Int64(value), range.contains(number) else {
        return "'\(value)' is no integer in \(range.lowerBound) … \(range.upperBound)"
      }
    case .number(let range):
      guard let number = Double(value), range.contains(number) else {
        return "'\(value)' is no number in \(range.lowerBound) … \(range.upperBound)"
      }
    case .oneOf(let names):
      if !names.contains(value) {
        return "'\(value)' is none of \(names.joined(separator: ", "))"
      }
    case .someOf(let names):
      let given = value.split(separator: ",").map { String($0.filter { $0 != " " }) }
      if given.isEmpty || !given.allSatisfy(names.contains) {
        return "'\(value)' is no list of \(names.joined(separator: ", "))"
      }
    case .anything: break
    }
    return nil
  }

  func apply(_ value: String, to config: inout LogConfig) { set?(value, &config) }

  /// The settings that act, as a log's configuration states them.
  static func stated(by config: LogConfig) -> [String: String] {
    all.compactMapValues { $0.get?(config) }
  }

  // MARK: The table

  static let all: [String: TopicSetting] = acting.merging(kept) { acting, _ in acting }

  private static let int32Max = Int64(Int32.max)
  private static let flag = Values.oneOf(["true", "false"])

  private static func integer(
    _ range: ClosedRange<Int64>, _ path: any WritableKeyPath<LogConfig, Int> & Sendable,
    min: Int
  ) -> TopicSetting {
    TopicSetting(
      values: .integer(range), effect: .acts,
      set: { value, config in config[keyPath: path] = max(min, Int(value) ?? min) },
      get: { String($0[keyPath: path]) })
  }

  private static func timeLimit(
    _ path: any WritableKeyPath<LogConfig, Int64> & Sendable, min: Int64 = 0
  ) -> TopicSetting {
    TopicSetting(
      values: .integer(min...Int64.max), effect: .acts,
      set: { value, config in config[keyPath: path] = Int64(value) ?? config[keyPath: path] },
      get: { String($0[keyPath: path]) })
  }

  private static let acting: [String: TopicSetting] = [
    "segment.bytes": integer(14...int32Max, \.segmentBytes, min: 14),
    "segment.index.bytes": integer(4...int32Max, \.segmentIndexBytes, min: 24),
    "index.interval.bytes": integer(0...int32Max, \.indexIntervalBytes, min: 0),
    "max.message.bytes": integer(0...int32Max, \.maxMessageBytes, min: 1),
    "segment.ms": TopicSetting(
      values: .integer(1...Int64.max), effect: .acts,
      set: { value, config in config.segmentMs = Int64(value) ?? config.segmentMs },
      get: { String($0.segmentMs) }),
    "segment.jitter.ms": timeLimit(\.segmentJitterMs),
    "file.delete.delay.ms": timeLimit(\.fileDeleteDelayMs),
    "retention.ms": timeLimit(\.retentionMs, min: -1),
    "retention.bytes": timeLimit(\.retentionBytes, min: -1),
    "cleanup.policy": TopicSetting(
      values: .someOf(["delete", "compact"]), effect: .acts,
      set: { value, config in
        config.cleanupPolicy = []
        if value.contains("delete") { config.cleanupPolicy.insert(.delete) }
        if value.contains("compact") { config.cleanupPolicy.insert(.compact) }
      },
      get: { $0.cleanupPolicy.description }),
    "message.timestamp.type": TopicSetting(
      values: .oneOf(["CreateTime", "LogAppendTime"]), effect: .acts,
      set: { value, config in
        config.timestampType = value == "LogAppendTime" ? .logAppendTime : .createTime
      },
      get: { $0.timestampType == .logAppendTime ? "LogAppendTime" : "CreateTime" }),
    "message.timestamp.before.max.ms": timeLimit(\.timestampBeforeMaxMs),
    "message.timestamp.after.max.ms": timeLimit(\.timestampAfterMaxMs),
    "message.timestamp.difference.max.ms": TopicSetting(
      values: .integer(0...Int64.max),
      effect: .kept(
        "counts as message.timestamp.before.max.ms and message.timestamp.after.max.ms where these "
          + "are not stated"),
      set: { value, config in
        guard let limit = Int64(value) else { return }
        if config.timestampBeforeMaxMs == .max { config.timestampBeforeMaxMs = limit }
        if config.timestampAfterMaxMs == .max { config.timestampAfterMaxMs = limit }
      },
      get: nil),
    "compression.type": TopicSetting(
      values: .oneOf(["uncompressed", "zstd", "lz4", "snappy", "gzip", "producer"]),
      effect: .kept(
        "batches keep their producer's codec; only records that are appended in process are "
          + "compressed by it, with zstd or not at all"),
      set: { value, config in
        switch value {
        case "zstd": config.compression = .zstd
        case "uncompressed": config.compression = .none
        default: break
        }
      },
      get: nil),
  ]

  private static let kept: [String: TopicSetting] = {
    func keep(_ values: Values, _ why: String) -> TopicSetting {
      TopicSetting(values: values, effect: .kept(why), set: nil, get: nil)
    }
    let time = Values.integer(0...Int64.max)
    let compaction = "logs are not compacted"
    let durability = "the store's durability decides when a log is synced"
    let single = "there is one replica"
    let tiers = "segments are kept on this disk"
    return [
      "delete.retention.ms": keep(time, compaction),
      "min.compaction.lag.ms": keep(time, compaction),
      "max.compaction.lag.ms": keep(.integer(1...Int64.max), compaction),
      "min.cleanable.dirty.ratio": keep(.number(0...1), compaction),
      "flush.messages": keep(.integer(1...Int64.max), durability),
      "flush.ms": keep(time, durability),
      "preallocate": keep(flag, "log files grow as they are written"),
      "min.insync.replicas": keep(.integer(1...int32Max), single),
      "unclean.leader.election.enable": keep(flag, single),
      "leader.replication.throttled.replicas": keep(.anything, single),
      "follower.replication.throttled.replicas": keep(.anything, single),
      "message.downconversion.enable": keep(flag, "batches are served as they are stored"),
      "message.format.version": keep(.anything, "batches are written in format 2"),
      "remote.storage.enable": keep(flag, tiers),
      "local.retention.ms": keep(.integer(-2...Int64.max), tiers),
      "local.retention.bytes": keep(.integer(-2...Int64.max), tiers),
    ]
  }()
}
