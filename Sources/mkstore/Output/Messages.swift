/// What is said to people: standard error, one line each, never mixed into the data.
enum Messages {
  /// Says one line.
  static func say(_ text: String) {
    write("mkstore: " + text + "\n")
  }

  /// Writes text as it is; where standard error is closed there is nobody to tell.
  static func write(_ text: String) {
    _ = StandardStreams.writeAll(text.utf8.span, to: StandardStreams.error)
  }
}
