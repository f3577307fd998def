import LogStore
import Logging
import MkstoreServer

/// A setting of `mkstore serve`: its name, legal values, meaning, and how it is read and shown.
/// `ServeSettings` reads by this table, and `mkstore settings` lists it.
struct ServeSetting: Sendable {
  /// Its name: Kafka's if Kafka has one that means the same.
  let name: String
  /// The description of its values.
  let values: TopicSetting.Values
  /// The form of a value, if `values` does not describe it.
  let form: String?
  /// Its meaning, one sentence.
  let meaning: String
  /// What applies without a value.
  let unset: String?
  /// Stores a value.
  let apply: @Sendable (String, inout ServeSettings) throws(CommandFailure) -> Void
  /// The effective value, as it is read; nil if there is none.
  let stated: @Sendable (ServeSettings) -> String?

  /// For a text of some form, without listed values.
  private init(
    _ name: String, form: String, unset: String?, _ meaning: String,
    apply: @escaping @Sendable (String, inout ServeSettings) throws(CommandFailure) -> Void,
    stated: @escaping @Sendable (ServeSettings) -> String?
  ) {
    self.init(
      name: name, values: .anything, form: form, meaning: meaning, unset: unset, apply: apply,
      stated: stated)
  }

  private init(
    name: String, values: TopicSetting.Values, form: String? = nil, meaning: String,
    unset: String? = nil,
    apply: @escaping @Sendable (String, inout ServeSettings) throws(CommandFailure) -> Void,
    stated: @escaping @Sendable (ServeSettings) -> String?
  ) {
    self.name = name
    self.values = values
    self.form = form
    self.meaning = meaning
    self.unset = unset
    self.apply = apply
    self.stated = stated
  }

  /// The default, as it is read; nil if there is none.
  var standard: String? { stated(ServeSettings()) }

  // MARK: Kinds

  private typealias Path<Value> = any WritableKeyPath<ServeSettings, Value> & Sendable

  private static func flag(
    _ name: String, _ path: Path<Bool>, isInverse: Bool = false, _ meaning: String
  ) -> ServeSetting {
    ServeSetting(
      name: name, values: .oneOf(["true", "false"]), meaning: meaning,
      apply: { (value, settings) throws(CommandFailure) in
        guard let flag = Bool(value.lowercased()) else {
          throw .usage("\(name): '\(value)' is not true or false")
        }
        settings[keyPath: path] = flag != isInverse
      },
      stated: { "\($0[keyPath: path] != isInverse)" })
  }

  private static func number<Value: FixedWidthInteger & Sendable>(
    _ name: String, _ range: ClosedRange<Value>, _ path: Path<Value>, _ meaning: String
  ) -> ServeSetting {
    number(
      name, range, meaning, set: { $1[keyPath: path] = $0 },
      get: { $0[keyPath: path] })
  }

  private static func number<Value: FixedWidthInteger & Sendable>(
    _ name: String, _ range: ClosedRange<Value>, unset: String? = nil, _ meaning: String,
    set: @escaping @Sendable (Value, inout ServeSettings) -> Void,
    get: @escaping @Sendable (ServeSettings) -> Value?
  ) -> ServeSetting {
    ServeSetting(
      name: name, values: .integer(Int64(range.lowerBound)...Int64(range.upperBound)),
      meaning: meaning, unset: unset,
      apply: { (value, settings) throws(CommandFailure) in
        guard let number = Value(value), range.contains(number) else {
          throw .usage(
            "\(name): '\(value)' is not a number from \(range.lowerBound) to \(range.upperBound)")
        }
        set(number, &settings)
      },
      stated: { get($0).map { "\($0)" } })
  }

  private static func endpoint(
    _ name: String, unset: String?, _ path: Path<Endpoint?>, _ meaning: String
  ) -> ServeSetting {
    ServeSetting(
      name, form: "HOST:PORT", unset: unset, meaning,
      apply: { (value, settings) throws(CommandFailure) in
        settings[keyPath: path] = try ServeSetting.endpoint(name, value)
      },
      stated: { $0[keyPath: path]?.description })
  }

  private static func endpoint(_ name: String, _ value: String) throws(CommandFailure) -> Endpoint {
    guard let endpoint = Endpoint(value) else {
      throw .usage("\(name): '\(value)' is not HOST:PORT")
    }
    return endpoint
  }

  /// A topic's setting: the default for topics without their own.
  private static func topic(_ name: String, _ setting: TopicSetting) -> ServeSetting {
    ServeSetting(
      name: name, values: setting.values, meaning: setting.meaning,
      apply: { (value, settings) throws(CommandFailure) in
        let base = settings.store.log
        settings.store.log = try withLogErrors { () throws(LogError) in
          try TopicConfig([name: value]).applied(to: base)
        }
      },
      stated: { setting.stated(by: $0.store.log) ?? setting.standard })
  }

  // MARK: The table

  /// Every setting, in the order in which they are read.
  static let all: [ServeSetting] = own + topics

  /// Settings of topics that the server has for all: those that are applied. A setting that
  /// replaces two unset others comes after them.
  private static let topics: [ServeSetting] = TopicSetting.all.filter { name, setting in
    setting.effect == .acts || name == "message.timestamp.difference.max.ms"
  }.sorted { $0.key < $1.key }.map(topic)

  private static let own: [ServeSetting] = addresses + threads + keeping + serving

