internal import MkstoreProtocol

extension ProtocolError {
  /// Distinguishes refused connections in the log: one of a few kinds, whatever bytes were sent.
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
