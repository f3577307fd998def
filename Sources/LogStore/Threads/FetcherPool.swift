/// A few threads, each pinned to its core, for reads that may have to wait for a disk, so that no
/// other thread has to: cold fetches, checking, readahead.
///
/// Any thread may submit. Jobs run in the order they came, several at once.
package final class FetcherPool: Sendable {
  private struct State {
    var jobs: [@Sendable () -> Void] = []
    var isStopping = false
  }

  private let state = Locked(State())
  private let threads = Locked<[PinnedThread]>([])
  private let cores: [Int?]
  private let nice: Int

  /// Makes no thread yet; the first job does.
  ///
  /// - Parameters:
  ///   - cores: One thread per entry, pinned to it; nil leaves the choice to the system. Empty:
  ///     jobs run where they are submitted.
  ///   - nice: How far the threads yield the processor to others, 0 to 19.
  package init(cores: [Int?], nice: Int = 0) {
    self.cores = cores
    self.nice = nice
  }

  /// Runs `job` on a fetcher thread; on the caller's if there is none (no cores, or stopped).
  package func submit(_ job: @escaping @Sendable () -> Void) {
    guard !cores.isEmpty, startIfNeeded() else { return job() }
    // Checked once more, under the lock that the threads end under: they leave no job behind.
    let isTaken = state.withLock { state in
      if !state.isStopping { state.jobs.append(job) }
      return !state.isStopping
    }
    guard isTaken else { return job() }
    state.signal()
  }

  /// Runs `body` as `submit` does and gives its result.
  ///
  /// - Throws: What `body` throws.
  package func run<Value: Sendable>(_ body: @escaping @Sendable () throws(LogError) -> Value)
    async throws(LogError) -> Value
  {
    let outcome: Result<Value, LogError> = await withCheckedContinuation { continuation in
      submit {
        do throws(LogError) {
          continuation.resume(returning: .success(try body()))
        } catch {
          continuation.resume(returning: .failure(error))
        }
      }
    }
    return try outcome.get()
  }

  /// Ends the threads after the current jobs. Idempotent.
  package func stop() {
    state.withLock { $0.isStopping = true }
    state.broadcast()
    let running = threads.withLock { threads in
      defer { threads = [] }
      return threads
    }
    for thread in running { thread.join() }
  }

  /// Threads are made by the first job, so that a store that is only appended to has none.
  private func startIfNeeded() -> Bool {
    threads.withLock { threads in
      if state.withLock({ $0.isStopping }) { return false }
      guard threads.isEmpty else { return true }
      for core in cores {
        threads.append(
          PinnedThread(name: "mkstore-fetch", core: core, nice: nice) { [state] in
            while Self.step(state) {}
          })
      }
      return true
    }
  }

  private static func step(_ state: Locked<State>) -> Bool {
    var job: (@Sendable () -> Void)?
    _ = state.wait { state in
      job = state.jobs.isEmpty ? nil : state.jobs.removeFirst()
      return job != nil || state.isStopping
    }
    guard let job else { return false }
    job()
    return true
  }
}
