import ArgumentParser

/// The `mkstore` command.
@main
struct Mkstore: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "mkstore", abstract: "Kafka's log as a library: append, fetch and verify.")
}
