import ArgumentParser

/// What `append` reads.
enum InputFormat: String, ExpressibleByArgument, CaseIterable, Sendable {
  /// One record a line: the bytes before the line feed, as they are.
  case lines
  /// One JSON object a line.
  case ndjson
  /// Records one after the other, each a length and a key, a length and a value.
  case binary
}
