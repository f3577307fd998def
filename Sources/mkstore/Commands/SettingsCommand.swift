import ArgumentParser

/// `mkstore settings`.
struct SettingsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "settings",
    abstract: "List the settings of mkstore serve and of topics, or explain one.",
    discussion: """
      For each its type, default, values and meaning, and whether it is changed while the server \
      runs: settings of the server are set where it is started, those of topics by any of Kafka's \
      admin clients, or by mkstore topics alter while the store is not served. Kafka's broker \
      settings that mean the same as one of ours are listed too; for one without a meaning here, \
      mkstore settings NAME says how it is treated.

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
