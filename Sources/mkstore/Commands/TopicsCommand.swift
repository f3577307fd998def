import ArgumentParser
import DiskIO
import LogStore

/// `mkstore topics`.
struct TopicsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "topics",
    abstract: "List, describe, create, change and delete topics, of a directory or of a broker.",
    discussion: """
      STORE is a directory: list and describe read it without a lock, the others open it for \
      writing, so no server may run on it. With --broker HOST:PORT it is omitted, and a running \
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
      abstract: "Show a topic's partitions and its own settings.")

    @OptionGroup var place: TopicsPlaceArguments

    @OptionGroup var json: JSONOption

    func validate() throws { try place.requireNames(topic: true) }

    mutating func run() throws { try place.open(isJSON: json.isOn).describe(place.topic) }
  }

  /// `mkstore topics create STORE TOPIC`.
  struct Create: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Create a topic, durably.")

    @OptionGroup var place: TopicsPlaceArguments

    @Option(help: "How many partitions it has.")
    var partitions: Int32 = 1

    @Option(help: "A setting, NAME=VALUE by Kafka's names; may be given again.")
    var set: [String] = []

    func validate() throws {
      guard (1...10_000).contains(partitions) else {
        throw ValidationError("--partitions: \(partitions) is not a number from 1 to 10000")
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
        Nothing is deleted from a topic that a broker wrote, or that existed before a broker last \
        used the directory, until its settings are confirmed: by any change, or by --confirm \
        without a change.
        """)

    @OptionGroup var place: TopicsPlaceArguments

    @Option(help: "A setting, NAME=VALUE by Kafka's names; may be given again.")
    var set: [String] = []

    @Option(help: "A setting to return to the store's value; may be repeated.")
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
      abstract: "Delete a topic with all its records, permanently.")

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
      "expected \(expected)\(broker == nil ? "" : " with --broker"), got \(names.count) names")
  }

  func open(isJSON: Bool) throws(CommandFailure) -> any TopicsPlace {
    if let broker { return try BrokerTopics(broker, isJSON) }
    return try TopicsRun(names.first ?? "", isJSON)
  }
}
