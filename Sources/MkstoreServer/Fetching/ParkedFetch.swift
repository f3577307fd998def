internal import LogStore
internal import NIOCore
internal import Synchronization

/// A fetch that waits for records, its deadline or its connection's end, whichever comes first.
///
/// Woken by the logs' own callbacks on the publishing thread; several wakes count as one.
/// Everything except `wake` belongs to the event loop.
final class ParkedFetch: Sendable {
  private let isWoken = Atomic<Bool>(false)
  private let loop: any EventLoop
  private let body: @Sendable (Bool) -> Void
  private let waits = Locked<[(notifier: OffsetNotifier, id: UInt64)]>([])
  private let timer = Locked<Scheduled<Void>?>(nil)

  /// - Parameters:
  ///   - timeout: When to wake at the latest.
  ///   - body: Called once on the loop; true if records came, false at the deadline.
  init(
    _ loop: any EventLoop, timeout: TimeAmount,
    body: @escaping @Sendable (_ byRecords: Bool) -> Void
  ) {
    self.loop = loop
    self.body = body
    let scheduled = loop.scheduleTask(in: timeout) { self.wake(byRecords: false) }
    timer.withLock { $0 = scheduled }
  }

  /// Wakes when `log` has acknowledged more than `end`, is closed, or was opened again.
  ///
  /// - Parameters:
  ///   - end: Int64.max: only the log's end wakes.
  ///   - ignoresEnd: Whether the log's end does not wake: the client already knows it, and its next
  ///     fetch shall wait for its deadline.
  func add(_ log: Log, beyond end: Int64, ignoresEnd: Bool) {
    let replaced = log.replaced
    wait(for: end == Int64.max ? end : end + 1, of: log.acknowledgedEnd) { result in
      switch result {
      case .success: self.wake()
      case .failure(let error) where error.code == .closed: if !ignoresEnd { self.wake() }
      // A failed log gets no more records, but may be opened again.
      case .failure(let error) where error.code == .poisoned:
        self.wait(for: 1, of: replaced) { _ in self.wake() }
      case .failure: break
      }
    }
  }

  private func wait(
    for bound: Int64, of notifier: OffsetNotifier,
    _ callback: @escaping @Sendable (OffsetNotifier.Outcome) -> Void
  ) {
    let id = notifier.onReach(bound, callback)
    if id == 0 { return }
    waits.withLock { $0.append((notifier, id)) }
    // Woken meanwhile, so no other call cancels this one.
    if isWoken.load(ordering: .acquiring) { _ = notifier.cancel(id) }
  }

  /// Wakes now. Any thread.
  func wake() { wake(byRecords: true) }

  private func wake(byRecords: Bool) {
    if isWoken.exchange(true, ordering: .acquiringAndReleasing) { return }
    loop.execute {
      self.letGo()
      self.body(byRecords)
    }
  }

  /// Ends the wait without waking.
  func cancel() {
    if isWoken.exchange(true, ordering: .acquiringAndReleasing) { return }
    letGo()
  }

  private func letGo() {
    timer.withLock { timer in
      timer?.cancel()
      timer = nil
    }
    let waits = waits.withLock { waits in
      defer { waits = [] }
      return waits
    }
    for wait in waits { _ = wait.notifier.cancel(wait.id) }
  }
}
