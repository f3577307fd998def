/// The first part of every response.
///
/// Version 1, of flexible API versions, ends with tagged fields. ApiVersions responses always have
/// version 0, since a client must be able to read them before it knows the server's versions.
struct ResponseHeader: WireStruct {
  /// The correlation id of the request.
  var correlationId: Int32 = 0

  /// Tagged fields, none of which are known.
  var tags: [TaggedField] = []

  /// The version of the header itself in front of an `api` response of `version`.
  static func version(_ api: ApiKey, _ version: Int16) -> Int16 {
    api != .apiVersions && api.support?.isFlexible(version) == true ? 1 : 0
  }
}

extension ResponseHeader: Coded {
  mutating func code<C: Coder>(_ coder: inout C) throws(ProtocolError) {
    let api = ApiKey(rawValue: coder.message.apiKey)
    coder.isFlexible = api.map { Self.version($0, coder.version) >= 1 } ?? false
    try coder.field("CorrelationId", &correlationId)
    try coder.tags(&tags)
  }
}
