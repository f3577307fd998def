import Logging

/// Discards the engine's log lines: the command reports itself what happened.
enum QuietLogger {
  /// A logger that drops everything.
  static func make() -> Logger {
    Logger(label: "mkstore", factory: { _ in SwiftLogNoOpLogHandler() })
  }
}
