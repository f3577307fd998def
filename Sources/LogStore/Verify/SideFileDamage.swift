/// A file beside the log that contradicts it or itself. The records are not touched by it.
public struct SideFileDamage: Sendable, Hashable, CustomStringConvertible {
  /// Path of the file.
  public var file: String
  /// What is wrong with it, one sentence.
  public var reason: String
  /// Whether the file is derived from the log, so that the next open for writing makes it anew.
  public var isMendedByOpen: Bool

  /// File, reason and remedy in one line.
  public var description: String {
    "\(file): \(reason)" + (isMendedByOpen ? " (mkstore recover mends it)" : "")
  }
}
