import Configuration
import DiskIO
import Foundation
import KafkaServer
import LogStore
import Logging
import RecordFormat

/// Everything that `mkstore serve` may be told: on the command line, in the environment, in a file.
struct ServeSettings: Sendable {
  /// The store's directory.
  var data = ""
  /// How the store is opened.
  var store = StoreConfig()
  /// How it is served.
  var broker = BrokerConfig()
  /// Whether others than this machine may be let in.
  var isInsecure = false
  /// What is odd about the settings, for people.
  private(set) var notes: [String] = []
  /// The least that is logged.
  var logLevel = Logger.Level.info

  /// Every setting's name, in the order they are read.
  static let names: [String] = [
    "data", "listen", "advertise", "admin.listen", "insecure", "must.exist", "cores",
    "fetcher.threads", "flusher.threads", "flusher.shared.min", "flusher.core", "durability",
    "kept.bytes.max", "history.lines.max", "accept.losses", "log.level",
    "auto.create.topics.enable", "num.partitions",
    "socket.request.max.bytes", "queued.max.request.bytes", "max.connections",
    "connections.max.idle.ms", "fetch.max.bytes", "segment.bytes", "segment.ms",
    "segment.jitter.ms", "segment.index.bytes", "index.interval.bytes", "max.message.bytes",
    "message.timestamp.type", "message.timestamp.before.max.ms", "message.timestamp.after.max.ms",
    "cleanup.policy", "retention.ms", "retention.bytes", "file.delete.delay.ms",
    "log.retention.check.interval.ms",
  ]

  /// Reads every setting, the command line first, then the environment, then the file.
  init(commandLine: [(name: String, value: String)], file: String?) throws(CommandFailure) {
    let environment = ProcessInfo.processInfo.environment
    let reader = ConfigReader(providers: [
      try Self.provider("command line", commandLine),
      EnvironmentVariablesProvider(),
      try Self.provider("environment", try Self.kafkaVariables(environment)),
      try Self.provider(file ?? "no file", try file.map(Self.read) ?? []),
    ]).scoped(to: "mkstore")
    store.createsStore = true
    store.mapsIndexes = true
    store.log.retentionMs = LogConfig.kafkaRetentionMs
    for name in Self.names {
      guard let value = reader.string(forKey: ConfigKey(name)) else { continue }
      // As Kafka reads its values: without the spaces around them.
      try set(name, Self.trimmed(value))
    }
    noteUnknownVariables(environment.keys.sorted())
    try check()
  }

  static func trimmed(_ value: String) -> String {
    let isSpace: (Character) -> Bool = { $0.isWhitespace }
    let start = value.drop(while: isSpace)
    return String(start.reversed().drop(while: isSpace).reversed())
  }

  /// Said and no more: whoever runs containers sets variables of its own by a service's name.
  mutating func noteUnknownVariables(_ variables: [String]) {
    let known = (Self.names + KafkaBrokerNames.all).map(Self.variable)
    for variable in variables where variable.hasPrefix("MKSTORE_") && !known.contains(variable) {
      let meant = KafkaBrokerNames.nearest(to: variable, in: known)
      notes.append(
        "\(variable) in the environment is no setting"
          + (meant.map { " (\($0) is one)" } ?? "") + "; docs/serving.md lists them")
    }
  }

  /// How the environment spells a setting.
  private static func variable(_ name: String) -> String {
    "MKSTORE_" + name.uppercased().map { $0 == "." ? "_" : $0 }
  }

  /// Settings of the environment that have Kafka's names; the reader finds ours by itself.
  ///
  /// - Throws: `.usage` for settings of encryption and authentication.
  static func kafkaVariables(
    _ environment: [String: String]
  ) throws(CommandFailure) -> [(name: String, value: String)] {
    for variable in environment.keys.sorted() where variable.hasPrefix("MKSTORE_") {
      let name = variable.dropFirst("MKSTORE_".count).lowercased().map { $0 == "_" ? "." : $0 }
      if let reason = KafkaBrokerNames.rejection(of: String(name)) {
        throw .usage("\(variable): \(reason)")
      }
    }
    return KafkaBrokerNames.all.compactMap { name in
      environment[variable(name)].map { (name, $0) }
    }
  }

  private static func provider(
    _ name: String, _ pairs: [(name: String, value: String)]
  ) throws(CommandFailure) -> InMemoryProvider {
    var values: [AbsoluteConfigKey: ConfigValue] = [:]
    for pair in try KafkaBrokerNames.translated(pairs, from: name) {
      guard names.contains(pair.name) else {
        let meant = KafkaBrokerNames.nearest(to: pair.name, in: names + KafkaBrokerNames.all)
        throw .usage(
          "\(name): there is no setting '\(pair.name)'"
            + (meant.map { ", did you mean '\($0)'?" } ?? ";") + " docs/serving.md lists them")
      }
      values[AbsoluteConfigKey(ConfigKey("mkstore.\(pair.name)"))] = ConfigValue(
        .string(pair.value), isSecret: false)
    }
    return InMemoryProvider(name: name, values: values)
  }

  private static func read(_ path: String) throws(CommandFailure) -> [(name: String, value: String)]
  {
    let disk = PosixDisk()
    let kind = try withDiskErrors { () throws(DiskError) in try disk.status(path)?.kind }
    if let kind, kind != .file { throw .failure("\(path) is no regular file") }
    do throws(CheckpointError) {
      guard let bytes = try SmallFile.read(disk, path) else {
        throw CheckpointError.unreadable(path: path, line: nil, what: "there is no such file")
      }
      return try JavaProperties(bytes, path: path).pairs.map { ($0.key, $0.value) }
    } catch {
      throw CommandFailure(error)
    }
  }

