/// Damage of a log as it is found, and which of it is told: the same lost offsets are told once, by
/// what will tell of them the longest.
///
/// What tells of missing bytes changes with what an opening and the sessions after it do: indexes
/// are brought in line with the log, a mark or a checkpoint moves on, a copy goes to `.bad`. So all
/// that is told of missing bytes is noted, and from then on told as it was noted.
struct LossFindings {
  /// What tells of a loss, the most lasting first.
  enum Source: Int, Comparable {
    /// Bytes that are there and damaged.
    case byBytes
    /// An earlier opening noted it.
    case byNote
    /// Names of a segment whose `.log` is missing.
    case bySegmentNames
    /// The mark, a checkpoint, or a gap where none is right.
    case byRecoveryPoint
    /// Files beside the segments.
    case otherwise

    static func < (one: Source, other: Source) -> Bool { one.rawValue < other.rawValue }
  }

  private var found: [(range: DamagedRange, source: Source)] = []

  /// Adds a finding; one with damaged bytes is always told.
  mutating func add(_ range: DamagedRange, _ source: Source) {
    found.append((range, range.bytes.isEmpty ? source : .byBytes))
  }

  /// What is told, in the order in which it was found.
  var told: [DamagedRange] { found.indices.filter(isTold).map { found[$0].range } }

  private func isTold(_ index: Int) -> Bool {
    let (range, source) = found[index]
    guard range.bytes.isEmpty, let offsets = range.offsets, !offsets.isEmpty else { return true }
    // The same loss, when the log's start was known.
    if source > .byNote, found.contains(where: { $0.source == .byNote && range.holds($0.range) }) {
      return false
    }
    return !found.indices.contains { other in
      guard other != index, let held = found[other].range.offsets,
        held.lowerBound <= offsets.lowerBound, held.upperBound >= offsets.upperBound
      else { return false }
      // More is known now of a loss that was noted.
      if source == .byNote, found[other].source > source {
        return held != offsets && found[other].range.isAtPlace(of: range)
      }
      // Each of those that were noted was told.
      if source == .byNote, found[other].source == source {
        return held == offsets && other < index
      }
      // Of two alike the first one.
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
