/// The producer ids that a store assigns, far from those that a Kafka broker counts up from 0.
///
/// Each store counts up from a random number, so that a log can move between stores and brokers
/// without one producer being taken for another (docs/decisions/0015-random-producer-ids.md).
package enum ProducerIdRange {
  /// Lowest id. Ids begin below 2^53, so that programs that keep numbers as `Double` (jq,
  /// JavaScript) show them exactly.
  package static let first: Int64 = 1 << 52
  /// No id from here on is assigned.
  package static let limit: Int64 = 1 << 62
  /// Number of possible first ids: 51 random bits.
  static let placeCount: Int64 = 1 << 51

  /// Whether a store may have assigned the id.
  package static func contains(_ producerId: Int64) -> Bool {
    (first..<limit).contains(producerId)
  }

  /// A random first id.
  ///
  /// - Parameter floor: The result is above this id, unless it is so high that only a client can
  ///   have invented it: it is then ignored, and a random number avoids it well enough.
  package static func place(
    above floor: Int64, using generator: inout some RandomNumberGenerator
  ) -> Int64 {
    let start = contains(floor) && floor < limit - 2 * placeCount ? floor + 1 : first
    return start + Int64.random(in: 0..<placeCount, using: &generator)
  }
}
