import ArgumentParser

/// Output formats of `dump`.
enum DumpFormat: String, ExpressibleByArgument, CaseIterable, Sendable {
  /// Lines for people.
  case text
  /// The lines of Kafka's own dump tool, which scripts parse.
  case kafka
  /// Objects (`--json`).
  case json

  /// The values of `--format`.
  static let allValueStrings = ["text", "kafka"]
}
