/// The result of a check of a log in which nothing was due, so that the next checks read no segment
/// of it before something may be. Any thread.
final class RetentionNote: Sendable {
  /// The result.
  struct Found: Sendable {
    /// Generation of the log's state.
    var generation: UInt64
    var retentionMs: Int64
    var retentionBytes: Int64
    var aheadMaxMs: Int64?
    /// Wall time of the check. If the clock goes back before it, other record times are too far
    /// ahead to count.
    var nowMs: Int64
    /// When the oldest segment may become older than `retention.ms`; a later record in it only
    /// postpones that.
    var dueMs: Int64
    /// Size of the oldest segment, and of all but the last one.
    var firstBytes: Int64
    var sealedBytes: Int64
    /// The last segment, which grows.
    var last: Segment
  }

  private let found = Locked<Found?>(nil)

  init() {}

  func set(_ value: Found?) { found.withLock { $0 = value } }

  /// Whether nothing can be due in a log of this generation by rules in effect.
  func holds(_ rule: RetentionRule, generation: UInt64) -> Bool {
    found.withLock { found in
      guard let found, found.generation == generation,
        found.retentionMs == rule.config.retentionMs,
        found.retentionBytes == rule.config.retentionBytes,
        found.aheadMaxMs == SegmentTime.aheadMaxMs(rule.config),
        rule.nowMs >= found.nowMs, rule.nowMs < found.dueMs
      else { return false }
      if found.retentionBytes < 0 { return true }
      let total = found.sealedBytes + Int64(found.last.publishedEnd.position)
      return total - found.retentionBytes < found.firstBytes
    }
  }
}