  // MARK: Values

  private mutating func set(_ name: String, _ value: String) throws(CommandFailure) {
    switch name {
    case "data": data = value
    case "listen": broker.listen = try endpoint(name, value)
    case "advertise": broker.advertised = try endpoint(name, value)
    case "admin.listen": broker.adminListen = try endpoint(name, value)
    case "insecure": isInsecure = try flag(name, value)
    case "accept.losses": store.acceptsLosses = try flag(name, value)
    case "must.exist": store.createsStore = try !flag(name, value)
    case "cores": broker.cores = try coreList(name, value)
    case "fetcher.threads":
      store.fetcherCores = Array(repeating: nil, count: try number(name, value, 1...64))
    case "flusher.threads": store.flusherThreadsMax = try number(name, value, 1...64)
    case "flusher.shared.min": store.sharedSyncMin = try number(name, value, 0...1_000_000)
    case "flusher.core": store.flusherCore = try number(name, value, 0...1023)
    case "durability":
      guard let durability = DurabilityArgument(argument: value)?.durability else {
        throw .usage("\(name): '\(value)' is none of flushed, interval:MS, os")
      }
      store.log.durability = durability
    case "kept.bytes.max":
      let bytes = try number(name, value, -1...Int.max)
      store.log.keptBytesMax = bytes < 0 ? nil : bytes
    case "history.lines.max": store.log.historyLinesMax = try number(name, value, 1...10_000)
    case "log.level":
      guard let level = Logger.Level(rawValue: value) else {
        let levels = Logger.Level.allCases.map(\.rawValue).joined(separator: ", ")
        throw .usage("\(name): '\(value)' is none of \(levels)")
      }
      logLevel = level
    case "auto.create.topics.enable": broker.createsTopics = try flag(name, value)
    case "num.partitions": broker.defaultPartitions = try number(name, value, 1...10_000)
    case "socket.request.max.bytes":
      broker.requestBytesMax = try number(name, value, 1024...Int(Int32.max))
    case "queued.max.request.bytes":
      broker.bufferedRequestBytesMax = try number(name, value, 1024...Int.max)
    case "max.connections": broker.connectionsMax = try number(name, value, 1...1_000_000)
    case "connections.max.idle.ms":
      broker.connectionIdleMaxMs = try number(name, value, 1...Int64.max / 1_000_000)
    case "log.retention.check.interval.ms":
      store.retentionCheckIntervalMs = try number(name, value, 1...Int(Int32.max))
    case "fetch.max.bytes": broker.fetchBytesMax = try number(name, value, 1...Int(Int32.max))
    default:
      // A topic's setting: the default of topics that say nothing else.
      store.log = try withLogErrors { () throws(LogError) in
        try TopicConfig([name: value]).applied(to: store.log)
      }
    }
  }

  private func endpoint(_ name: String, _ value: String) throws(CommandFailure) -> Endpoint {
    guard let endpoint = Endpoint(value) else {
      throw .usage("\(name): '\(value)' is no HOST:PORT")
    }
    return endpoint
  }

  private func flag(_ name: String, _ value: String) throws(CommandFailure) -> Bool {
    guard let flag = Bool(value.lowercased()) else {
      throw .usage("\(name): '\(value)' is not true or false")
    }
    return flag
  }

  private func number<T: FixedWidthInteger>(
    _ name: String, _ value: String, _ range: ClosedRange<T>
  ) throws(CommandFailure) -> T {
    guard let number = T(value), range.contains(number) else {
      throw .usage(
        "\(name): '\(value)' is no number from \(range.lowerBound) to \(range.upperBound)")
    }
    return number
  }

  private func coreList(_ name: String, _ value: String) throws(CommandFailure) -> [Int] {
    let allowed = AllowedProcessors.list()
    var cores: [Int] = []
    for part in value.split(separator: ",", omittingEmptySubsequences: false) {
      if let core = Int(part), cores.contains(core) {
        throw .usage("\(name): core \(core) is named twice")
      }
      guard let core = Int(part), allowed.contains(core) else {
        throw .usage(
          "\(name): '\(part)' is none of the cores this process may use: "
            + allowed.map(String.init).joined(separator: ","))
      }
      cores.append(core)
    }
    return cores
  }

  // MARK: All together

  private func check() throws(CommandFailure) {
    if data.isEmpty { throw .usage("--data DIR is missing: the store's directory") }
    try withLogErrors { () throws(LogError) in try store.log.validate() }
    for endpoint in [broker.listen, broker.adminListen].compactMap({ $0 })
    where !endpoint.isLoopback && !isInsecure {
      throw .usage(
        "\(endpoint) can be reached from other machines, and there is no encryption and no "
          + "authentication: whoever reaches it may read, write and delete everything. "
          + "Say --insecure if that is meant")
    }
    if broker.listen.isWildcard, broker.advertised == nil {
      throw .usage("--listen \(broker.listen) needs --advertise: clients cannot connect to it")
    }
    if let advertised = broker.advertised, advertised.isWildcard || advertised.port == 0 {
      throw .usage("--advertise \(advertised): clients cannot connect to it")
    }
  }
}
