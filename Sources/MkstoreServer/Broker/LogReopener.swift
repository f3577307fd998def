package import LogStore
package import Logging

/// Opens failed logs again once the disk works, on its own thread.
///
/// Each is tried after a pause that doubles up to a bound, also if a log fails again soon after it
/// was opened. A loop around `step()`; time is a closure. Any thread may call.
package final class LogReopener: Sendable {
  /// One failed log.
  private struct Attempt {
    /// When to try next, monotonic nanoseconds; nil while it is being opened, and once it is open.
    var dueNs: Int64?
    var pauseNs: Int64
    var isToldOf = false
    /// When it was tried last.
    var triedNs: Int64 = 0
  }

  private struct State {
    var attempts: [TopicPartition: Attempt] = [:]
    var isChanged = false
    var isStopping = false
  }

  private let manager: Store
  private let logger: Logger
  private let pausesNs: ClosedRange<Int64>
  private let now: @Sendable () -> Int64
  private let didReopen: @Sendable (TopicPartition) -> Void
  private let state = Locked(State())
  private let thread = Locked<PinnedThread?>(nil)

  /// - Parameters:
  ///   - pausesMs: The first pause and the longest.
  ///   - now: Monotonic nanoseconds.
  ///   - didReopen: Called for each log that is open again, on the thread that opened it.
  package init(
    _ manager: Store, pausesMs: ClosedRange<Int64>, now: @escaping @Sendable () -> Int64,
    logger: Logger, didReopen: @escaping @Sendable (TopicPartition) -> Void
  ) {
    self.manager = manager
    self.logger = logger
    self.now = now
    self.didReopen = didReopen
    pausesNs = pausesMs.lowerBound * 1_000_000...pausesMs.upperBound * 1_000_000
  }

  /// Begins to listen for failures; earlier ones count too.
  package func listen() {
    manager.context.failures.set { [weak self] in self?.add($0) }
    for log in manager.logs where log.health.isFailed { add(log.topicPartition) }
  }

  /// Listens, and starts the thread. Once.
  package func start() {
    listen()
    thread.withLock { thread in
      thread =
        thread
        ?? PinnedThread(name: "mkstore-reopen", core: nil) { [self] in
          while step(waiting: true) {}
        }
    }
  }

  /// Ends the thread after the current log. Idempotent.
  package func stop() {
    manager.context.failures.set(nil)
    state.withLock { $0.isStopping = true }
    state.broadcast()
    let running = thread.withLock { thread in
      defer { thread = nil }
      return thread
    }
    running?.join()
  }

  /// Adds a failed log.
  private func add(_ topicPartition: TopicPartition) {
    let nowNs = now()
    state.withLock { state in
      var attempt = Attempt(pauseNs: pausesNs.lowerBound)
      if let known = state.attempts[topicPartition] {
        if known.dueNs != nil { return }
        if nowNs - known.triedNs < pausesNs.upperBound {
          attempt.pauseNs = min(2 * known.pauseNs, pausesNs.upperBound)
        }
      }
      attempt.dueNs = nowNs + attempt.pauseNs
      state.attempts[topicPartition] = attempt
      state.isChanged = true
    }
    state.broadcast()
  }

  /// Tries the logs that are due.
  ///
  /// - Parameter waiting: Whether to wait if there is none.
  /// - Returns: False when the thread must end.
  @discardableResult
  package func step(waiting: Bool) -> Bool {
    if waiting {
      let nowNs = now()
      let next = state.withLock { state in
        state.isChanged = false
        return state.attempts.values.compactMap(\.dueNs).min()
      }
      _ = state.wait(timeoutNs: next.map { max(0, $0 - nowNs) }) { $0.isChanged || $0.isStopping }
    }
    let nowNs = now()
    let (due, isStopping) = state.withLock { state in
      (
        state.attempts.filter { $0.value.dueNs.map { $0 <= nowNs } ?? false }.map(\.key),
        state.isStopping
      )
    }
    for topicPartition in due.sorted(by: { "\($0)" < "\($1)" }) {
      if state.withLock({ $0.isStopping }) { return false }
      reopen(topicPartition)
    }
    return !isStopping
  }

  private func reopen(_ topicPartition: TopicPartition) {
    let nowNs = now()
    state.withLock { state in
      state.attempts[topicPartition]?.dueNs = nil
      state.attempts[topicPartition]?.triedNs = nowNs
    }
    do throws(LogError) {
      _ = try manager.reopenLogBlocking(topicPartition)
      didReopen(topicPartition)
    } catch  where error.code == .notFound || error.code == .closed {
      // Deleted meanwhile.
      state.withLock { $0.attempts[topicPartition] = nil }
    } catch {
      postpone(topicPartition, error)
    }
  }

  private func postpone(_ topicPartition: TopicPartition, _ error: LogError) {
    let nowNs = now()
    let isFirst = state.withLock { state -> Bool in
      guard var attempt = state.attempts[topicPartition] else { return false }
      defer { state.attempts[topicPartition] = attempt }
      attempt.pauseNs = min(2 * attempt.pauseNs, pausesNs.upperBound)
      attempt.dueNs = nowNs + attempt.pauseNs
      defer { attempt.isToldOf = true }
      return !attempt.isToldOf
    }
    // Logged once: it is tried again as long as the state of the disk lasts.
    logger.log(
      level: isFirst ? .warning : .debug,
      "a failed log cannot be opened again yet; it is tried again all the time",
      metadata: ["log": "\(topicPartition)", "error": "\(error)"])
  }
}
