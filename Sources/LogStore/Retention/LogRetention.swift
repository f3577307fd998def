internal import CoreMetrics
internal import DiskIO
internal import Logging
internal import RecordFormat

/// Applies retention to one log. Any thread; blocks.
package struct LogRetention {
  private let log: Log
  private let nowMs: Int64
  private let config: LogConfig
  private let isConfirmed: Bool

  /// - Parameter nowMs: Wall time, milliseconds since 1970 UTC.
  package init(_ log: Log, nowMs: Int64) {
    self.init(log, nowMs: nowMs, config: log.config, isConfirmed: log.isPolicyConfirmed)
  }

  /// The same with other settings than the log's, for a read-only log.
  ///
  /// - Parameter isConfirmed: Whether they were set in the store.
  package init(_ log: Log, nowMs: Int64, config: LogConfig, isConfirmed: Bool) {
    self.log = log
    self.nowMs = nowMs
    self.config = config
    self.isConfirmed = isConfirmed
  }

  // MARK: Rules

  /// The rules for the log now.
  var rule: RetentionRule {
    RetentionRule(
      config: config, deletesByPolicy: config.hasRetention && isConfirmed,
      logStartOffset: log.logStartOffset, highWatermark: log.highWatermark, nowMs: nowMs)
  }

  /// Whether no rule can delete anything, by what is in memory.
  var isIdle: Bool {
    let rule = rule
    guard !rule.deletesByPolicy else { return false }
    let segments = log.store.state.segments
    return segments.count < 2 || segments[1].baseOffset > rule.logStartOffset
  }

  /// The rules' input for each segment.
  func candidates(_ segments: [Segment]) throws(LogError) -> [RetentionRule.Candidate] {
    let end = log.logEndOffset
    var result: [RetentionRule.Candidate] = []
    result.reserveCapacity(segments.count)
    for (index, segment) in segments.enumerated() {
      result.append(
        RetentionRule.Candidate(
          baseOffset: segment.baseOffset,
          endOffset: index + 1 < segments.count ? segments[index + 1].baseOffset : end,
          bytes: try bytes(of: segment)))
    }
    return result
  }

  private func bytes(of segment: Segment) throws(LogError) -> Int64 {
    if segment.isEndKnown { return Int64(segment.publishedEnd.position) }
    // A file that was removed by hand takes no space.
    return Int64(try status(segment)?.size ?? 0)
  }

  /// The time of a segment for the rules, milliseconds since 1970 UTC; usually from memory.
  ///
  /// A segment whose file was removed has the next one's time, which is rarely earlier, and the
  /// last one has the current time.
  package func time(of index: Int, _ segments: [Segment]) throws(LogError) -> Int64 {
    let segment = segments[index]
    if let known = knownLargest(segment), known >= 0 {
      let time = SegmentTime(largestMs: known, lastWriteMs: 0)
      if !time.isAhead(config, nowMs: nowMs) { return known }
    }
    guard let status = try status(segment) else {
      return index + 1 < segments.count ? try time(of: index + 1, segments) : nowMs
    }
    let view = try log.access.open(segment)
    let largest = try TimeLookup(log.access).largestTimestamp(of: view)
    let time = SegmentTime(largestMs: largest, lastWriteMs: status.modifiedMs)
    return try time.effectiveMs(config, nowMs: nowMs) { () throws(LogError) in
      try largestNotAhead(view, SegmentTime.aheadMaxMs(config) ?? .max)
    }
  }

  private func knownLargest(_ segment: Segment) -> Int64? {
    if segment.isSealed { return segment.largestTimestamp?.timestamp }
    guard let active = log.writing?.writer.active, active.segment === segment else { return nil }
    return active.cursor.largest.timestamp
  }

  private func status(_ segment: Segment) throws(LogError) -> FileStatus? {
    do throws(DiskError) {
      return try log.environment.disk.status(segment.path(.log))
    } catch {
      throw LogError(error)
    }
  }

  /// The greatest record time of a segment that is not too far ahead of now. Reads all of it.
  private func largestNotAhead(
    _ view: SegmentView, _ aheadMaxMs: Int64
  ) throws(LogError) -> Int64 {
    let (sum, isOverflow) = nowMs.addingReportingOverflow(aheadMaxMs)
    let limit = isOverflow ? Int64.max : sum
    var largest: Int64 = -1
    var decoder = RecordDecoder(tolerance: .kafka)
    try view.walk(from: 0) { (header, _, bytes) throws(LogError) in
      if header.maxTimestamp <= limit {
        largest = max(largest, header.maxTimestamp)
        return true
      }
      do throws(BatchError) {
        try RecordBatch(bytes).forEachRecord(&decoder) { record in
          if record.timestamp <= limit { largest = max(largest, record.timestamp) }
          return true
        }
      } catch {
        // Records that cannot be decoded have no time of their own.
      }
      return true
    }
    return largest
  }

  // MARK: Deleting

  /// The result of a check.
  package struct Outcome: Sendable, Equatable {
    /// Why each segment was deleted, oldest first.
    var reasons: [RetentionRule.Reason] = []
    /// Bytes of their `.log` files.
    package var bytes: Int64 = 0
  }

  /// What happens to each segment, oldest first, and why: the output of `mkstore retention`.
  package func explanation() throws(LogError) -> [RetentionExplanation] {
    try log.access.retrying { () throws(LogError) in
      let segments = log.store.state.segments
      let candidates = try candidates(segments)
      var times: [Int64] = []
      for index in segments.indices { times.append(try time(of: index, segments)) }
      return RetentionExplanation.all(candidates, times, rule, isConfirmed: isConfirmed)
    }
  }

  private func removals(
    _ candidates: [RetentionRule.Candidate], _ segments: [Segment]
  ) throws(LogError) -> [RetentionRule.Reason] {
    try rule.removals(candidates) { (index) throws(LogError) in try time(of: index, segments) }
  }

  /// The note by which the next checks skip the log if nothing is due; nil if that may change with
  /// what is acknowledged.
  private func note(
    _ candidates: [RetentionRule.Candidate], _ state: LogState
  ) throws(LogError) -> RetentionNote.Found? {
    let rule = rule
    guard rule.deletesByPolicy, let first = candidates.first, first.bytes > 0,
      first.endOffset <= rule.highWatermark, let last = state.segments.last, last.isEndKnown
    else { return nil }
    let dueMs =
      config.retentionMs < 0 ? nil : rule.expiryMs(try time(of: 0, state.segments))
    return RetentionNote.Found(
      generation: state.generation, retentionMs: config.retentionMs,
      retentionBytes: config.retentionBytes, aheadMaxMs: SegmentTime.aheadMaxMs(config),
      nowMs: nowMs, dueMs: dueMs ?? .max, firstBytes: first.bytes,
      sealedBytes: candidates.dropLast().reduce(0) { $0 + $1.bytes }, last: last)
  }

  /// Deletes what the rules say. If the active segment is due too, it is rolled first.
  ///
  /// - Durability: The new log start is durable before any file is removed.
  /// - Throws: `.disk`, `.diskFull`, `.poisoned`, `.closed`; the next check tries again.
  package func apply() throws(LogError) -> Outcome {
    let now = rule
    if !now.deletesByPolicy {
      if isIdle { return Outcome() }
    } else if log.retentionNote.holds(now, generation: log.store.generation) {
      return Outcome()
    }
    guard let writing = log.writing else { throw .readOnly(path: log.path) }
    try log.health.checkPresent()
    let (reasons, candidates) = try log.access.retrying {
      () throws(LogError) -> ([RetentionRule.Reason], [RetentionRule.Candidate]) in
      let state = log.store.state
      let found = try self.candidates(state.segments)
      let reasons = try removals(found, state.segments)
      log.retentionNote.set(reasons.isEmpty ? try note(found, state) : nil)
      return (reasons, found)
    }
    var outcome = Outcome()
    guard !reasons.isEmpty else { return outcome }
    var count = reasons.count
    if count == candidates.count, !rolls(writing) { count -= 1 }
    guard count > 0 else { return outcome }
    let start = candidates[count - 1].endOffset
    // Records that are not on disk yet have files that a flush still needs.
    try writing.pipeline.waitSynced(upTo: start)
    do throws(DiskError) {
      try log.store.dropPrefix(below: start)
    } catch {
      if error.operation == .syncDirectory { log.health.fail(error) }
      throw LogError(error)
    }
    outcome.reasons = Array(reasons.prefix(count))
    outcome.bytes = candidates.prefix(count).reduce(0) { $0 + $1.bytes }
    tell(outcome, start)
    return outcome
  }

  /// Begins a new segment, so that the last one may be deleted.
  ///
  /// - Returns: False if that fails, as on a full disk: the older ones are deleted, and make room.
  private func rolls(_ writing: Log.Writing) -> Bool {
    do throws(LogError) {
      try log.health.checkNotFailed()
      do throws(DiskError) {
        try writing.writer.rollNow()
      } catch {
        throw LogError(error)
      }
      return true
    } catch {
      log.context.rateLimitedLog.log(
        .warning, cause: "retention of \(log.topicPartition)",
        "the last segment is older than retention allows, but no new one can be begun",
        metadata: ["log": "\(log.topicPartition)", "error": "\(error)"])
      return false
    }
  }

  private func tell(_ outcome: Outcome, _ start: Int64) {
    let context = log.context
    context.metrics.expiredSegments.increment(by: Int64(outcome.reasons.count))
    context.metrics.expiredBytes.increment(by: outcome.bytes)
    context.logger.info(
      "retention deleted segments",
      metadata: [
        "log": "\(log.topicPartition)", "segments": "\(outcome.reasons.count)",
        "bytes": "\(outcome.bytes)", "logStartOffset": "\(start)",
        "reason": "\(Set(outcome.reasons.map(\.rawValue)).sorted().joined(separator: ", "))",
      ])
  }
}
