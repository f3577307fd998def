import Glibc

/// The one place where the process ends itself.
enum ProcessEnd {
  /// Ends the process; nothing is left in buffers of the C library.
  static func exit(_ status: ExitStatus) -> Never {
    Glibc.exit(status.rawValue)
  }
}
