internal import CMkstoreShims

/// Runs a store's deferred jobs, such as removing the files of deleted logs and segments.
///
/// Owns the queue of jobs. A job is done in slices: the jobs that are due take turns, so that none
/// waits for another's end. One thread, which lives while there are jobs, is a loop around
/// `step()`; simulations call `step()` themselves. Jobs left at `stop` are done by the next opening
/// of the store. Any thread may call any method.
package final class Housekeeper: Sendable {
  /// A deferred job. Called by one thread at a time; it reports its own errors.
  protocol Job: Sendable {
    /// Does a part that takes a few milliseconds, or one system call if that takes longer.
    func step() -> Progress
  }

  /// What is left of a job after a step.
  package enum Progress: Sendable, Equatable {
    /// Nothing.
    case done
    /// More, after a step of each other job that is due.
    case more
    /// More, once this many milliseconds have passed.
    case again(afterMs: Int64)
  }

  private struct Waiting {
    var job: any Job
    var dueNs: Int64
  }

  private struct State {
    /// By rising time; jobs of the same time in the order of their arrival.
    var waiting: [Waiting] = []
    var isRunning = false
    var isStopping = false
    /// Whether a new job is due before the one that the thread waits for.
    var isChanged = false
    var thread: PinnedThread?

    mutating func insert(_ new: Waiting) {
      let index = waiting.firstIndex { $0.dueNs > new.dueNs } ?? waiting.endIndex
      waiting.insert(new, at: index)
      if index == 0 { isChanged = true }
    }
  }

  private let state = Locked(State())
  private let now: @Sendable () -> Int64
  /// Whether there is a thread; without one `schedule` runs a job that is due now at once.
  private let usesThread: Bool

  /// - Parameters:
  ///   - usesThread: False in a simulation.
  ///   - now: Monotonic nanoseconds.
  package init(
    usesThread: Bool = true, now: @escaping @Sendable () -> Int64 = { mk_monotonic_ns() }
  ) {
    self.usesThread = usesThread
    self.now = now
  }

  /// Runs `job` once this many milliseconds have passed; does nothing after `stop`.
  func schedule(_ job: some Job, afterMs: Int64 = 0) {
    let due = now() &+ max(0, min(afterMs, Self.delayMaxMs)) * 1_000_000
    let (isNew, ended) = state.withLock { state -> (Bool, PinnedThread?) in
      if state.isStopping { return (false, nil) }
      state.insert(Waiting(job: job, dueNs: due))
      guard usesThread, !state.isRunning else { return (false, nil) }
      state.isRunning = true
      defer { state.thread = PinnedThread(name: "mkstore-keeper", core: nil) { [self] in run() } }
      return (true, state.thread)
    }
    if isNew { ended?.join() } else if usesThread { state.broadcast() }
    if !usesThread, afterMs == 0 { while step() {} }
  }

  /// A year.
  private static let delayMaxMs: Int64 = 365 * 86_400_000

  /// Does one slice of the job that is due first.
  ///
  /// - Returns: Whether one was due.
  @discardableResult
  package func step() -> Bool {
    let nowNs = now()
    let job = state.withLock { state -> (any Job)? in
      guard let first = state.waiting.first, first.dueNs <= nowNs else { return nil }
      return state.waiting.removeFirst().job
    }
    guard let job else { return false }
    switch job.step() {
    case .done: break
    case .more: putBack(job, dueNs: nowNs)
    case .again(let afterMs):
      putBack(job, dueNs: now() &+ max(1, min(afterMs, Self.delayMaxMs)) * 1_000_000)
    }
    return true
  }

  private func putBack(_ job: any Job, dueNs: Int64) {
    state.withLock { state in
      if !state.isStopping { state.insert(Waiting(job: job, dueNs: dueNs)) }
    }
  }

  /// Ends the thread after the current slice, and discards waiting jobs. Idempotent.
  package func stop() {
    let running = state.withLock { state in
      state.isStopping = true
      state.waiting = []
      defer { state.thread = nil }
      return state.thread
    }
    state.broadcast()
    running?.join()
  }

  private func run() {
    repeat { while step() {} } while waitForDue()
  }

  /// Waits until a job may be due; false if none is left, and the thread ends.
  private func waitForDue() -> Bool {
    let pause = state.withLock { state -> Int64? in
      state.isChanged = false
      guard let first = state.waiting.first, !state.isStopping else {
        state.isRunning = false
        return nil
      }
      return max(0, first.dueNs - now())
    }
    guard let pause else { return false }
    _ = state.wait(timeoutNs: pause) { $0.isChanged || $0.isStopping }
    return true
  }
}
