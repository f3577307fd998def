/// A file that opening a log removed, or would remove.
///
/// ```swift
/// for file in log.recovery.removedFiles { print("removed \(file.path): \(file.reason)") }
/// ```
public struct RemovedFile: Sendable, Hashable {
  /// Path of the file.
  public var path: String
  /// Why the log does not need it, without a full stop.
  public var reason: String
}
