import LogStore

/// Messages for people: standard error, one line each, never mixed into the data.
enum Messages {
  /// Writes instead of the caller, once a server began; nil: the caller writes itself.
  private static let writer = Locked<MessageWriter?>(nil)

  /// Writes one line.
  static func say(_ text: String) {
    write("mkstore: " + text + "\n")
  }

  /// Writes text unchanged; if standard error is closed, there is no way to report that.
  static func write(_ text: String) {
    if let writer = writer.withLock({ $0 }) { return writer.write(text, isPatient: true) }
    _ = StandardStreams.writeAll(text.utf8.span, to: StandardStreams.error)
  }

  /// From now on everything is written by `new`, in order with the log lines.
  static func hand(to new: MessageWriter) {
    writer.withLock { $0 = new }
  }

  /// Waits until messages are written, but no longer than `milliseconds`.
  static func drain(milliseconds: Int64) {
    writer.withLock { $0 }?.drain(milliseconds: milliseconds)
  }
}
