import Testing

@testable import LogStore

/// A clock that jumps is not believed until it has been steady for a while.
@Suite struct ClockGuardTests {
  private static let hour: Int64 = 3_600_000
  private static let day = 24 * hour
  private static let interval: Int64 = 300_000

  private func guarded(kept: Int64? = nil, wall: Int64 = 0) -> ClockGuard {
    ClockGuard(wallMs: wall, monotonicMs: 0, keptWallMs: kept, startWaitMs: Self.hour)
  }

  private func look(_ clock: inout ClockGuard, _ wall: Int64, _ monotonic: Int64)
    -> ClockGuard.Verdict
  {
    clock.look(wallMs: wall, monotonicMs: monotonic, intervalMs: Self.interval)
  }

  @Test(arguments: [day, -day, 3650 * day, -3650 * day, hour + 1, -hour - 1])
  func aJumpWaitsUntilTheClockWasSteadyForAnInterval(_ jump: Int64) {
    var clock = guarded()
    #expect(look(&clock, Self.interval, Self.interval) == .steady)
    let jumped = 2 * Self.interval
    #expect(look(&clock, jumped + jump, jumped) == .wait(ms: Self.interval))
    #expect(clock.doubt == .jumped(ms: jump))
    #expect(look(&clock, jumped + jump + 100, jumped + 100) == .wait(ms: Self.interval - 100))
    #expect(look(&clock, jumped + jump + Self.interval, jumped + Self.interval) == .steady)
    #expect(clock.doubt == nil)
  }

  @Test func aClockThatJumpsBackIsInDoubtAgain() {
    var clock = guarded()
    #expect(look(&clock, Self.day, 1_000) == .wait(ms: Self.interval))
    #expect(look(&clock, 2_000, 2_000) == .wait(ms: Self.interval))
    #expect(look(&clock, 1_000 + Self.interval, 1_000 + Self.interval) != .steady)
    #expect(look(&clock, 2_000 + Self.interval, 2_000 + Self.interval) == .steady)
  }

  @Test func driftOfUpToAnHourIsNoJump() {
    var clock = guarded()
    #expect(look(&clock, 1_000 + Self.hour, 1_000) == .steady)
    #expect(look(&clock, 2_000, 2_000) == .steady)
  }

  @Test(arguments: [day + 1, -day - 1, 3650 * day, -3650 * day, Int64.max])
  func aStartFarFromTheLastSessionWaitsForAnHour(_ gap: Int64) {
    let kept: Int64 = 5_000
    let wall = gap == .max ? Int64.max : kept + gap
    var clock = guarded(kept: kept, wall: wall)
    #expect(clock.doubt != nil)
    #expect(look(&clock, wall, 0) == .wait(ms: Self.hour))
    clock.confirm()
    #expect(look(&clock, wall, 0) == .steady && clock.doubt == nil)
  }

  @Test func aStartWithinADayOrWithoutAKeptTimeBeginsAtOnce() {
    for kept in [nil, 0, Self.day, -Self.day] as [Int64?] {
      var clock = guarded(kept: kept)
      #expect(look(&clock, 0, 0) == .steady, "\(kept ?? -1)")
    }
  }

  @Test func theWholeRangeOfTimesDoesNotTrap() {
    var clock = guarded(kept: .min, wall: .max)
    #expect(look(&clock, .min, 1) != .steady)
    #expect(look(&clock, .max, 2) != .steady)
  }
}
