import Logging

/// The engine's log lines go nowhere: the command says by itself what happened.
enum QuietLogger {
  /// A logger that drops everything.
  static func make() -> Logger {
    Logger(label: "mkstore", factory: { _ in SwiftLogNoOpLogHandler() })
  }
}
