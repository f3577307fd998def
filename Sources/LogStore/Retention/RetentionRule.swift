/// Kafka's rules for how many of a log's oldest segments are deleted (3.9,
/// `UnifiedLog.deleteOldSegments`): by the log start offset, then by size, then by time. Each rule
/// walks from the oldest remaining segment and ends at the first one that it keeps. Pure.
package struct RetentionRule: Sendable {
  /// Why a segment is deleted.
  package enum Reason: String, Sendable {
    /// All its records are below the log start offset.
    case startOffset = "start offset"
    /// Without it the log still holds `retention.bytes`.
    case size
    /// Its latest record is older than `retention.ms`.
    case time
  }

  /// The rules' input for a segment, except its time.
  package struct Candidate: Sendable, Equatable {
    /// Offset in its name.
    package var baseOffset: Int64
    /// The next segment's base offset; the log end offset of the last one.
    package var endOffset: Int64
    /// Size of its `.log`.
    package var bytes: Int64

    /// Memberwise.
    package init(baseOffset: Int64, endOffset: Int64, bytes: Int64) {
      self.baseOffset = baseOffset
      self.endOffset = endOffset
      self.bytes = bytes
    }
  }

  /// The log's settings.
  package var config: LogConfig
  /// Whether size and time count: the policy is known, and says to delete.
  var deletesByPolicy: Bool
  package var logStartOffset: Int64
  package var highWatermark: Int64
  /// Wall time, milliseconds since 1970 UTC.
  package var nowMs: Int64

  /// Memberwise.
  package init(
    config: LogConfig, deletesByPolicy: Bool, logStartOffset: Int64, highWatermark: Int64,
    nowMs: Int64
  ) {
    self.config = config
    self.deletesByPolicy = deletesByPolicy
    self.logStartOffset = logStartOffset
    self.highWatermark = highWatermark
    self.nowMs = nowMs
  }

  /// Why each of the oldest segments is deleted; the segments after those stay.
  ///
  /// - Parameters:
  ///   - candidates: Every segment of the log, oldest first.
  ///   - time: The time of a segment by its index, see `SegmentTime`; requested only if needed.
  func removals<Failure: Error>(
    _ candidates: [Candidate], time: (Int) throws(Failure) -> Int64
  ) throws(Failure) -> [Reason] {
    var reasons: [Reason] = []
    while let next = following(reasons.count, candidates), next.baseOffset <= logStartOffset,
      isEligible(reasons.count, candidates)
    {
      reasons.append(.startOffset)
    }
    guard deletesByPolicy else { return reasons }
    if config.retentionBytes >= 0 {
      let total = candidates[reasons.count...].reduce(0) { $0 + $1.bytes }
      var excess = total - config.retentionBytes
      while isEligible(reasons.count, candidates), excess >= candidates[reasons.count].bytes {
        excess -= candidates[reasons.count].bytes
        reasons.append(.size)
      }
    }
    if config.retentionMs >= 0 {
      while isEligible(reasons.count, candidates), isExpired(try time(reasons.count)) {
        reasons.append(.time)
      }
    }
    return reasons
  }

  /// Whether a segment of this time is older than `retention.ms`, strictly.
  func isExpired(_ timeMs: Int64) -> Bool {
    let (age, isOverflow) = nowMs.subtractingReportingOverflow(timeMs)
    return isOverflow ? timeMs < 0 : age > config.retentionMs
  }

  /// When a segment of this time is older than `retention.ms`; nil if never.
  func expiryMs(_ timeMs: Int64) -> Int64? {
    let (time, isOverflow) = timeMs.addingReportingOverflow(config.retentionMs)
    return config.retentionMs < 0 || isOverflow || time == .max ? nil : time + 1
  }

  private func following(_ index: Int, _ candidates: [Candidate]) -> Candidate? {
    index + 1 < candidates.count ? candidates[index + 1] : nil
  }

  /// Whether a rule may delete the segment: all of it is acknowledged, and it is not the log's
  /// empty end.
  private func isEligible(_ index: Int, _ candidates: [Candidate]) -> Bool {
    guard index < candidates.count else { return false }
    let isEmptyEnd = index + 1 == candidates.count && candidates[index].bytes == 0
    return candidates[index].endOffset <= highWatermark && !isEmptyEnd
  }
}

/// Determines a segment's time for the rules. Pure.
package struct SegmentTime: Sendable {
  /// How far ahead a record's time may be if the topic has no limit of its own: a day.
  static let aheadMaxMs: Int64 = 86_400_000

  /// The greatest record time; negative if no record has one.
  package var largestMs: Int64
  /// When the file was last written.
  var lastWriteMs: Int64

  /// Memberwise.
  package init(largestMs: Int64, lastWriteMs: Int64) {
    self.largestMs = largestMs
    self.lastWriteMs = lastWriteMs
  }

  /// How far ahead of now a record's time may be and still count; nil: any.
  static func aheadMaxMs(_ config: LogConfig) -> Int64? {
    if config.trustsFutureTimes { return nil }
    return config.timestampAfterMaxMs == .max ? aheadMaxMs : config.timestampAfterMaxMs
  }

  /// Whether the greatest time is so far ahead that it does not count.
  func isAhead(_ config: LogConfig, nowMs: Int64) -> Bool {
    guard let limit = Self.aheadMaxMs(config) else { return false }
    let (ahead, isOverflow) = largestMs.subtractingReportingOverflow(nowMs)
    return isOverflow ? largestMs > nowMs : ahead > limit
  }

  /// The time that counts.
  ///
  /// - Parameter largestNotAhead: The greatest record time that is not too far ahead; requested
  ///   only if one is.
  func effectiveMs<Failure: Error>(
    _ config: LogConfig, nowMs: Int64, largestNotAhead: () throws(Failure) -> Int64
  ) throws(Failure) -> Int64 {
    if largestMs < 0 { return lastWriteMs }
    guard isAhead(config, nowMs: nowMs) else { return largestMs }
    return max(lastWriteMs, try largestNotAhead())
  }
}
