internal import MkstoreProtocol

/// Why an administrator's request to a broker did not succeed; one sentence for people.
public struct AdminError: Error, Sendable, Equatable, CustomStringConvertible {
  /// What went wrong, where, and what to do.
  public let description: String

  /// Takes the sentence.
  init(_ description: String) { self.description = description }

  /// A broker's error for one topic; nil if the request succeeded.
  init?(_ code: ErrorCode, _ message: String?, _ what: String, _ endpoint: Endpoint) {
    if code == .none { return nil }
    let reason = message.map { "\($0) (\(code.name))" } ?? code.name
    self.init("\(endpoint) refused to \(what): \(reason)")
  }
}
