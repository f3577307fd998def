import LogStore

/// What is said to people: standard error, one line each, never mixed into the data.
enum Messages {
  /// Writes in place of the caller, once a server began; nil: the caller writes by itself.
  private static let writer = Locked<MessageWriter?>(nil)

  /// Says one line.
  static func say(_ text: String) {
    write("mkstore: " + text + "\n")
  }

  /// Writes text as it is; where standard error is closed there is nobody to tell.
  static func write(_ text: String) {
    if let writer = writer.withLock({ $0 }) { return writer.write(text, isPatient: true) }
    _ = StandardStreams.writeAll(text.utf8.span, to: StandardStreams.error)
  }

  /// From now on everything is written by `new`, which keeps it in order with the log lines.
  static func hand(to new: MessageWriter) {
    writer.withLock { $0 = new }
  }

  /// Waits for what was said to be written, but no longer than `milliseconds`.
  static func drain(milliseconds: Int64) {
    writer.withLock { $0 }?.drain(milliseconds: milliseconds)
  }
}
