import LogStore

/// Wall and monotonic time of a simulation; they advance together unless only one is moved.
final class SimulatedClock: Sendable {
  private let ms = Locked((wall: Int64(1_700_000_000_000), monotonic: Int64(1_000)))

  var wallMs: Int64 { ms.withLock { $0.wall } }
  var monotonicMs: Int64 { ms.withLock { $0.monotonic } }

  func pass(ms passed: Int64) {
    ms.withLock { $0 = ($0.wall + passed, $0.monotonic + passed) }
  }

  func jump(ms jumped: Int64) {
    ms.withLock { $0.wall += jumped }
  }
}
