/// Why a broker could not start.
public enum ServerError: Error, Sendable, CustomStringConvertible {
  /// The address cannot be listened on.
  case cannotListen(Endpoint, reason: String)
  /// One of the broker's own files in the store cannot be read.
  case unreadable(path: String, reason: String)

  /// One line for people.
  public var description: String {
    switch self {
    case .cannotListen(let endpoint, let reason): "cannot listen on \(endpoint): \(reason)"
    case .unreadable(let path, let reason): "\(path): \(reason)"
    }
  }
}
