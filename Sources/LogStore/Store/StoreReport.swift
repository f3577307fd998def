/// What opening a store found and did.
///
/// ```swift
/// let store = try await Store.open("data")
/// let report = store.report
/// print("\(report.found), \(report.logs.count) logs, \(report.openMs) ms")
/// for (name, recovery) in report.eventful { print("\(name): \(recovery.cuts.count) cuts") }
/// for (directory, error) in report.failed { print("\(directory): \(error)") }
/// ```
public struct StoreReport: Sendable {
  /// How the store was found.
  public enum Found: Sendable {
    /// There was none: it was made.
    case new
    /// As a clean stop leaves it.
    case clean
    /// After a crash or a kill, or as a copy: what follows says what was recovered.
    case unclean
  }

  /// How the store was found.
  public var found: Found { isNew ? .new : wasClean ? .clean : .unclean }
  /// Whether there was no store before.
  var isNew = false
  /// Whether the last stop was clean.
  package var wasClean: Bool
  /// Milliseconds from the call to the last log being ready.
  public var openMs: Int64
  /// One report per log that could be opened.
  public var logs: [(topicPartition: TopicPartition, recovery: RecoveryReport)]
  /// Logs that could not be opened; the others are not held up.
  public var failed: [(directory: String, error: LogError)]
  /// Anything else worth saying, such as directories that are no logs.
  public var notes: [String]
  /// Files of the store's own directory that were wrong and were rebuilt.
  public var mendedFiles: [String] = []
  /// Those that are wrong and stay so; looked for by `mkstore recover` only.
  public var sideFileDamage: [SideFileDamage] = []

  /// Logs whose recovery cut, fenced, rebuilt or removed something.
  public var eventful: [(topicPartition: TopicPartition, recovery: RecoveryReport)] {
    logs.filter { $0.recovery.isEventful }
  }
}
