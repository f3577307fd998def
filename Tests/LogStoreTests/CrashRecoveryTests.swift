import DiskIO
import StoreTesting
import Testing

@testable import LogStore

/// The power fails again while the store recovers from the first cut, and again in that recovery.
@Suite struct CrashRecoveryTests {
  /// What a scenario left behind when the power failed at its `cut`-th operation.
  struct Wreck: Sendable, CustomTestStringConvertible {
    var scenario: CrashScenario
    var seed: UInt64
    var testDescription: String { "\(scenario.name) \(seed)" }
  }

  static let wrecks: [Wreck] = CrashScenario.all.flatMap { scenario in
    (0..<2).map { Wreck(scenario: scenario, seed: $0) }
  }

  /// Depth 3: a cut in the scenario, a cut at every operation of the recovery and the append after
  /// it, and once more in the recovery from every sixtieth outcome of that. No half-done opening
  /// passes for a clean stop (P2).
  @Test(arguments: wrecks)
  func recoveryCanBeCutWhereverItIs(_ wreck: Wreck) throws {
    let scenario = wreck.scenario
    let base = Seed.fromEnvironment(else: 7).derived(Int(wreck.seed))
    var generator = base.generator
    let disk = SimulatedDisk(seed: wreck.seed)
    disk.plan(.powerCut(at: 30 + generator.index(below: 60)))
    var model = LogModel()
    do { try scenario.run(disk, scenario.config, &model) } catch { #expect(disk.isCut) }
    let broken = disk.crash(.random(seed: generator.next()))
    var check = CrashCheck(scenario.config)
    var (outcomes, inner) = (0, 0)
    let loop = PowerCutLoop(
      exhaustiveMax: 3, samples: 6 * CrashCount.scale, damaged: 2 * CrashCount.scale, seed: base)
    let tried = loop.run(on: { broken.crash(.keepAll) }) { disk in
      recover(disk, model, scenario)
    } check: { disk, after, point in
      let place = "\(wreck.testDescription), \(point), \(base)"
      outcomes += 1
      if outcomes % 60 == 1 {
        inner += 1
        let again = PowerCutLoop(exhaustiveMax: 2, samples: 1, damaged: 1, seed: base)
        _ = again.run(on: { disk.crash(.keepAll) }) { disk in
          recover(disk, after, scenario)
        } check: { disk, last, second in
          check(disk, last, after: .powerCut, "\(place), then \(second)")
        }
      } else {
        check(disk, after, after: .powerCut, place)
      }
    }
    #expect(tried.cuts > 5 && inner > 0)
    print("\(wreck.testDescription): \(tried), \(inner) inner loops, \(check.states) states")
    CrashCount.add(check.states)
  }

  /// Opens the store, which recovers, and appends twice.
  private func recover(
    _ disk: SimulatedDisk, _ model: LogModel, _ scenario: CrashScenario
  ) -> LogModel {
    var model = model
    do {
      let store = try CrashStore(disk, scenario.config)
      model.settle(on: try LogModel.content(of: store.log))
      for batch in SampleBatches.small[60..<62] { try store.append(batch, &model) }
      if scenario.config.log.durability != .flushed { try store.flush(&model) }
    } catch {
      #expect(disk.isCut, "recovery failed by itself: \(error)")
    }
    return model
  }
}
