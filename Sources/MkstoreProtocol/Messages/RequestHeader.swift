/// The first part of every request.
///
/// Version 0 (ControlledShutdown v0 only) has no client id, version 1 has one, version 2 ends with
/// tagged fields. The client id has the plain 2-byte length even in version 2.
public struct RequestHeader: WireStruct {
  /// The API's number.
  public var apiKey: Int16 = 0

  /// The API's version, which decides the form of everything after it.
  public var apiVersion: Int16 = 0

  /// The client's number for the request; the response returns it.
  public var correlationId: Int32 = 0

  /// The client's name for itself; may be null.
  public var clientId: String?

  /// Tagged fields, none of which are known.
  public var tags: [TaggedField] = []

  /// Every field at its default.
  public init() {}

  /// Takes every field except the tags.
  public init(api: ApiKey, version: Int16, correlationId: Int32, clientId: String?) {
    apiKey = api.rawValue
    apiVersion = version
    self.correlationId = correlationId
    self.clientId = clientId
  }

  /// Reads only the header of `frame`, a frame without its size, whatever API it is of.
  public static func decode(
    _ frame: Span<UInt8>, limits: ProtocolLimits = .standard
  ) throws(ProtocolError) -> RequestHeader {
    var reader = try reader(frame, limits)
    return try reader.structure()
  }

  /// The API, if its number has a name.
  public var api: ApiKey? { ApiKey(rawValue: apiKey) }

  /// The API's name or, if it has none, its number.
  public var apiName: String { api?.name ?? "API \(apiKey)" }

  /// The version of the header itself; for an API without `support`, 1: the part all share.
  public var headerVersion: Int16 {
    if api == .controlledShutdown, apiVersion == 0 { return 0 }
    return api?.support?.isFlexible(apiVersion) == true ? 2 : 1
  }

  /// What this package knows of the API, if it reads and writes this version of it.
  func support() throws(ProtocolError) -> ApiSupport {
    guard let support = api?.support else { throw .unsupportedApi(self) }
    guard support.versions.contains(apiVersion) else {
      throw .unsupportedVersion(self, supported: support.versions)
    }
    return support
  }

  /// The name of the request this is the header of.
  var message: MessageName {
    MessageName(apiKey: apiKey, version: apiVersion, isRequest: true)
  }

  /// A reader at the start of `frame` that knows which request it is in.
  @_lifetime(copy frame)
  static func reader(
    _ frame: Span<UInt8>, _ limits: ProtocolLimits
  ) throws(ProtocolError) -> FieldReader {
    var peeked = RequestHeader()
    var reader = FieldReader(
      frame, message: MessageName(apiKey: -1, version: -1, isRequest: true), isFlexible: false,
      limits: limits)
    try reader.field("ApiKey", &peeked.apiKey)
    try reader.field("ApiVersion", &peeked.apiVersion)
    return FieldReader(frame, message: peeked.message, isFlexible: false, limits: limits)
  }
}

extension RequestHeader: Coded {
  package mutating func code<C: Coder>(_ coder: inout C) throws(ProtocolError) {
    coder.isFlexible = false
    try coder.field("ApiKey", &apiKey)
    try coder.field("ApiVersion", &apiVersion)
    try coder.field("CorrelationId", &correlationId)
    if headerVersion >= 1 { try coder.label("ClientId", &clientId) }
    coder.isFlexible = headerVersion >= 2
    try coder.tags(&tags)
  }
}
