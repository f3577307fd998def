/// A response: the request's number, and the body.
public struct Response: Sendable, Equatable {
  /// The version of the request that this answers.
  public var version: Int16

  /// The correlation id of the request that this answers.
  public var correlationId: Int32

  /// The fields of the API.
  public var body: ResponseBody

  /// Tagged fields of the header, none of which are known.
  public var headerTags: [TaggedField] = []

  /// The answer to the request with `header`.
  public init(to header: RequestHeader, _ body: ResponseBody) {
    self.init(version: header.apiVersion, correlationId: header.correlationId, body)
  }

  /// An answer of `version`.
  public init(version: Int16, correlationId: Int32, _ body: ResponseBody) {
    self.version = version
    self.correlationId = correlationId
    self.body = body
  }

  /// Writes the response, 4-byte size included; records are left as gaps.
  ///
  /// Fields that `version` lacks are omitted.
  /// - Throws: `unsupportedVersion` outside the API's range; `malformed` for a string that is too
  ///   long or a null that this version cannot express; `frameTooLarge`.
  /// - Complexity: O(bytes without records), one allocation plus one for the gaps.
  public func encode() throws(ProtocolError) -> EncodedFrame {
    let request = RequestHeader(
      api: body.api, version: version, correlationId: correlationId, clientId: nil)
    let envelope = FrameEnvelope(
      message: MessageName(apiKey: request.apiKey, version: version, isRequest: false),
      header: ResponseHeader(correlationId: correlationId, tags: headerTags),
      isFlexible: try request.support().isFlexible(version), trailing: nil)
    return try envelope.encode(body)
  }

  /// Reads the correlation id of `frame`, a response without its 4-byte size.
  ///
  /// A response does not name its API; the id finds the request, which does.
  public static func correlationId(of frame: Span<UInt8>) throws(ProtocolError) -> Int32 {
    var reader = FieldReader(
      frame, message: MessageName(apiKey: -1, version: -1, isRequest: false), isFlexible: false,
      limits: .standard)
    var correlationId: Int32 = 0
    try reader.field("CorrelationId", &correlationId)
    return correlationId
  }

  /// Reads the answer to an `api` request of `version` in `frame`, a frame without its size.
  ///
  /// Records are not copied: their ranges are positions in `frame`.
  public static func decode(
    _ frame: Span<UInt8>, api: ApiKey, version: Int16, limits: ProtocolLimits = .standard
  ) throws(ProtocolError) -> Response {
    let request = RequestHeader(api: api, version: version, correlationId: 0, clientId: nil)
    let support = try request.support()
    var reader = FieldReader(
      frame, message: MessageName(apiKey: api.rawValue, version: version, isRequest: false),
      isFlexible: false, limits: limits)
    let header: ResponseHeader = try reader.structure()
    reader.isFlexible = support.isFlexible(version)
    let body = try ResponseBody.decode(request, &reader)
    try reader.requireEnd()
    var response = Response(version: version, correlationId: header.correlationId, body)
    response.headerTags = header.tags
    return response
  }
}
