/// Collects a log's damage and selects what to report. The same lost offsets are reported once, by
/// the evidence that will last longest.
///
/// An opening and later sessions change the evidence of missing bytes: indexes are rebuilt, a mark
/// or a checkpoint moves on, a copy goes to `.bad`. So every reported loss of missing bytes is
/// recorded, and from then on reported as recorded.
struct LossFindings {
  /// The evidence of a loss, the longest-lasting first.
  enum Source: Int, Comparable {
    /// Bytes that exist and are damaged.
    case byBytes
    /// An earlier opening recorded it.
    case byNote
    /// Names of a segment whose `.log` is missing.
    case bySegmentNames
    /// The mark, a checkpoint, or a gap in a log that has none.
    case byRecoveryPoint
    /// Files beside the segments.
    case otherwise

    static func < (one: Source, other: Source) -> Bool { one.rawValue < other.rawValue }
  }

  private var found: [(range: DamagedRange, source: Source)] = []

  /// Adds a finding; one with damaged bytes is always reported.
  mutating func add(_ range: DamagedRange, _ source: Source) {
    found.append((range, range.bytes.isEmpty ? source : .byBytes))
  }

  /// The findings to report, in the order in which they were found.
  var told: [DamagedRange] { found.indices.filter(isTold).map { found[$0].range } }

  private func isTold(_ index: Int) -> Bool {
    let (range, source) = found[index]
    guard range.bytes.isEmpty, let offsets = range.offsets, !offsets.isEmpty else { return true }
    // The same loss, recorded when the log's start was known.
    if source > .byNote, found.contains(where: { $0.source == .byNote && range.holds($0.range) }) {
      return false
    }
    return !found.indices.contains { other in
      guard other != index, let held = found[other].range.offsets,
        held.lowerBound <= offsets.lowerBound, held.upperBound >= offsets.upperBound
      else { return false }
      // More is known now about a recorded loss.
      if source == .byNote, found[other].source > source {
        return held != offsets && found[other].range.isAtPlace(of: range)
      }
      // Each recorded loss was reported.
      if source == .byNote, found[other].source == source {
        return held == offsets && other < index
      }
      // Of two equal ones the first.
      return found[other].source < source
        || found[other].source == source && (held != offsets || other < index)
    }
  }
}

extension DamagedRange {
  fileprivate func holds(_ other: DamagedRange) -> Bool {
    file == other.file && bytes == other.bytes && reason == other.reason
      && offsets?.upperBound == other.offsets?.upperBound
  }

  fileprivate func isAtPlace(of other: DamagedRange) -> Bool {
    file == other.file && bytes == other.bytes && offsets?.lowerBound == other.offsets?.lowerBound
  }
}
