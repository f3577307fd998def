internal import DiskIO
internal import LogStore
internal import MkstoreProtocol

extension LogError {
  /// What tells refusals apart in the log: a handful, whatever the log or the offset.
  var refusalCause: String {
    switch kind {
    case .diskFull: "disk full"
    case .poisoned: "failed sync"
    case .disk(let error): "\(error.operation) error \(error.code)"
    default: ErrorCode(self).name
    }
  }
}
