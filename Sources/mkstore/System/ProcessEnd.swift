import Glibc

/// The one place where the process ends itself.
enum ProcessEnd {
  /// How long to wait for the last messages if standard error blocks.
  private static let messagesMs: Int64 = 1000
  /// The same for an immediate end.
  private static let messagesAtOnceMs: Int64 = 200

  /// Ends the process; no data is left in buffers of the C library.
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
