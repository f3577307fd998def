import ArgumentParser
import MkstoreServer

/// `mkstore serve --data DIR`.
struct ServeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve",
    abstract: "Serve a store to Kafka clients.",
    discussion: """
      Real, unmodified Kafka clients produce to the store and fetch from it. A missing or empty \
      directory becomes a new store, unless --must-exist refuses it. There is no encryption and \
      no authentication: it listens on loopback only, unless --insecure allows everyone who \
      can reach the address to read, write and delete everything.

      Each setting is taken from the command line, then the environment, then the file of \
      --config (Java properties). In the environment segment.bytes is MKSTORE_SEGMENT_BYTES. \
      The settings are listed in docs/serving.md; names are Kafka's where Kafka has them. Topics \
      that clients create keep their records for seven days (retention.ms).

      SIGTERM and Ctrl-C finish running requests, make everything durable and write the clean \
      marker. A second one stops at once and loses nothing that was acknowledged.

      EXAMPLES
        mkstore serve --data data
        mkstore serve --data data --listen 0.0.0.0:9092 --advertise logs.lan:9092 --insecure
      """)

  @Option(help: ArgumentHelp("The store's directory.", valueName: "dir"))
  var data: String?

  @Option(
    help: ArgumentHelp("Where clients connect (default: 127.0.0.1:9092).", valueName: "host:port"))
  var listen: String?

  @Option(
    help: ArgumentHelp(
      "Address given to clients (default: the one of --listen).", valueName: "host:port"))
  var advertise: String?

  @Option(
    help: ArgumentHelp(
      "Serve /metrics, /healthz and /readyz over HTTP there (default: nowhere).",
      valueName: "host:port"))
  var adminListen: String?

  @Flag(help: "Let everyone who can reach the address read, write and delete everything.")
  var insecure = false

  @Flag(
    help: """
      Refuse a missing or empty directory, which may be a volume that is not mounted, instead of \
      making a new store there.
      """)
  var mustExist = false

  @Option(
    help: ArgumentHelp(
      "Cores to pin event loops to, one each, such as 0,2 (default: all, unpinned).",
      valueName: "list"))
  var cores: String?

  @Option(help: ArgumentHelp("A file of settings (Java properties).", valueName: "file"))
  var config: String?

  @Option(
    name: .customLong("set"),
    help: ArgumentHelp(
      "One setting, such as num.partitions=4; may be repeated.", valueName: "name=value"))
  var settings: [String] = []

  func run() throws {
    var given: [(name: String, value: String)] = []
    for (name, value) in [
      ("data", data), ("listen", listen), ("advertise", advertise),
      ("admin.listen", adminListen), ("cores", cores), ("insecure", insecure ? "true" : nil),
      ("must.exist", mustExist ? "true" : nil),
    ] {
      if let value { given.append((name, value)) }
    }
    for setting in settings {
      guard let equals = setting.firstIndex(of: "=") else {
        throw CommandFailure.usage("--set \(setting): expected name=value")
      }
      given.append(
        (String(setting[..<equals]), String(setting[setting.index(after: equals)...])))
    }
    let settings = try ServeSettings(commandLine: given, file: config)
    try ServeRun(settings).run()
  }
}
