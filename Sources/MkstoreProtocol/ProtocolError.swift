/// Why bytes are not a message, or a value cannot be written as one.
///
/// None is retryable. Kafka closes the connection on all of them except one: an ApiVersions request
/// of an unsupported version is answered with `ApiVersionsResponse.unsupportedVersion`.
public enum ProtocolError: Error, Sendable, Equatable {
  /// The 4-byte frame size is not in `1 ... limit`. `guess` names a protocol with such first bytes.
  case frameSize(Int32, limit: Int, guess: String?)

  /// The header can be read, but this package does not know the body's fields.
  case unsupportedApi(RequestHeader)

  /// The header can be read, but the API is offered in `supported` only.
  case unsupportedVersion(RequestHeader, supported: ClosedRange<Int16>)

  /// A field cannot be read or written.
  case malformed(MalformedField)

  /// The encoded message is larger than a frame may be.
  case frameTooLarge(MessageName, byteCount: Int, limit: Int)
}

extension ProtocolError: CustomStringConvertible {
  /// One line for people: what was refused, where, and what was expected.
  public var description: String {
    switch self {
    case .frameSize(let size, let limit, let guess):
      let text = "frame size \(size) is not in 1 ... \(limit)"
      return guess.map { "\(text): this looks like \($0), not Kafka" } ?? text
    case .unsupportedApi(let header):
      return "\(header.apiName) v\(header.apiVersion) is not supported"
    case .unsupportedVersion(let header, let supported):
      return "\(header.apiName) v\(header.apiVersion) is not supported, only "
        + "v\(supported.lowerBound) to v\(supported.upperBound)"
    case .malformed(let field): return field.description
    case .frameTooLarge(let message, let byteCount, let limit):
      return "\(message): \(byteCount) bytes are more than the \(limit) of a frame"
    }
  }
}

extension ProtocolError {
  /// The same error with `element` of the array `name` in front of the field's name.
  func inside(_ name: StaticString, _ element: Int? = nil) -> ProtocolError {
    guard case .malformed(var malformed) = self else { return self }
    let parent = element.map { "\(name)[\($0)]" } ?? "\(name)"
    malformed.field = malformed.field.isEmpty ? parent : "\(parent).\(malformed.field)"
    return .malformed(malformed)
  }
}
