internal import DiskIO
internal import Logging

/// Checks every log of a store for what retention deletes, each `log.retention.check.interval.ms`.
///
/// A step checks some logs, or deletes in one, so that other jobs run in between. Before each round
/// the wall clock is checked.
final class RetentionJob: Housekeeper.Job {
  /// How many logs a step checks.
  private static let logsPerStep = 64
  /// How often a waiting check looks for a confirmation of the clock.
  private static let confirmationMs: Int64 = 5_000

  private weak let manager: Store?
  private let state: Locked<State>

  private struct State {
    /// Logs that the round has not checked yet.
    var left: [Log] = []
    var isInRound = false
    /// The last reported doubt.
    var told: ClockGuard.Doubt?
  }

  init(_ manager: Store) {
    self.manager = manager
    state = Locked(State())
  }

  func step() -> Housekeeper.Progress {
    guard let manager else { return .done }
    return state.withLock { state in
      if !state.isInRound {
        if let pause = pause(&state, manager) { return .again(afterMs: pause) }
        state.left = manager.unsortedLogs
        state.isInRound = true
      }
      check(&state, manager)
      guard state.left.isEmpty else { return .more }
      state.isInRound = false
      keepTime(manager)
      return .again(afterMs: Int64(manager.config.retentionCheckIntervalMs))
    }
  }

  // MARK: The clock

  /// How long the clock is still in doubt, milliseconds; nil if it is not.
  private func pause(_ state: inout State, _ manager: Store) -> Int64? {
    let clock = manager.context.clock
    let isConfirmed = clock.doubt != nil && manager.context.policies.isClockConfirmed()
    let verdict = clock.look()
    if isConfirmed { clock.confirm() }
    tell(clock.doubt, &state, manager)
    guard !isConfirmed, case .wait(let ms) = verdict else { return nil }
    return min(ms, Self.confirmationMs)
  }

  private func tell(
    _ doubt: ClockGuard.Doubt?, _ state: inout State, _ manager: Store
  ) {
    guard doubt != state.told else { return }
    state.told = doubt
    guard let doubt else {
      manager.context.logger.notice("the clock is trusted again; retention continues")
      return
    }
    manager.context.logger.warning(
      "nothing is deleted by time until the clock has proved steady",
      metadata: [
        "reason": "\(doubt)",
        "remedy": "mkstore retention \(manager.path) --confirm-clock",
      ])
  }

  private func keepTime(_ manager: Store) {
    do throws(DiskError) {
      try manager.context.policies.note(wallMs: manager.config.nowMs())
    } catch {
      // The next start may wait longer.
      manager.context.rateLimitedLog.log(
        .warning, cause: "time of the store", "the time of the check was not kept",
        metadata: ["error": "\(error)"])
    }
  }

  // MARK: Logs

  /// Checks the next logs, up to one from which something is deleted.
  private func check(_ state: inout State, _ manager: Store) {
    for _ in 0..<Self.logsPerStep {
      guard let log = state.left.popLast() else { return }
      let retention = LogRetention(log, nowMs: manager.config.nowMs())
      do throws(LogError) {
        if try !retention.apply().reasons.isEmpty { return }
      } catch  where error.code == .closed {
        // Deleted meanwhile.
      } catch {
        manager.context.rateLimitedLog.log(
          .warning, cause: "retention of \(log.topicPartition)",
          "retention could not be applied; the next check tries again",
          metadata: ["log": "\(log.topicPartition)", "error": "\(error)"])
      }
    }
  }
}
