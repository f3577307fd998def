internal import Synchronization

/// Wakes callers that wait for an offset (a log's end, or its flushed end) to pass a bound.
///
/// The one subtle handshake of the engine: a waiter raises `parked` and then reads the offset
/// again; the owner stores the offset and then reads `parked`. Both pairs are sequentially
/// consistent, or each could miss the other. Without a waiter, notifying costs one load. Any
/// thread.
package final class OffsetNotifier: Sendable {
  /// The argument of a callback.
  package typealias Outcome = Swift.Result<Void, LogError>

  private struct Waiter {
    var id: UInt64
    var bound: Int64
    var callback: @Sendable (Outcome) -> Void
  }

  private struct State {
    var waiters: [Waiter] = []
    var nextID: UInt64 = 1
    var failure: LogError?
  }

  /// The offset itself; stored by its owner only.
  private let offset: Atomic<Int64>
  private let parked = Atomic<Int>(0)
  private let state = Locked(State())

  package init(_ initial: Int64) { offset = Atomic(initial) }

  /// The offset as published (acquire).
  @inline(__always)
  package var value: Int64 { offset.load(ordering: .acquiring) }

  /// Publishes a new offset, not below the previous one, and wakes those who waited for it. One
  /// owner at a time.
  @inline(__always)
  func publish(_ value: Int64) {
    let before = offset.load(ordering: .relaxed)
    precondition(value >= before, "I1: an end falls from \(before) to \(value)")
    offset.store(value, ordering: .sequentiallyConsistent)
    if parked.load(ordering: .sequentiallyConsistent) != 0 { wake() }
  }

  /// Ends every wait, now and later, with `error`.
  package func fail(_ error: LogError) {
    let waiters = state.withLock { state in
      if state.failure == nil { state.failure = error }
      defer { state.waiters = [] }
      return state.waiters
    }
    state.broadcast()
    for waiter in waiters { release(waiter, .failure(error)) }
  }

  /// Whether there are waiting callbacks.
  package var hasCallbacks: Bool { state.withLock { !$0.waiters.isEmpty } }

  /// Blocks until the offset is at least `bound`.
  ///
  /// - Returns: False where `timeoutNs` passed first.
  package func wait(_ bound: Int64, timeoutNs: Int64?) throws(LogError) -> Bool {
    if value >= bound { return true }
    parked.wrappingAdd(1, ordering: .sequentiallyConsistent)
    defer { parked.wrappingSubtract(1, ordering: .sequentiallyConsistent) }
    var failure: LogError?
    let reached = state.wait(timeoutNs: timeoutNs) { state in
      failure = state.failure
      return offset.load(ordering: .sequentiallyConsistent) >= bound || failure != nil
    }
    if let failure, value < bound { throw failure }
    return reached
  }

  /// Calls `callback` once, on the thread that publishes, when the offset is at least `bound`; at
  /// once if it already is. It must not block.
  ///
  /// - Returns: An id for `cancel`; 0 if the callback has run.
  @discardableResult
  package func onReach(_ bound: Int64, _ callback: @escaping @Sendable (Outcome) -> Void) -> UInt64
  {
    parked.wrappingAdd(1, ordering: .sequentiallyConsistent)
    var outcome: Outcome?
    let id = state.withLock { state -> UInt64 in
      if offset.load(ordering: .sequentiallyConsistent) >= bound {
        outcome = .success(())
      } else if let failure = state.failure {
        outcome = .failure(failure)
      } else {
        let id = state.nextID
        state.nextID += 1
        state.waiters.append(Waiter(id: id, bound: bound, callback: callback))
        return id
      }
      return 0
    }
    if let outcome {
      parked.wrappingSubtract(1, ordering: .sequentiallyConsistent)
      callback(outcome)
    }
    return id
  }

  /// Removes a callback; returns whether it had not run yet, and now never will.
  package func cancel(_ id: UInt64) -> Bool {
    let found = state.withLock { state in
      guard let index = state.waiters.firstIndex(where: { $0.id == id }) else { return false }
      state.waiters.remove(at: index)
      return true
    }
    if found { parked.wrappingSubtract(1, ordering: .sequentiallyConsistent) }
    return found
  }

  private func wake() {
    var ready: [Waiter] = []
    state.withLock { state in
      let reached = offset.load(ordering: .sequentiallyConsistent)
      guard !state.waiters.isEmpty else { return }
      ready = state.waiters.filter { $0.bound <= reached }
      state.waiters.removeAll { $0.bound <= reached }
    }
    state.broadcast()
    for waiter in ready { release(waiter, .success(())) }
  }

  private func release(_ waiter: Waiter, _ outcome: Outcome) {
    parked.wrappingSubtract(1, ordering: .sequentiallyConsistent)
    waiter.callback(outcome)
  }

  /// Suspends until the offset is at least `bound`; returns early if the task is cancelled.
  ///
  /// - Parameter onceParked: Called where it must wait, once it would be woken.
  package func reached(
    _ bound: Int64, onceParked: () -> Void = {}
  ) async throws(LogError) {
    if value >= bound { return }
    let wait = CancellableWait()
    let outcome: Outcome = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        guard wait.begin(continuation) else { return }
        let id = onReach(bound) { wait.finish($0) }
        wait.registered(id, self)
        if id != 0 { onceParked() }
      }
    } onCancel: {
      wait.cancel()
    }
    try outcome.get()
  }
}

/// Resumes a continuation once, on the first of: the offset, a failure, or cancellation.
private final class CancellableWait: Sendable {
  private struct State {
    var continuation: CheckedContinuation<OffsetNotifier.Outcome, Never>?
    var isDone = false
    var registration: (id: UInt64, notifier: OffsetNotifier)?
  }

  private let state = Locked(State())

  /// Stores the continuation; false if the task was cancelled before, and it was resumed.
  func begin(_ continuation: CheckedContinuation<OffsetNotifier.Outcome, Never>) -> Bool {
    let isDone = state.withLock { state in
      if !state.isDone { state.continuation = continuation }
      return state.isDone
    }
    if isDone { continuation.resume(returning: .success(())) }
    return !isDone
  }

  /// Records the callback's id, so that cancelling removes it.
  func registered(_ id: UInt64, _ notifier: OffsetNotifier) {
    let isDone = state.withLock { state in
      state.registration = (id, notifier)
      return state.isDone
    }
    if isDone { _ = notifier.cancel(id) }
  }

  func finish(_ outcome: OffsetNotifier.Outcome) {
    let continuation = state.withLock { state in
      defer {
        state.continuation = nil
        state.isDone = true
      }
      return state.continuation
    }
    continuation?.resume(returning: outcome)
  }

  func cancel() {
    finish(.success(()))
    if let registration = state.withLock({ $0.registration }) {
      _ = registration.notifier.cancel(registration.id)
    }
  }
}
