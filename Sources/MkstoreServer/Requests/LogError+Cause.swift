internal import DiskIO
internal import LogStore
internal import MkstoreProtocol

extension LogError {
  /// Distinguishes refusals in the log: one of a few kinds, whatever the log or the offset.
  var refusalCause: String {
    switch kind {
    case .diskFull: "disk full"
    case .poisoned: "failed sync"
    case .disk(let error): "\(error.operation) error \(error.code)"
    default: ErrorCode(self).name
    }
  }
}
