/// One file of a log's `.bad/`: bytes that recovery removed from the log and kept.
///
/// ```swift
/// for file in log.recovery.droppedKeptFiles { print("removed \(file.path), \(file.bytes) bytes") }
/// ```
public struct KeptFile: Sendable, Equatable {
  /// Path of the file.
  public var path: String
  /// Its size.
  public var bytes: Int
  /// When it was kept, milliseconds since 1970 UTC.
  public var keptMs: Int64

  /// Memberwise.
  package init(path: String, bytes: Int, keptMs: Int64) {
    self.path = path
    self.bytes = bytes
    self.keptMs = keptMs
  }
}
