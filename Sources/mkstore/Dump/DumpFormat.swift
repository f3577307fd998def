import ArgumentParser

/// How `dump` prints.
enum DumpFormat: String, ExpressibleByArgument, CaseIterable, Sendable {
  /// Lines for people.
  case text
  /// The lines of Kafka's own dump tool, which scripts parse.
  case kafka
  /// Objects (`--json`).
  case json

  /// What `--format` offers.
  static let allValueStrings = ["text", "kafka"]
}
