import DiskIO

/// The system's words for an error number.
enum ErrorText {
  /// The text for `code`, such as "Permission denied".
  static func of(_ code: Int32) -> String { DiskError(.read, "", code: code).reason }
}
