/// A file that opening a log removed, or would remove.
public struct RemovedFile: Sendable, Hashable {
  /// Path of the file.
  public var path: String
  /// Why the log does not need it, without a full stop.
  public var reason: String
}
