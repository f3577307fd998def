/// Decides whether records may be deleted by the wall clock: a clock that jumps deletes nothing by
/// surprise. Pure; owned by one job.
package struct ClockGuard: Sendable {
  /// Wall and monotonic time that drift apart by more than this between two looks are a jump: an
  /// hour.
  package static let jumpMs: Int64 = 3_600_000
  /// A start whose wall time lies further than this from the one that was kept is in doubt: a day.
  package static let startGapMs: Int64 = 86_400_000

  /// What a look at the clocks gives.
  package enum Verdict: Sendable, Equatable {
    /// The wall time may be used.
    case steady
    /// Not before so many milliseconds have passed.
    case wait(ms: Int64)
  }

  /// Why it waits.
  package enum Doubt: Sendable, Equatable {
    /// Wall time moved by so many milliseconds more than monotonic time.
    case jumped(ms: Int64)
    /// Wall time at the start lies so many milliseconds from the one that was kept.
    case startGap(ms: Int64)
  }

  private var last: (wallMs: Int64, monotonicMs: Int64)
  /// Monotonic time from which on the clock counts as steady.
  private var steadyFromMs: Int64
  /// What is in doubt; nil where nothing is.
  package private(set) var doubt: Doubt?

  /// Begins with the clocks of the start.
  ///
  /// - Parameters:
  ///   - keptWallMs: The wall time that the last session kept; nil: nothing is known.
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

  /// Looks at the clocks.
  ///
  /// - Parameter intervalMs: How long the clock must be steady after a jump.
  package mutating func look(
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

  /// The clock was confirmed to be right.
  package mutating func confirm() {
    doubt = nil
    steadyFromMs = last.monotonicMs
  }
}

extension ClockGuard.Doubt: CustomStringConvertible {
  package var description: String {
    func hours(_ ms: Int64) -> String { "\(ms / 3_600_000) hours" }
    return switch self {
    case .jumped(let ms): "the clock jumped by \(hours(ms))"
    case .startGap(let ms): "the clock is \(hours(ms)) from the time of the last session's end"
    }
  }
}
