import DiskIO
import StoreTesting
import Testing

@testable import LogStore

/// The power fails before every single operation of each scenario.
@Suite struct CrashTests {
  @Test(arguments: CrashScenario.all)
  func nothingAcknowledgedIsLostWhereverThePowerFails(_ scenario: CrashScenario) throws {
    var check = CrashCheck(scenario.config)
    let seed = Seed.fromEnvironment(else: 1)
    let loop = PowerCutLoop(
      exhaustiveMax: 6, samples: 12 * CrashCount.scale, damaged: 4 * CrashCount.scale, seed: seed)
    let clock = ContinuousClock()
    let start = clock.now
    let tried = loop.run(on: { SimulatedDisk(seed: 1) }) { disk in
      var model = LogModel()
      do {
        try scenario.run(disk, scenario.config, &model)
        #expect(!disk.isCut, "the scenario did not notice the cut")
      } catch {
        #expect(disk.isCut, "\(scenario.name) failed by itself: \(error)")
      }
      return model
    } check: { disk, model, point in
      check(disk, model, after: .powerCut, "\(scenario.name), \(point), \(seed)")
    }
    CrashCount.add(check.states)
    print("\(scenario.name): \(tried.cuts) cuts, \(check.states) states, \(clock.now - start)")
    #expect(tried.cuts > 20 && check.states == tried.outcomes)
  }
}

/// States looked at by all crash tests of a run.
enum CrashCount {
  /// Multiplies the random outcomes per cut: MKSTORE_CRASH_STATES / 100,000, at least 1.
  static let scale = max(1, (environmentNumber("MKSTORE_CRASH_STATES") ?? 0) / 100_000)

  private static let total = Locked(0)

  static func add(_ states: Int) {
    let sum = total.withLock { total in
      total += states
      return total
    }
    print("crash states so far: \(sum)")
  }
}
