import Logging

@testable import LogStore

/// Log lines, kept for tests that ask what was said.
final class CapturedLog: Sendable {
  private let kept = Locked<[String]>([])

  /// What was said so far: level, message and the values that came with it.
  var lines: [String] { kept.withLock { $0 } }

  /// Logs into this.
  var logger: Logger { Logger(label: "test") { _ in Handler(log: self) } }

  private struct Handler: LogHandler {
    let log: CapturedLog
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.info

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
      get { metadata[key] }
      set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
      let details = (event.metadata ?? [:]).map { "\($0.key)=\($0.value)" }.sorted()
      let words = [event.level.rawValue, "\(event.message)"] + details
      log.kept.withLock { $0.append(words.joined(separator: " ")) }
    }
  }
}
