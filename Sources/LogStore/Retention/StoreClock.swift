/// The clocks of a store, and whether its wall clock may be used to expire records and idle
/// producers. Any thread; a check costs two readings of clocks and a lock.
package final class StoreClock: Sendable {
  private let wallMs: @Sendable () -> Int64
  private let monotonicNs: @Sendable () -> Int64
  /// How long the clock must be steady after a jump.
  private let intervalMs: Int64
  private let state: Locked<ClockGuard>

  /// Begins with the current clocks.
  package init(
    wallMs: @escaping @Sendable () -> Int64, monotonicNs: @escaping @Sendable () -> Int64,
    intervalMs: Int64
  ) {
    self.wallMs = wallMs
    self.monotonicNs = monotonicNs
    self.intervalMs = intervalMs
    state = Locked(
      ClockGuard(
        wallMs: wallMs(), monotonicMs: monotonicNs() / 1_000_000, keptWallMs: nil, startWaitMs: 0))
  }

  /// Compares the start with what the last session stored.
  ///
  /// - Parameters:
  ///   - keptWallMs: The wall time that it stored; nil: unknown.
  ///   - startWaitMs: How long a start in doubt waits.
  package func begin(keptWallMs: Int64?, startWaitMs: Int64) {
    state.withLock { clock in
      clock = ClockGuard(
        wallMs: wallMs(), monotonicMs: monotonicNs() / 1_000_000, keptWallMs: keptWallMs,
        startWaitMs: startWaitMs)
    }
  }

  /// What is in doubt; nil if nothing is.
  var doubt: ClockGuard.Doubt? { state.withLock { $0.doubt } }

  /// Checks the clocks.
  func look() -> ClockGuard.Verdict { state.withLock { look(&$0).verdict } }

  /// An operator confirmed that the clock is right.
  package func confirm() { state.withLock { $0.confirm() } }

  /// The wall time for deciding what has expired, milliseconds since 1970; 0, so that nothing has,
  /// while the clock is in doubt.
  func expiryMs() -> Int64 {
    state.withLock { clock in
      let (verdict, nowMs) = look(&clock)
      return verdict == .steady ? nowMs : 0
    }
  }

  private func look(_ clock: inout ClockGuard) -> (verdict: ClockGuard.Verdict, nowMs: Int64) {
    let nowMs = wallMs()
    let verdict = clock.look(
      wallMs: nowMs, monotonicMs: monotonicNs() / 1_000_000, intervalMs: intervalMs)
    return (verdict, nowMs)
  }
}
