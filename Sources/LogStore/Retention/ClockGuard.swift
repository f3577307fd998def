/// Decides whether records may be deleted by the wall clock, so that a clock that jumps does not
/// delete records. Pure; owned by one job.
package struct ClockGuard: Sendable {
  /// Wall and monotonic time that move apart by more than this between two checks are a jump: an
  /// hour.
  static let jumpMs: Int64 = 3_600_000
  /// A start whose wall time differs by more than this from the stored one is in doubt: a day.
  static let startGapMs: Int64 = 86_400_000

  /// The result of a check of the clocks.
  enum Verdict: Sendable, Equatable {
    /// The wall time may be used.
    case steady
    /// Not before this many milliseconds have passed.
    case wait(ms: Int64)
  }

  /// Why it waits.
  enum Doubt: Sendable, Equatable {
    /// Wall time moved by this many milliseconds more than monotonic time.
    case jumped(ms: Int64)
    /// Wall time at the start differs by this many milliseconds from the stored one.
    case startGap(ms: Int64)
  }

  private var last: (wallMs: Int64, monotonicMs: Int64)
  /// Monotonic time from which on the clock counts as steady.
  private var steadyFromMs: Int64
  /// What is in doubt; nil if nothing is.
  private(set) var doubt: Doubt?

  /// Begins with the clocks at the start.
  ///
  /// - Parameters:
  ///   - keptWallMs: The wall time that the last session stored; nil: unknown.
  ///   - startWaitMs: How long a start in doubt waits.
  package init(wallMs: Int64, monotonicMs: Int64, keptWallMs: Int64?, startWaitMs: Int64) {
    last = (wallMs, monotonicMs)
    steadyFromMs = monotonicMs
    guard let keptWallMs else { return }
    let (gap, isOverflow) = wallMs.subtractingReportingOverflow(keptWallMs)
    if isOverflow || gap.magnitude > Self.startGapMs.magnitude {
      doubt = .startGap(ms: isOverflow ? (wallMs < keptWallMs ? .min : .max) : gap)
      steadyFromMs = monotonicMs + startWaitMs
    }
  }

  /// Checks the clocks.
  ///
  /// - Parameter intervalMs: How long the clock must be steady after a jump.
  mutating func look(
    wallMs: Int64, monotonicMs: Int64, intervalMs: Int64
  ) -> Verdict {
    let (moved, isOverflow) = wallMs.subtractingReportingOverflow(last.wallMs)
    let drift = isOverflow ? Int64.max : moved &- (monotonicMs - last.monotonicMs)
    last = (wallMs, monotonicMs)
    if drift.magnitude > Self.jumpMs.magnitude {
      doubt = .jumped(ms: drift)
      steadyFromMs = max(steadyFromMs, monotonicMs + intervalMs)
    }
    guard monotonicMs < steadyFromMs else {
      doubt = nil
      return .steady
    }
    return .wait(ms: steadyFromMs - monotonicMs)
  }

  /// An operator confirmed that the clock is right.
  package mutating func confirm() {
    doubt = nil
    steadyFromMs = last.monotonicMs
  }
}

extension ClockGuard.Doubt: CustomStringConvertible {
  var description: String {
    func hours(_ ms: Int64) -> String { "\(ms / 3_600_000) hours" }
    return switch self {
    case .jumped(let ms): "the clock jumped by \(hours(ms))"
    case .startGap(let ms): "the clock is \(hours(ms)) from the time of the last session's end"
    }
  }
}
