internal import CMkstoreShims

/// What the system allows this process, and how it was started.
///
/// ```swift
/// let limit = ProcessLimits.raiseOpenFiles()
/// print("\(limit) files may be open")
/// ```
public enum ProcessLimits {
  /// Raises the limit of open files as far as the process may.
  ///
  /// - Returns: The limit in force.
  public static func raiseOpenFiles() -> Int { Int(clamping: mk_raise_open_files()) }

  /// Whether a signal is ignored, as SIGHUP is after nohup.
  public static func isIgnored(signal: Int32) -> Bool { mk_is_signal_ignored(signal) }
}
