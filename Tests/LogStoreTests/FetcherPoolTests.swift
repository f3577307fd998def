import Testing

@testable import LogStore

/// Threads for reads that may wait.
@Suite struct FetcherPoolTests {
  /// A job is run, by a thread of the pool or, once those end, by whoever submits it: who waits for
  /// its result would wait for ever else.
  @Test func everyJobIsRunThoughThePoolStopsConcurrently() {
    let jobCount = 20
    for round in 0..<300 {
      let pool = FetcherPool(cores: [nil])
      let ran = Locked(0)
      pool.submit {}
      _ = WorkerThreads.map(jobCount: 2, threadCount: 2) { worker in
        guard worker == 0 else { return pool.stop() }
        for _ in 0..<jobCount { pool.submit { ran.withLock { $0 += 1 } } }
      }
      guard ran.withLock({ $0 }) == jobCount else {
        Issue.record("round \(round): \(ran.withLock { $0 }) of \(jobCount) jobs ran")
        return
      }
    }
  }
}
