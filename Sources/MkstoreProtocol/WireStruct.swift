/// A structure of the protocol: a request, a response, or a part of one.
///
/// Fields have Kafka's names and defaults; one that a version lacks keeps its default when read and
/// is omitted when written.
public protocol WireStruct: Sendable, Equatable {
  /// Every field at its default.
  init()
}

extension WireStruct {
  /// A value with the fields that `fill` sets and the defaults for the rest.
  @inlinable
  public static func with<E: Error>(_ fill: (inout Self) throws(E) -> Void) throws(E) -> Self {
    var value = Self()
    try fill(&value)
    return value
  }
}
