/// A file beside the log that contradicts the log or itself. The records are not affected.
///
/// ```swift
/// for damage in report.sideFileDamage {
///   print("\(damage.file): \(damage.reason)")
///   if let remedy = damage.remedy { print("what to do: \(remedy)") }
/// }
/// ```
public struct SideFileDamage: Sendable, Hashable, CustomStringConvertible {
  /// Path of the file.
  public var file: String
  /// What is wrong with it, one sentence.
  public var reason: String
  /// What an operator must do about it; nil if the next opening for writing rebuilds the file.
  public var remedy: String?

  /// Whether the file is derived from the log, so that the next open for writing rebuilds it.
  public var isMendedByOpen: Bool { remedy == nil }

  /// File, reason and remedy in one line.
  public var description: String {
    "\(file): \(reason) (\(remedy ?? "mkstore recover repairs it"))"
  }
}