  private static let addresses = [
    ServeSetting(
      "data", form: "a path", unset: "must be given",
      "The store's directory; if it is missing or empty, a store is created, unless must.exist.",
      apply: { (value, settings) in settings.data = value },
      stated: { $0.data.isEmpty ? nil : $0.data }),
    ServeSetting(
      "listen", form: "HOST:PORT", unset: nil, "Where clients connect.",
      apply: { (value, settings) throws(CommandFailure) in
        settings.broker.listen = try endpoint("listen", value)
      },
      stated: { $0.broker.listen.description }),
    endpoint(
      "advertise", unset: "as listen", \.broker.advertised,
      "Address given to clients to connect to."),
    endpoint(
      "admin.listen", unset: "nowhere", \.broker.adminListen,
      "Where metrics and health are served over HTTP."),
    flag("insecure", \.isInsecure, "Whether addresses beyond this machine are allowed."),
    flag(
      "must.exist", \.store.createsStore, isInverse: true,
      "Whether a missing or empty directory is refused: it may be a volume that is not mounted."),
  ]

  private static let threads = [
    ServeSetting(
      "cores", form: "comma-separated core numbers", unset: "all, unpinned",
      "Cores of the event loops, one each.",
      apply: { (value, settings) throws(CommandFailure) in
        settings.broker.cores = try ServeSettings.cores("cores", value)
      },
      stated: { settings in
        let cores = settings.broker.cores
        return cores.isEmpty ? nil : cores.map(String.init).joined(separator: ",")
      }),
    number(
      "fetcher.threads", 1...64, "Threads for reads that may wait for the disk.",
      set: { $1.store.fetcherCores = Array(repeating: nil, count: $0) },
      get: { $0.store.fetcherCores.count }),
    number(
      "flusher.threads", 1...64, \.store.flusherThreadsMax,
      "Most threads that sync logs at once; one always runs."),
    number(
      "flusher.journal.min", 0...1_000_000, \.store.journalLogsMin,
      "Number of logs that are made durable at once from which the journal is used; 0: never."),
    number(
      "flusher.journal.bytes", 131_072...Int.max, \.store.journalBytesMax,
      "Most bytes that the journal's files take."),
    number(
      "flusher.core", 0...1023, unset: "any", "Core of the threads that sync.",
      set: { $1.store.flusherCore = $0 }, get: { $0.store.flusherCore }),
  ]

  private static let keeping = [
    ServeSetting(
      "durability", form: "flushed, interval:MS, os", unset: nil,
      "What an acknowledgement means: on disk, on disk within MS, or with the system.",
      apply: { (value, settings) throws(CommandFailure) in
        guard let durability = DurabilityArgument(argument: value)?.durability else {
          throw .usage("durability: '\(value)' is none of flushed, interval:MS, os")
        }
        settings.store.log.durability = durability
      },
      stated: { $0.store.log.durability.description }),
    number(
      "kept.bytes.max", -1...Int.max,
      "Most bytes that recovery keeps in each log's .bad/; -1: no bound.",
      set: { $1.store.log.keptBytesMax = $0 < 0 ? nil : $0 },
      get: { $0.store.log.keptBytesMax ?? -1 }),
    number(
      "history.lines.max", 1...10_000, \.store.log.historyLinesMax,
      "Most lines of each log's mkstore.history."),
    flag(
      "accept.losses", \.store.acceptsLosses,
      "Whether damage is accepted when it is found, so that consumers skip it."),
    number(
      "log.retention.check.interval.ms", 1...Int(Int32.max), \.store.retentionCheckIntervalMs,
      "How often retention checks each log."),
    number(
      "log.flush.offset.checkpoint.interval.ms", 1...Int(Int32.max), \.store.checkpointIntervalMs,
      "How often the checkpoints are written."),
    number(
      "producer.id.expiration.ms", 1...Int64.max, \.store.producerExpirationMs,
      "How long the state of an idle idempotent producer is kept."),
  ]

  private static let serving = [
    ServeSetting(
      name: "log.level", values: .oneOf(Logger.Level.allCases.map(\.rawValue)),
      meaning: "Lowest level that is logged.",
      apply: { (value, settings) throws(CommandFailure) in
        guard let level = Logger.Level(rawValue: value) else {
          let levels = Logger.Level.allCases.map(\.rawValue).joined(separator: ", ")
          throw .usage("log.level: '\(value)' is none of \(levels)")
        }
        settings.logLevel = level
      },
      stated: { $0.logLevel.rawValue }),
    flag(
      "auto.create.topics.enable", \.broker.createsTopics,
      "Whether a request for a topic creates it."),
    number(
      "num.partitions", 1...10_000, \.broker.defaultPartitions,
      "Partitions of a topic that is created without a number."),
    number(
      "socket.request.max.bytes", 1024...Int(Int32.max), \.broker.requestBytesMax,
      "Largest request."),
    number(
      "queued.max.request.bytes", 1024...Int.max, \.broker.bufferedRequestBytesMax,
      "Most bytes of unfinished or waiting requests, over all connections."),
    number(
      "max.connections", 1...1_000_000, \.broker.connectionsMax, "Most connections at once."),
    number(
      "connections.max.idle.ms", 1...Int64.max / 1_000_000, \.broker.connectionIdleMaxMs,
      "Time after which an idle connection is closed."),
    number(
      "fetch.max.bytes", 1...Int(Int32.max), \.broker.fetchBytesMax,
      "Largest answer to a fetch, except for a larger first batch."),
  ]
}
