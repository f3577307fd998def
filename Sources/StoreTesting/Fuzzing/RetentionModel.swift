/// Which records retention deletes: Kafka's rules, implemented simply and independently of the
/// engine, for tests.
struct RetentionModel {
  /// An appended batch, as far as the rules need it.
  struct Batch {
    var base: Int64
    var next: Int64
    var bytes: Int
    var largestMs: Int64
  }

  /// The settings of the topic that the rules need; nil or negative: no limit.
  struct Settings: Equatable {
    var retentionMs: Int64 = -1
    var retentionBytes: Int64 = -1
    var segmentMs: Int64 = 604_800_000
    var deleteDelayMs: Int64 = 60_000
  }

  /// The result of a check.
  struct Outcome: Equatable {
    /// The log's first offset after it.
    var start: Int64
    /// How many segments each rule deletes.
    var counts: [String: Int] = [:]
    /// Whether the last segment is deleted too, after a new one was begun.
    var takesLast = false
  }

  /// A segment: its batches.
  private struct Segment {
    var base: Int64
    var next: Int64
    var bytes = 0
    var largestMs: Int64 = .min
  }

  var settings: Settings
  var batches: [Batch]
  /// Base offsets of the log's segments.
  var bases: [Int64]
  var start: Int64
  var end: Int64
  var highWatermark: Int64

  /// The result of the next check at this time.
  func outcome(nowMs: Int64) -> Outcome {
    var left = segments
    var outcome = Outcome(start: start)
    if left.isEmpty { return outcome }
    func isKept() -> Bool {
      guard let first = left.first else { return true }
      return first.next > highWatermark || (left.count == 1 && first.bytes == 0)
    }
    func drop(_ rule: String) {
      left.removeFirst()
      outcome.counts[rule, default: 0] += 1
    }
    while left.count > 1, !isKept(), left[1].base <= start { drop("start") }
    if settings.retentionBytes >= 0 {
      while !isKept() {
        var others: Int64 = 0
        for segment in left.dropFirst() { others += Int64(segment.bytes) }
        if others < settings.retentionBytes { break }
        drop("size")
      }
    }
    if settings.retentionMs >= 0 {
      while !isKept(), nowMs - left[0].largestMs > settings.retentionMs { drop("time") }
    }
    outcome.takesLast = left.isEmpty
    outcome.start = max(start, left.first?.base ?? end)
    return outcome
  }

  private var segments: [Segment] {
    bases.indices.map { index in
      let next = index + 1 < bases.count ? bases[index + 1] : end
      var segment = Segment(base: bases[index], next: next)
      for batch in batches where batch.base >= segment.base && batch.base < next {
        segment.bytes += batch.bytes
        segment.largestMs = max(segment.largestMs, batch.largestMs)
      }
      return segment
    }
  }
}
