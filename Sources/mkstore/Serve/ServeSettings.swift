import Configuration
import DiskIO
import Foundation
import LogStore
import Logging
import MkstoreServer

/// All settings of `mkstore serve`: from the command line, the environment and a file.
struct ServeSettings: Sendable {
  /// The store's directory.
  var data = ""
  /// How the store is opened.
  var store = StoreConfig()
  /// How it is served.
  var broker = BrokerConfig()
  /// Whether other machines may connect.
  var isInsecure = false
  /// Oddities of the settings, for people.
  private(set) var notes: [String] = []
  /// The lowest logged level.
  var logLevel = Logger.Level.info

  /// Every setting's name, in the order they are read.
  static let names: [String] = ServeSetting.all.map(\.name)

  /// The defaults.
  init() {
    store.createsStore = true
    store.mapsIndexes = true
    store.log.retentionMs = LogConfig.kafkaRetentionMs
  }

  /// Reads every setting, the command line first, then the environment, then the file.
  init(commandLine: [(name: String, value: String)], file: String?) throws(CommandFailure) {
    self.init()
    let environment = ProcessInfo.processInfo.environment
    let variables = try Self.kafkaVariables(environment)
    let pairs = try file.map(Self.read) ?? []
    // For a listener one place may set the protocol and another the address.
    let listeners = KafkaListeners(pairs + variables + commandLine)
    var ignored: [KafkaOnlySetting.Ignored] = []
    let reader = ConfigReader(providers: [
      try Self.provider("command line", commandLine, listeners, &ignored),
      EnvironmentVariablesProvider(),
      try Self.provider("environment", variables, listeners, &ignored),
      try Self.provider(file ?? "no file", pairs, listeners, &ignored),
    ]).scoped(to: "mkstore")
    for setting in ServeSetting.all {
      guard let value = reader.string(forKey: ConfigKey(setting.name)) else { continue }
      // As Kafka reads its values: without surrounding spaces.
      try setting.apply(Self.trimmed(value), &self)
    }
    notes += KafkaOnlySetting.notes(ignored)
    noteUnknownVariables(environment.keys.sorted())
    try check()
    for name in ignored {
      if let reason = KafkaOnlySetting.rejection(of: name, by: store.log) {
        throw .usage("\(name.place): \(name.name): \(reason)")
      }
    }
  }

  static func trimmed(_ value: String) -> String {
    let isSpace: (Character) -> Bool = { $0.isWhitespace }
    let start = value.drop(while: isSpace)
    return String(start.reversed().drop(while: isSpace).reversed())
  }

  /// Only reported: container platforms set such variables from a service's name.
  mutating func noteUnknownVariables(_ variables: [String]) {
    let known = Self.allNames.map(Self.variable)
    for variable in variables where variable.hasPrefix("MKSTORE_") && !known.contains(variable) {
      let meant = KafkaBrokerNames.nearest(to: variable, in: known)
      notes.append(
        "\(variable) in the environment is not a setting"
          + (meant.map { " (\($0) is one)" } ?? "") + "; docs/serving.md lists them")
    }
  }

  /// Every known name: ours, Kafka's for ours, and those that only Kafka has.
  static let allNames: [String] = names + KafkaBrokerNames.all + KafkaOnlySetting.names

  /// The environment variable of a setting.
  private static func variable(_ name: String) -> String {
    "MKSTORE_" + name.uppercased().map { $0 == "." ? "_" : $0 }
  }

  /// Settings of the environment with Kafka's names; the reader finds ours itself.
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
    return (KafkaBrokerNames.all + KafkaOnlySetting.names).compactMap { name in
      environment[variable(name)].map { (name, $0) }
    }
  }

  private static func provider(
    _ name: String, _ pairs: [(name: String, value: String)], _ listeners: KafkaListeners,
    _ ignored: inout [KafkaOnlySetting.Ignored]
  ) throws(CommandFailure) -> InMemoryProvider {
    var values: [AbsoluteConfigKey: ConfigValue] = [:]
    for pair in try KafkaBrokerNames.translated(pairs, from: name, listeners, &ignored) {
      guard names.contains(pair.name) else {
        let meant = KafkaBrokerNames.nearest(to: pair.name, in: allNames)
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
    if let kind, kind != .file { throw .failure("\(path) is not a regular file") }
    do throws(CheckpointError) {
      guard let bytes = try SmallFile.read(disk, path) else {
        throw CheckpointError.unreadable(path: path, line: nil, what: "there is no such file")
      }
      return try JavaProperties(bytes, path: path).pairs.map { ($0.key, $0.value) }
    } catch {
      throw CommandFailure(error)
    }
  }

  // MARK: All together

  private func check() throws(CommandFailure) {
    if data.isEmpty { throw .usage("--data DIR is missing: the store's directory") }
    try withLogErrors { () throws(LogError) in try store.log.validate() }
    for endpoint in [broker.listen, broker.adminListen].compactMap({ $0 })
    where !endpoint.isLoopback && !isInsecure {
      throw .usage(
        "\(endpoint) can be reached from other machines, and there is no encryption and no "
          + "authentication: everyone who can reach it may read, write and delete everything. "
          + "Say --insecure if that is meant")
    }
    if broker.listen.isWildcard, broker.advertised == nil {
      throw .usage("--listen \(broker.listen) needs --advertise: clients cannot connect to it")
    }
    if let advertised = broker.advertised, advertised.isWildcard || advertised.port == 0 {
      throw .usage("--advertise \(advertised): clients cannot connect to it")
    }
  }

  /// The cores in a list, each once, which this process may use.
  static func cores(_ name: String, _ value: String) throws(CommandFailure) -> [Int] {
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
}
