import ArgumentParser
import DiskIO
import LogStore

/// `mkstore topics`.
struct TopicsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "topics",
    abstract: "List, describe, make, change and delete the topics of a store that nobody serves.",
    discussion: """
      list and describe read without a lock; the others open the store for writing. Topics of a \
      running server are changed by any of Kafka's admin clients.
      """,
    subcommands: [
      List.self, Describe.self, Create.self, Alter.self, Delete.self,
    ])

  /// `mkstore topics list STORE`.
  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Name every topic.")

    @Argument(help: "The store.")
    var store: String

    @OptionGroup var json: JSONOption

    mutating func run() throws { try TopicsRun(store, json.isOn).list() }
  }

  /// `mkstore topics describe STORE TOPIC`.
  struct Describe: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Tell a topic's partitions and the settings that it states itself.")

    @Argument(help: "The store.")
    var store: String

    @Argument(help: "The topic.")
    var topic: String

    @OptionGroup var json: JSONOption

    mutating func run() throws { try TopicsRun(store, json.isOn).describe(topic) }
  }

  /// `mkstore topics create STORE TOPIC`.
  struct Create: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Make a topic, durably.")

    @Argument(help: "The store.")
    var store: String

    @Argument(help: "The topic.")
    var topic: String

    @Option(help: "How many partitions it has.")
    var partitions: Int32 = 1

    @Option(help: "A setting, NAME=VALUE by Kafka's names; may be given again.")
    var set: [String] = []

    func validate() throws {
      guard (1...10_000).contains(partitions) else {
        throw ValidationError("--partitions: \(partitions) is no number from 1 to 10000")
      }
    }

    mutating func run() throws {
      try TopicsRun(store, false).create(topic, partitions, SettingArguments(set))
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

    @Argument(help: "The store.")
    var store: String

    @Argument(help: "The topic.")
    var topic: String

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
    }

    mutating func run() throws {
      try TopicsRun(store, false).alter(topic, SettingArguments(set), unset: unset)
    }
  }

  /// `mkstore topics delete STORE TOPIC`.
  struct Delete: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Delete a topic with all its records, for good.")

    @Argument(help: "The store.")
    var store: String

    @Argument(help: "The topic.")
    var topic: String

    mutating func run() throws { try TopicsRun(store, false).delete(topic) }
  }
}
