/// Damage of a log as it is found, and which of it is told: the same lost offsets are told once,
/// by what will tell of them the longest.
struct LossFindings {
  /// What tells of a loss, the most lasting first.
  enum Source: Int, Comparable {
    /// Bytes that are there and damaged.
    case byBytes
    /// Names of a segment whose `.log` is missing.
    case bySegmentNames
    /// The mark or a checkpoint.
    case byRecoveryPoint
    /// What will be gone once the plan was carried out.
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

  /// Those that nothing tells of once the plan was carried out.
  var untold: [DamagedRange] {
    found.indices.filter { isTold($0) && found[$0].source == .otherwise }.map { found[$0].range }
  }

  private func isTold(_ index: Int) -> Bool {
    let (range, source) = found[index]
    guard range.bytes.isEmpty, let offsets = range.offsets, !offsets.isEmpty else { return true }
    return !found.indices.contains { other in
      guard let held = found[other].range.offsets, held.lowerBound <= offsets.lowerBound,
        held.upperBound >= offsets.upperBound
      else { return false }
      // Of two alike the first one.
      return found[other].source < source
        || found[other].source == source && (held != offsets || other < index) && other != index
    }
  }
}
