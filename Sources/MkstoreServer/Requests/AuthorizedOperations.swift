/// The operations allowed to a client, as Kafka encodes them: a bit for each `AclOperation`.
///
/// There is no authorization here, so everything is allowed, as Kafka answers without an
/// authorizer.
enum AuthorizedOperations {
  /// Read, write, create, delete, alter, describe, describe and alter configurations.
  package static let topic: Int32 =
    1 << 3 | 1 << 4 | 1 << 5 | 1 << 6 | 1 << 7 | 1 << 8 | 1 << 10 | 1 << 11

  /// Create, alter, describe, act as a broker, describe and alter configurations, write
  /// idempotently.
  package static let cluster: Int32 =
    1 << 5 | 1 << 7 | 1 << 8 | 1 << 9 | 1 << 10 | 1 << 11 | 1 << 12
}
