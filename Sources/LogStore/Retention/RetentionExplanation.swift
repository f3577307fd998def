/// What happens to one segment at the next check of its log, and why.
package struct RetentionExplanation: Sendable, Equatable {
  /// What happens to it.
  package enum Fate: Sendable, Equatable {
    /// The next check deletes it.
    case goes(RetentionRule.Reason)
    /// It is the log's empty end.
    case emptyEnd
    /// Not all of it is acknowledged.
    case unacknowledged
    /// No setting limits the log.
    case unlimited
    /// Settings do, but they were not confirmed in this store.
    case unconfirmed
    /// It is within the limits.
    case withinLimits
    /// An older segment is kept.
    case afterOlder
  }

  package var segment: RetentionRule.Candidate
  /// Its time for the rules, milliseconds since 1970 UTC.
  package var timeMs: Int64
  package var fate: Fate
  /// When it becomes older than `retention.ms`, milliseconds since 1970 UTC; nil: never.
  package var expiresMs: Int64?
  /// How many bytes the log can grow until `retention.bytes` deletes the segment; nil: never by
  /// size.
  package var growthBytes: Int64?

  /// Explains every segment of a log.
  ///
  /// - Parameters:
  ///   - times: The time of each segment, see `SegmentTime`.
  ///   - isConfirmed: Whether the log's settings were set in the store.
  static func all(
    _ segments: [RetentionRule.Candidate], _ times: [Int64], _ rule: RetentionRule,
    isConfirmed: Bool
  ) -> [RetentionExplanation] {
    let reasons = rule.removals(segments) { times[$0] }
    let config = rule.config
    var newerBytes = segments.reduce(0) { $0 + $1.bytes }
    return segments.enumerated().map { index, segment in
      newerBytes -= segment.bytes
      let growth =
        config.hasRetention && config.retentionBytes >= 0
        ? max(0, config.retentionBytes - newerBytes) : nil
      return RetentionExplanation(
        segment: segment, timeMs: times[index],
        fate: index < reasons.count
          ? .goes(reasons[index])
          : index > reasons.count
            ? .afterOlder
            : fate(ofFirstKept: segment, isLast: index == segments.count - 1, rule, isConfirmed),
        expiresMs: config.hasRetention ? rule.expiryMs(times[index]) : nil, growthBytes: growth)
    }
  }

  private static func fate(
    ofFirstKept segment: RetentionRule.Candidate, isLast: Bool, _ rule: RetentionRule,
    _ isConfirmed: Bool
  ) -> Fate {
    if isLast, segment.bytes == 0 { return .emptyEnd }
    if segment.endOffset > rule.highWatermark { return .unacknowledged }
    if !rule.config.hasRetention { return .unlimited }
    return isConfirmed ? .withinLimits : .unconfirmed
  }
}
