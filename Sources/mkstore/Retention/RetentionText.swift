import DiskIO
import LogStore

/// The output of `mkstore retention` for one log.
struct RetentionText {
  private let location: LogLocation
  private let log: Log
  private let config: LogConfig
  private let policy: StoredPolicy
  private let segments: [RetentionExplanation]
  private let explainsAll: Bool

  /// - Parameters:
  ///   - base: The defaults of the store's owner.
  ///   - explainsAll: Whether every segment is explained, not only up to the first kept one.
  init(
    _ location: LogLocation, base: LogConfig, explainsAll: Bool
  ) throws(CommandFailure) {
    self.location = location
    self.explainsAll = explainsAll
    log = try location.openReadOnly()
    do throws(CheckpointError) {
      policy = try StoredPolicy(
        of: location.topicPartition, store: location.store, PosixDisk())
    } catch {
      throw CommandFailure(error)
    }
    config = policy.overrides.applied(to: base)
    let retention = LogRetention(
      log, nowMs: WallClock.nowMs(), config: config, isConfirmed: policy.isConfirmed)
    segments = try withLogErrors { () throws(LogError) in try retention.explanation() }
  }

  private var told: ArraySlice<RetentionExplanation> {
    if explainsAll { return segments[...] }
    let kept = segments.firstIndex { if case .goes = $0.fate { false } else { true } }
    return segments.prefix((kept ?? segments.count) + 1)
  }

  private var limits: String {
    guard config.cleanupPolicy.contains(.delete) else {
      return "cleanup.policy=\(config.cleanupPolicy)"
    }
    return "retention.ms=\(config.retentionMs) retention.bytes=\(config.retentionBytes)"
  }

  // MARK: For people

  /// A line for the log, and one for each segment.
  var lines: [String] {
    let going = segments.count { if case .goes = $0.fate { true } else { false } }
    let confirmed =
      !config.hasRetention || policy.isConfirmed ? "" : ", not confirmed: nothing is deleted"
    return [
      "\(location.topicPartition): \(limits)\(confirmed); "
        + Counted.text(segments.count, "segment") + ", \(going) to go at the next check"
    ] + told.map { "  " + line($0) }
  }

  private func line(_ told: RetentionExplanation) -> String {
    let segment = told.segment
    return "\(SegmentName(segment.baseOffset, .log).fileName)  offsets \(segment.baseOffset) to "
      + "\(segment.endOffset) (exclusive)  \(segment.bytes) bytes  "
      + "time \(RFC3339.text(told.timeMs))  \(fate(told))"
  }

  private func fate(_ told: RetentionExplanation) -> String {
    switch told.fate {
    case .goes(let reason): "goes: \(reason.rawValue)"
    case .emptyEnd: "stays: it is the empty end of the log"
    case .unacknowledged: "stays: not all of it is acknowledged"
    case .unlimited: "stays: no limit is set"
    case .unconfirmed:
      "stays: the topic's settings are not confirmed in this store"
        + " (mkstore topics alter \(location.store) \(location.topicPartition.topic) --confirm)"
    case .withinLimits: "stays \(limit(told))"
    case .afterOlder: "stays with the older ones" + (isLimited(told) ? ", else \(limit(told))" : "")
    }
  }

  private func isLimited(_ told: RetentionExplanation) -> Bool {
    told.expiresMs != nil || told.growthBytes != nil
  }

  private func limit(_ told: RetentionExplanation) -> String {
    let time = told.expiresMs.map { "until \(RFC3339.text($0))" }
    let growth = told.growthBytes.map { "until the log has grown by \($0) bytes" }
    let parts = [time, growth].compactMap { $0 }
    return parts.isEmpty ? "without limit" : parts.joined(separator: " or ")
  }

  // MARK: For programs

  /// An object for the log, and one for each segment.
  var objects: [JSONObject] {
    var object = JSONObject(type: "retention")
    object.add("log", "\(location.topicPartition)")
    object.add("cleanupPolicy", "\(config.cleanupPolicy)")
    object.add("retentionMs", config.retentionMs)
    object.add("retentionBytes", config.retentionBytes)
    object.add("isConfirmed", policy.isConfirmed)
    object.add("segments", segments.count)
    return [object] + told.map { segmentObject($0) }
  }

  private func segmentObject(_ told: RetentionExplanation) -> JSONObject {
    var object = JSONObject(type: "retentionSegment")
    object.add("log", "\(location.topicPartition)")
    object.add("baseOffset", told.segment.baseOffset)
    object.add("endOffset", told.segment.endOffset)
    object.add("bytes", told.segment.bytes)
    object.addTime("time", milliseconds: told.timeMs)
    var reason: String?
    if case .goes(let why) = told.fate { reason = why.rawValue }
    object.add("goes", reason != nil)
    object.add("reason", reason ?? fate(told))
    object.addTime("expires", milliseconds: told.expiresMs)
    object.add("growthBytes", told.growthBytes)
    return object
  }
}
