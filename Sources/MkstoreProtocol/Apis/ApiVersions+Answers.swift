extension ApiVersionsResponse {
  /// The answer that offers everything in `apis`, by default all that this package supports.
  public static func offering(_ apis: [ApiKey] = ApiKey.supported) -> ApiVersionsResponse {
    .with { response in
      response.apiKeys = apis.compactMap { api in
        guard let versions = api.support?.versions else { return nil }
        return .with {
          $0.apiKey = api.rawValue
          $0.minVersion = versions.lowerBound
          $0.maxVersion = versions.upperBound
        }
      }
    }
  }

  /// The answer to an ApiVersions request of a version that is not offered.
  ///
  /// Kafka answers in the form of v0, whatever was requested, and lists the versions of ApiVersions
  /// itself, from which the client chooses one for its next request (KIP-511).
  public static func unsupportedVersion(of request: RequestHeader) -> Response {
    var body = offering([.apiVersions])
    body.errorCode = .unsupportedVersion
    return Response(version: 0, correlationId: request.correlationId, .apiVersions(body))
  }
}
