import ArgumentParser

/// Input formats of `append`.
enum InputFormat: String, ExpressibleByArgument, CaseIterable, Sendable {
  /// One record per line: the bytes before the line feed, unchanged.
  case lines
  /// One JSON object per line.
  case ndjson
  /// Consecutive records, each a length and a key, a length and a value.
  case binary
}
