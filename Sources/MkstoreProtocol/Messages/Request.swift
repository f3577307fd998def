/// A request: header and body.
public struct Request: Sendable, Equatable {
  /// The API, its version, the client, and the request's number.
  public var header: RequestHeader

  /// The fields of the API.
  public var body: RequestBody

  /// Bytes after the body, or nil. Kafka ignores them, and so must a server: librdkafka sends three
  /// too many in one form of Metadata. Kept so that the request can be written unchanged.
  public var trailing: ByteRange?

  /// A request to send.
  public init(version: Int16, correlationId: Int32, clientId: String?, body: RequestBody) {
    header = RequestHeader(
      api: body.api, version: version, correlationId: correlationId, clientId: clientId)
    self.body = body
  }

  private init(header: RequestHeader, body: RequestBody, trailing: ByteRange?) {
    self.header = header
    self.body = body
    self.trailing = trailing
  }

  /// Reads the request in `frame`, a frame without its 4-byte size.
  ///
  /// Records are not copied: their ranges are positions in `frame`.
  /// - Throws: `unsupportedApi` or `unsupportedVersion`, with the header, if only that can be read;
  ///   `malformed` for the rest.
  /// - Complexity: O(bytes without records); memory is bounded by `limits`.
  public static func decode(
    _ frame: Span<UInt8>, limits: ProtocolLimits = .standard
  ) throws(ProtocolError) -> Request {
    var reader = try RequestHeader.reader(frame, limits)
    let header: RequestHeader = try reader.structure()
    reader.isFlexible = try header.support().isFlexible(header.apiVersion)
    let body = try RequestBody.decode(header, &reader)
    let left = ByteRange(offset: reader.position, count: reader.left)
    return Request(header: header, body: body, trailing: left.count > 0 ? left : nil)
  }

  /// Writes the request, 4-byte size included.
  ///
  /// - Throws: `unsupportedVersion` outside the API's range; `malformed` for a string that is too
  ///   long or a null that this version cannot express; `frameTooLarge`.
  public func encode() throws(ProtocolError) -> EncodedFrame {
    var header = header
    header.apiKey = body.api.rawValue
    let isFlexible = try header.support().isFlexible(header.apiVersion)
    let envelope = FrameEnvelope(
      message: header.message, header: header, isFlexible: isFlexible, trailing: trailing)
    return try envelope.encode(body)
  }
}
