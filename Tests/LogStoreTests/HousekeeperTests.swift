import Testing

@testable import LogStore

/// Jobs that are due take turns, and what is due later waits for its time.
@Suite struct HousekeeperTests {
  /// A clock that tests move.
  private final class Clock: Sendable {
    let ns = Locked<Int64>(0)
    func move(ms: Int64) { ns.withLock { $0 += ms * 1_000_000 } }
  }

  /// Takes so many slices, and writes each down.
  private final class Sliced: Housekeeper.Job {
    let name: String
    let left: Locked<Int>
    let pauseMs: Int64?
    let done: Locked<[String]>

    init(_ name: String, slices: Int, pauseMs: Int64? = nil, _ done: Locked<[String]>) {
      self.name = name
      left = Locked(slices)
      self.pauseMs = pauseMs
      self.done = done
    }

    func step() -> Housekeeper.Progress {
      done.withLock { $0.append(name) }
      let isDone = left.withLock { left in
        left -= 1
        return left == 0
      }
      if isDone { return .done }
      return pauseMs.map { .again(afterMs: $0) } ?? .more
    }
  }

  @Test func jobsTakeTurnsSoThatNoneWaitsForAnothersEnd() {
    let done = Locked<[String]>([])
    let clock = Clock()
    let keeper = Housekeeper(usesThread: false, now: { clock.ns.withLock { $0 } })
    keeper.schedule(Sliced("long", slices: 4, done), afterMs: 10)
    keeper.schedule(Sliced("short", slices: 1, done), afterMs: 10)
    #expect(!keeper.step(), "nothing is due yet")
    clock.move(ms: 10)
    while keeper.step() {}
    #expect(done.withLock { $0 } == ["long", "short", "long", "long", "long"])
  }

  @Test func whatIsDueAgainWaitsForItsTime() {
    let done = Locked<[String]>([])
    let clock = Clock()
    let keeper = Housekeeper(usesThread: false, now: { clock.ns.withLock { $0 } })
    keeper.schedule(Sliced("again", slices: 2, pauseMs: 100, done))
    #expect(done.withLock { $0 } == ["again"], "due at once is done at once")
    clock.move(ms: 99)
    #expect(!keeper.step())
    clock.move(ms: 1)
    #expect(keeper.step())
    #expect(done.withLock { $0 } == ["again", "again"])
  }

  @Test func aThreadDoesThemConcurrentlyAndEndsWithTheWork() {
    let done = Locked<[String]>([])
    let keeper = Housekeeper()
    for round in 1...3 {
      keeper.schedule(Sliced("late", slices: 3, pauseMs: 1, done), afterMs: 2)
      keeper.schedule(Sliced("now", slices: 2, done))
      #expect(waited(done, 5 * round))
    }
    keeper.stop()
    keeper.schedule(Sliced("never", slices: 1, done))
    #expect(!done.withLock { $0 }.contains("never"))
  }

  /// Nobody wakes who waits for the list: looks again every millisecond.
  private func waited(_ done: Locked<[String]>, _ count: Int) -> Bool {
    for _ in 0..<10_000 {
      if done.withLock({ $0.count }) >= count { return true }
      _ = done.wait(timeoutNs: 1_000_000) { $0.count >= count }
    }
    return false
  }
}
