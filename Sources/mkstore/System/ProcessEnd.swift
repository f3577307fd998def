import Glibc

/// The one place where the process ends itself.
enum ProcessEnd {
  /// How long the last messages may take where standard error does not take them.
  private static let messagesMs: Int64 = 1000
  /// The same for an end that is to come at once.
  private static let messagesAtOnceMs: Int64 = 200

  /// Ends the process; nothing is left in buffers of the C library.
  static func exit(_ status: ExitStatus) -> Never {
    Messages.drain(milliseconds: messagesMs)
    Glibc.exit(status.rawValue)
  }

  /// Ends the process whatever its threads are doing.
  static func exitAtOnce(_ status: ExitStatus) -> Never {
    Messages.drain(milliseconds: messagesAtOnceMs)
    _exit(status.rawValue)
  }
}
