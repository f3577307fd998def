internal import RecordFormat

/// One of Kafka's topic settings: which values it accepts and what they do here.
///
/// Source: Kafka's `TopicConfig`, `LogConfig` and `ServerTopicConfigSynonyms` (3.9).
package struct TopicSetting: Sendable {
  /// Which values are legal.
  package enum Values: Sendable {
    case integer(ClosedRange<Int64>)
    case number(ClosedRange<Double>)
    case oneOf([String])
    /// One or more of these, separated by commas.
    case someOf([String])
    /// Any list, separated by commas.
    case list
    case anything
  }

  package let values: Values
  package let effect: TopicConfig.Effect
  /// Kafka's default.
  package let standard: String
  /// Its name in Kafka's broker settings; nil if only topics have it.
  package let brokerName: String?
  /// Its meaning, one sentence.
  package private(set) var meaning = ""
  private let set: (@Sendable (String, inout LogConfig) -> Void)?
  private let get: (@Sendable (LogConfig) -> String)?
  /// Whether a log with these settings does what the value asks for, although it does not apply the
  /// setting; nil: any value may be set.
  private let isMet: (@Sendable (String, LogConfig) -> Bool)?

  /// What is wrong with a value; nil if it is legal.
  package func check(_ value: String) -> String? {
    switch values {
    case .integer(let range):
      guard let number = Int64(value), range.contains(number) else {
        return "'\(value)' is not an integer in \(range.lowerBound) … \(range.upperBound)"
      }
    case .number(let range):
      guard let number = Double(value), range.contains(number) else {
        return "'\(value)' is not a number in \(range.lowerBound) … \(range.upperBound)"
      }
    case .oneOf(let names):
      if !names.contains(value) {
        return "'\(value)' is none of \(names.joined(separator: ", "))"
      }
    case .someOf(let names):
      let given = Self.elements(value)
      if given.isEmpty || !given.allSatisfy(names.contains) {
        return "'\(value)' is not a list of \(names.joined(separator: ", "))"
      }
    case .list, .anything: break
    }
    return nil
  }

  /// Why a legal value cannot be set: it asks for what this engine does not do. nil if it can.
  package func rejection(of value: String, in config: LogConfig) -> String? {
    guard let isMet, case .kept(let why) = effect, !isMet(value, config) else { return nil }
    return "mkstore does not implement '\(value)': \(why)"
  }

  /// Whether values are lists, to which elements can be added.
  var isList: Bool {
    switch values {
    case .someOf, .list: true
    default: false
    }
  }

  /// The elements of a list's value.
  static func elements(_ value: String) -> [String] {
    value.split(separator: ",").map { String($0.filter { $0 != " " }) }
  }

  private func means(_ text: String) -> TopicSetting {
    var setting = self
    setting.meaning = text
    return setting
  }

  func apply(_ value: String, to config: inout LogConfig) { set?(value, &config) }

  /// The value in a log's configuration; nil for settings that are not applied.
  package func stated(by config: LogConfig) -> String? { get?(config) }

  /// The applied settings of a log's configuration.
  static func stated(by config: LogConfig) -> [String: String] {
    all.compactMapValues { $0.stated(by: config) }
  }

  /// Kafka's number for the type of the values.
  package var typeNumber: Int8 {
    switch values {
    case .oneOf(["true", "false"]): 1
    case .oneOf, .anything: 2
    case .integer(let range): range.upperBound > Int64(Int32.max) ? 5 : 3
    case .number: 6
    case .someOf, .list: 7
    }
  }

  // MARK: The table

  package static let all: [String: TopicSetting] = acting.merging(kept) { acting, _ in acting }

  private static let int32Max = Int64(Int32.max)
  private static let flag = Values.oneOf(["true", "false"])

  private static func integer(
    _ brokerName: String, _ range: ClosedRange<Int64>,
    _ path: any WritableKeyPath<LogConfig, Int> & Sendable, min: Int
  ) -> TopicSetting {
    TopicSetting(
      values: .integer(range), effect: .acts, standard: String(LogConfig()[keyPath: path]),
      brokerName: brokerName,
      set: { value, config in config[keyPath: path] = max(min, Int(value) ?? min) },
      get: { String($0[keyPath: path]) }, isMet: nil)
  }

  private static func long(
    _ brokerName: String, _ path: any WritableKeyPath<LogConfig, Int64> & Sendable,
    min: Int64 = 0, standard: Int64? = nil
  ) -> TopicSetting {
    TopicSetting(
      values: .integer(min...Int64.max), effect: .acts,
      standard: String(standard ?? LogConfig()[keyPath: path]), brokerName: brokerName,
      set: { value, config in config[keyPath: path] = Int64(value) ?? config[keyPath: path] },
      get: { String($0[keyPath: path]) }, isMet: nil)
  }

  private static let acting: [String: TopicSetting] = [
    "segment.bytes": integer("log.segment.bytes", 14...int32Max, \.segmentBytes, min: 14)
      .means("Largest size of a segment file."),
    "segment.index.bytes": integer(
      "log.index.size.max.bytes", 4...int32Max, \.segmentIndexBytes, min: 24
    )
    .means("Largest size of each index of a segment; when one is full, the segment is rolled."),
    "index.interval.bytes": integer(
      "log.index.interval.bytes", 0...int32Max, \.indexIntervalBytes, min: 0
    )
    .means("Bytes of records between two entries of an index."),
    "max.message.bytes": integer("message.max.bytes", 0...int32Max, \.maxMessageBytes, min: 1)
      .means("Largest batch that is accepted, as stored."),
    "segment.ms": long("log.roll.ms", \.segmentMs, min: 1)
      .means("Age at which a segment that holds records is rolled."),
    "segment.jitter.ms": long("log.roll.jitter.ms", \.segmentJitterMs)
      .means("Largest random time taken off segment.ms, so that logs do not roll together."),
    "file.delete.delay.ms": long("log.segment.delete.delay.ms", \.fileDeleteDelayMs)
      .means("How long files of deleted segments stay on disk."),
    "retention.ms": long(
      "log.retention.ms", \.retentionMs, min: -1, standard: LogConfig.kafkaRetentionMs
    )
    .means("Age at which records are deleted, a segment at a time; -1: never."),
    "retention.bytes": long("log.retention.bytes", \.retentionBytes, min: -1)
      .means("Size of a partition beyond which its oldest segments are deleted; -1: none."),
    "cleanup.policy": TopicSetting(
      values: .someOf(["delete", "compact"]), effect: .acts, standard: "delete",
      brokerName: "log.cleanup.policy",
      set: { value, config in
        config.cleanupPolicy = []
        if value.contains("delete") { config.cleanupPolicy.insert(.delete) }
        if value.contains("compact") { config.cleanupPolicy.insert(.compact) }
      },
      get: { $0.cleanupPolicy.description }, isMet: nil
    )
    .means("How old records are removed: delete by retention; compact removes nothing yet."),
    "message.timestamp.type": TopicSetting(
      values: .oneOf(["CreateTime", "LogAppendTime"]), effect: .acts, standard: "CreateTime",
      brokerName: "log.message.timestamp.type",
      set: { value, config in
        config.timestampType = value == "LogAppendTime" ? .logAppendTime : .createTime
      },
      get: { $0.timestampType == .logAppendTime ? "LogAppendTime" : "CreateTime" }, isMet: nil
    )
    .means("Timestamps of records: the producer's, or the time of the append."),
    "message.timestamp.before.max.ms": long(
      "log.message.timestamp.before.max.ms", \.timestampBeforeMaxMs
    )
    .means("How old a record's time may be; older ones are refused."),
    "message.timestamp.after.max.ms": long(
      "log.message.timestamp.after.max.ms", \.timestampAfterMaxMs
    )
    .means("How far in the future a record's time may be; others are refused."),
    "message.timestamp.difference.max.ms": TopicSetting(
      values: .integer(0...Int64.max),
      effect: .kept(
        "counts as message.timestamp.before.max.ms and message.timestamp.after.max.ms if these "
          + "are not set"),
      standard: String(Int64.max), brokerName: "log.message.timestamp.difference.max.ms",
      set: { value, config in
        guard let limit = Int64(value) else { return }
        if config.timestampBeforeMaxMs == .max { config.timestampBeforeMaxMs = limit }
        if config.timestampAfterMaxMs == .max { config.timestampAfterMaxMs = limit }
      },
      get: nil, isMet: nil
    )
    .means("Both limits of record times at once, if they are not set."),
    "compression.type": TopicSetting(
      values: .oneOf(["uncompressed", "zstd", "lz4", "snappy", "gzip", "producer"]),
      effect: .kept(
        "batches keep their producer's codec; only records that are appended in process are "
          + "compressed by it, with zstd or not at all"),
      standard: "producer", brokerName: "compression.type",
      set: { value, config in
        switch value {
        case "zstd": config.compression = .zstd
        case "uncompressed": config.compression = .none
        default: break
        }
      },
      get: nil, isMet: nil
    )
    .means("Codec of stored batches."),
  ]

  /// Settings without effect here. Only values that ask for what happens anyway can be set; topics
  /// that have others, from before that was checked, keep them.
  private static let kept: [String: TopicSetting] = {
    func keep(
      _ values: Values, _ standard: String, _ brokerName: String?, _ why: String,
      met: (@Sendable (String, LogConfig) -> Bool)? = nil
    ) -> TopicSetting {
      TopicSetting(
        values: values, effect: .kept(why), standard: standard, brokerName: brokerName, set: nil,
        get: nil,
        isMet: met ?? { value, _ in
          // Compare as numbers if both are: 0.50 is 0.5.
          if let number = Double(value), let usual = Double(standard) { return number == usual }
          return value == standard
        })
    }
    let time = Values.integer(0...Int64.max)
    let most = String(Int64.max)
    let compaction = "logs are not compacted"
    let durability = "the store's durability decides when a log is synced"
    let single = "there is one replica"
    let tiers = "segments are kept on this disk"
    let codecs = "batches keep their producer's codec"
    return [
      "delete.retention.ms": keep(
        time, "86400000", "log.cleaner.delete.retention.ms", compaction
      )
      .means("How long compaction keeps tombstones."),
      "min.compaction.lag.ms": keep(time, "0", "log.cleaner.min.compaction.lag.ms", compaction)
        .means("How long a record is not compacted."),
      "max.compaction.lag.ms": keep(
        .integer(1...Int64.max), most, "log.cleaner.max.compaction.lag.ms", compaction
      )
      .means("How long a record may wait for compaction."),
      "min.cleanable.dirty.ratio": keep(
        .number(0...1), "0.5", "log.cleaner.min.cleanable.ratio", compaction
      )
      .means("Smallest share of uncompacted bytes at which a log is compacted."),
      // In the mode `flushed` each batch is synced before it is acknowledged, whatever these say.
      "flush.messages": keep(
        .integer(1...Int64.max), most, "log.flush.interval.messages", durability,
        met: { $0 == String(Int64.max) || $1.durability == .flushed }
      )
      .means("Records after which a log is synced."),
      "flush.ms": keep(
        time, most, "log.flush.interval.ms", durability,
        met: { $0 == String(Int64.max) || $1.durability == .flushed }
      )
      .means("Time after which a log is synced."),
      "preallocate": keep(flag, "false", "log.preallocate", "log files grow as they are written")
        .means("Whether a new segment's file gets its full size at once."),
      "min.insync.replicas": keep(.integer(1...int32Max), "1", "min.insync.replicas", single)
        .means("Replicas that must have a record before it is acknowledged to acks=all."),
      "unclean.leader.election.enable": keep(
        flag, "false", "unclean.leader.election.enable", single, met: { _, _ in true }
      )
      .means("Whether a replica that is not in sync may become the leader."),
      "leader.replication.throttled.replicas": keep(
        .list, "", nil, single, met: { _, _ in true }
      )
      .means("Replicas to which the leader limits its sending rate."),
      "follower.replication.throttled.replicas": keep(
        .list, "", nil, single, met: { _, _ in true }
      )
      .means("Replicas that limit their fetching rate."),
      "message.downconversion.enable": keep(
        flag, "true", "log.message.downconversion.enable",
        "batches are served as they are stored, to clients that read format 2",
        met: { _, _ in true }
      )
      .means("Whether batches are converted for clients of older formats."),
      "message.format.version": keep(
        .anything, "3.0-IV1", "log.message.format.version", "batches are written in format 2",
        met: { value, _ in !["0.8", "0.9", "0.10"].contains { value.hasPrefix($0) } }
      )
      .means("The format in which batches are stored."),
      "compression.gzip.level": keep(
        .integer(-1...9), "-1", "compression.gzip.level", codecs
      )
      .means("Compression level of gzip."),
      "compression.lz4.level": keep(.integer(1...17), "9", "compression.lz4.level", codecs)
        .means("Compression level of LZ4."),
      "compression.zstd.level": keep(
        .integer(-131_072...22), "3", "compression.zstd.level", codecs
      )
      .means("Compression level of Zstandard."),
      "remote.storage.enable": keep(flag, "false", nil, tiers)
        .means("Whether old segments are moved to remote storage."),
      "remote.log.copy.disable": keep(flag, "false", nil, tiers)
        .means("Whether moving segments to remote storage is stopped."),
      "remote.log.delete.on.disable": keep(flag, "false", nil, tiers)
        .means("Whether segments in remote storage are deleted when it is disabled."),
      "local.retention.ms": keep(
        .integer(-2...Int64.max), "-2", "log.local.retention.ms", tiers
      )
      .means("Age at which records that are in remote storage are deleted here."),
      "local.retention.bytes": keep(
        .integer(-2...Int64.max), "-2", "log.local.retention.bytes", tiers
      )
      .means("Size beyond which segments that are in remote storage are deleted here."),
    ]
  }()
}
