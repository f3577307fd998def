import Glibc
import Synchronization

/// Runs a number of similar jobs on a few threads and waits for all of them.
///
/// For work that blocks in system calls or uses much processor time: loading, verifying. No task
/// group, since those must not block; no pool, since starting a thread is cheap compared to a job.
package enum WorkerThreads {
  /// The results of `body` for 0 up to `jobCount`, in that order.
  ///
  /// The calling thread works too, and alone if no thread can be made. Threads inherit its
  /// processor affinity: do not call from a pinned thread.
  ///
  /// - Parameter threadCount: Threads that run jobs, the calling one included; at least 1.
  package static func map<Result: Sendable>(
    jobCount: Int, threadCount: Int, _ body: @Sendable @escaping (Int) -> Result
  ) -> [Result] {
    let next = NextJob(jobCount)
    let workers = (0..<max(1, min(threadCount, jobCount))).map { _ in Worker(next, body) }
    let threads = workers.dropFirst().compactMap { start($0) }
    workers[0].run()
    for thread in threads {
      let code = pthread_join(thread, nil)
      precondition(code == 0, "pthread_join: \(code)")
    }
    var results = [Result?](repeating: nil, count: jobCount)
    for worker in workers {
      for (job, result) in worker.results { results[job] = result }
    }
    return results.map { result in
      guard let result else { preconditionFailure("a job was not run") }
      return result
    }
  }

  /// Starts a thread that runs the worker; nil if the system has none left (the other threads then
  /// do its jobs).
  private static func start<Result: Sendable>(_ worker: Worker<Result>) -> pthread_t? {
    var thread = pthread_t()
    let box = ThreadBody(worker.run)
    // Safe: the thread takes ownership of the retain and releases it; on failure it is released
    // here.
    let context = unsafe Unmanaged.passRetained(box)
    let code = unsafe pthread_create(
      &thread, nil,
      { context in
        // Safe: `context` is the retained box passed below; never nil.
        if let context = unsafe context {
          unsafe Unmanaged<ThreadBody>.fromOpaque(context).takeRetainedValue().body()
        }
        return nil
      }, context.toOpaque())
    if code != 0 {
      unsafe context.release()
      return nil
    }
    return thread
  }
}

/// The number of the next job, for any free worker.
private final class NextJob: Sendable {
  private let jobCount: Int
  private let taken = Atomic(0)

  init(_ jobCount: Int) {
    self.jobCount = jobCount
  }

  func take() -> Int? {
    // Relaxed: only the number counts; what a job reads was made before the threads were.
    let job = taken.wrappingAdd(1, ordering: .relaxed).oldValue
    return job < jobCount ? job : nil
  }
}

/// One thread's share of the results.
///
/// Safe to send: `results` is touched by the one thread that runs it, and by the caller after the
/// join.
private final class Worker<Result: Sendable>: @unchecked Sendable {
  private let next: NextJob
  private let body: @Sendable (Int) -> Result
  private(set) var results: [(Int, Result)] = []

  init(_ next: NextJob, _ body: @Sendable @escaping (Int) -> Result) {
    self.next = next
    self.body = body
  }

  func run() {
    while let job = next.take() { results.append((job, body(job))) }
  }
}

/// Carries a closure through C's `void *`.
private final class ThreadBody: Sendable {
  let body: @Sendable () -> Void

  init(_ body: @Sendable @escaping () -> Void) {
    self.body = body
  }
}
