import ArgumentParser
import DiskIO
import LogStore

/// `mkstore topics`.
struct TopicsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "topics",
    abstract: "List, describe, make, change and delete topics, of a directory or of a broker.",
    discussion: """
      STORE is a directory: list and describe read it without a lock, the others open it for \
      writing, so nothing may serve it. With --broker HOST:PORT it is left out, and a running \
      broker is asked, mkstore's or Kafka's own, without TLS and SASL.

      EXAMPLES
        mkstore topics create data orders --partitions 4 --set retention.ms=86400000
        mkstore topics alter --broker 127.0.0.1:9092 orders --set retention.ms=3600000
      """,
    subcommands: [
      List.self, Describe.self, Create.self, Alter.self, Delete.self,
    ])

  /// `mkstore topics list STORE`.
  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Name every topic.")

    @OptionGroup var place: TopicsPlaceArguments

    @OptionGroup var json: JSONOption

    func validate() throws { try place.requireNames(topic: false) }

    mutating func run() throws { try place.open(isJSON: json.isOn).list() }
  }

  /// `mkstore topics describe STORE TOPIC`.
  struct Describe: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Tell a topic's partitions and the settings that it states itself.")

    @OptionGroup var place: TopicsPlaceArguments

    @OptionGroup var json: JSONOption

    func validate() throws { try place.requireNames(topic: true) }

    mutating func run() throws { try place.open(isJSON: json.isOn).describe(place.topic) }
  }

  /// `mkstore topics create STORE TOPIC`.
  struct Create: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Make a topic, durably.")

    @OptionGroup var place: TopicsPlaceArguments

    @Option(help: "How many partitions it has.")
    var partitions: Int32 = 1

    @Option(help: "A setting, NAME=VALUE by Kafka's names; may be given again.")
    var set: [String] = []

    func validate() throws {
      guard (1...10_000).contains(partitions) else {
        throw ValidationError("--partitions: \(partitions) is no number from 1 to 10000")
      }
      try place.requireNames(topic: true)
    }

    mutating func run() throws {
      let settings = try SettingArguments(set)
      try place.open(isJSON: false).create(place.topic, partitions, settings)
    }
  }

  /// `mkstore topics alter STORE TOPIC`.
  struct Alter: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Change a topic's settings, or confirm them.",
      discussion: """
        Of a topic that a broker wrote, or that was here before a broker last had the directory, \
        nothing is deleted until its settings were confirmed: any change does that, and --confirm \
        without one.
        """)

    @OptionGroup var place: TopicsPlaceArguments

    @Option(help: "A setting, NAME=VALUE by Kafka's names; may be given again.")
    var set: [String] = []

    @Option(help: "A setting that gets the store's value again; may be given again.")
    var unset: [String] = []

    @Flag(help: "Confirm the settings as they are.")
    var confirm = false

    func validate() throws {
      guard confirm || !set.isEmpty || !unset.isEmpty else {
        throw ValidationError("give --set NAME=VALUE, --unset NAME or --confirm")
      }
      try place.requireNames(topic: true)
    }

    mutating func run() throws {
      let settings = try SettingArguments(set)
      try place.open(isJSON: false).alter(place.topic, settings, unset: unset)
    }
  }

  /// `mkstore topics delete STORE TOPIC`.
  struct Delete: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Delete a topic with all its records, for good.")

    @OptionGroup var place: TopicsPlaceArguments

    func validate() throws { try place.requireNames(topic: true) }

    mutating func run() throws { try place.open(isJSON: false).delete(place.topic) }
  }
}

/// A store or a broker, and a topic of it.
struct TopicsPlaceArguments: ParsableArguments {
  @Argument(help: ArgumentHelp("The store and, but for list, the topic.", valueName: "store topic"))
  var names: [String] = []

  @Option(
    help: ArgumentHelp("A running broker, instead of a store.", valueName: "host:port"))
  var broker: String?

  /// The topic's name; only after `requireNames(topic: true)`.
  var topic: String { names.last ?? "" }

  /// Refuses too few or too many names.
  func requireNames(topic: Bool) throws(ValidationError) {
    let wanted = (broker == nil ? 1 : 0) + (topic ? 1 : 0)
    if names.count == wanted { return }
    let text = [broker == nil ? "STORE" : nil, topic ? "TOPIC" : nil].compactMap { $0 }
    let expected = text.isEmpty ? "no name" : text.joined(separator: " ")
    throw ValidationError(
      "expected \(expected)\(broker == nil ? "" : " beside --broker"), got \(names.count) names")
  }

  func open(isJSON: Bool) throws(CommandFailure) -> any TopicsPlace {
    if let broker { return try BrokerTopics(broker, isJSON) }
    return try TopicsRun(names.first ?? "", isJSON)
  }
}
