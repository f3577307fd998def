import ArgumentParser

/// `mkstore settings`.
struct SettingsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "settings",
    abstract: "List the settings of mkstore serve and of topics, or tell one.",
    discussion: """
      For each its type, default, values and meaning, and whether it is changed while the server \
      runs: settings of the server are set where it is started, those of topics by any of Kafka's \
      admin clients, or by mkstore topics alter where nobody serves the store. Kafka's names of \
      broker settings that mean the same as one of ours are listed, too; of one that has no \
      meaning here, mkstore settings NAME says what becomes of it.

      EXAMPLES
        mkstore settings
        mkstore settings log.retention.hours
        mkstore settings --json | jq -r 'select(.scope == "topic").name'
      """)

  @Argument(help: "A setting, such as retention.ms.")
  var name: String?

  @OptionGroup var json: JSONOption

  mutating func run() throws { try SettingsRun(isJSON: json.isOn).run(name) }
}
