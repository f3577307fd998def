/// Which message is being read or written, for errors.
public struct MessageName: Sendable, Equatable, CustomStringConvertible {
  /// The API's number; need not be one that `ApiKey` knows.
  public var apiKey: Int16

  /// The API's version.
  public var version: Int16

  /// Whether it is the request or the response.
  public var isRequest: Bool

  /// Takes all three.
  public init(apiKey: Int16, version: Int16, isRequest: Bool) {
    self.apiKey = apiKey
    self.version = version
    self.isRequest = isRequest
  }

  /// `Fetch v12 request`.
  public var description: String {
    let name = ApiKey(rawValue: apiKey)?.name ?? "API \(apiKey)"
    return "\(name) v\(version) \(isRequest ? "request" : "response")"
  }
}
