internal import MkstoreProtocol

extension ProtocolError {
  /// What tells refused connections apart in the log: a handful, whatever bytes come.
  var kind: String {
    switch self {
    case .frameSize(_, _, let guess?): "\(guess), not Kafka"
    case .frameSize(let size, _, nil): size > 0 ? "frame size" : "no frame size"
    case .unsupportedApi: "unsupported API"
    case .unsupportedVersion: "unsupported version"
    case .malformed: "malformed request"
    case .frameTooLarge: "frame too large"
    }
  }
}
