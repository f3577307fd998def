internal import LogStore
internal import Synchronization

/// Counts down the flushes that one produce request waits for. Any thread may count down.
final class FlushLatch: Sendable {
  /// One more than the remaining flushes, so that none is the last before all are registered.
  private let left: Atomic<Int>
  private let failures = Locked<[Int: LogError]>([:])
  private let done: @Sendable ([Int: LogError]) -> Void

  /// - Parameter done: Called once, by the last thread that counts down, with the failed waits by
  ///   index.
  init(_ waits: [(log: Log, endOffset: Int64)], done: @escaping @Sendable ([Int: LogError]) -> Void)
  {
    left = Atomic(waits.count + 1)
    self.done = done
    for (index, wait) in waits.enumerated() {
      wait.log.onDurable(wait.endOffset) { result in
        if case .failure(let error) = result { self.failures.withLock { $0[index] = error } }
        self.arrive()
      }
    }
    arrive()
  }

  private func arrive() {
    // Acquiring and releasing: the last one sees the failures that the others recorded.
    if left.wrappingSubtract(1, ordering: .acquiringAndReleasing).newValue == 0 {
      done(failures.withLock { $0 })
    }
  }
}
