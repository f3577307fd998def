package import DiskIO

/// Why a side file of a log or store (a checkpoint, a snapshot, a properties file) could not be
/// used.
package enum CheckpointError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The disk refused.
  case disk(DiskError)
  /// The content violates the file's format; `line` counts from 1, nil for binary files.
  case unreadable(path: String, line: Int?, what: String)

  /// One sentence for people.
  package var description: String {
    switch self {
    case .disk(let error): "\(error)"
    case .unreadable(let path, nil, let what): "\(path): \(what)"
    case .unreadable(let path, let line?, let what): "\(path), line \(line): \(what)"
    }
  }
}
