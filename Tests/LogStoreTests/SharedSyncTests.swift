import DiskIO
import Glibc
import StoreTesting
import Testing

@testable import LogStore

/// The sync of the file system at an opening after a crash: what is served is durable, and no fault
/// is hidden by the others (P8, P11, I7, I8).
@Suite struct SharedSyncTests {
  private static let logCount = 4

  private static func config(segmentBytes: Int = 1000, sharedSyncMin: Int = 2) -> StoreConfig {
    var config = CrashStore.config(segmentBytes: segmentBytes)
    config.sharedSyncMin = sharedSyncMin
    config.journalLogsMin = 0
    return config
  }

  /// Appends to changing sets of logs, with rolls in between, some by a caller that blocks.
  private static func run(
    _ disk: SimulatedDisk, _ config: StoreConfig, _ models: inout [LogModel]
  ) throws -> Int {
    let store = try SharedStore(disk, config, logCount: logCount)
    for round in 0..<9 {
      for index in 0..<logCount where (round + index) % 4 != 3 {
        try store.append(SampleBatches.small[round * 5 + index], to: index, &models)
        if index == 1 {
          try store.append(SampleBatches.small[round * 5 + 4], to: index, &models)
        }
      }
      if round % 4 == 2 {
        try store.logs[2].flushBlocking()
        models[2].noteFlushed(below: store.logs[2].recoveryPoint)
      }
      store.step(&models)
      if disk.isCut { break }
    }
    return store.sharedSyncCount
  }

  private static func check(
    _ disk: SimulatedDisk, _ config: StoreConfig, _ models: [LogModel], _ place: String
  ) {
    do {
      let store = try SharedStore(disk, config, logCount: logCount, creates: false)
      for (index, log) in store.logs.enumerated() {
        let content = try LogModel.content(of: log)
        if let fault = models[index].fault(in: content, after: .powerCut) {
          Issue.record("\(place): log \(index): \(fault)")
        }
        #expect(log.damagedRanges.isEmpty && log.recovery.damage.isEmpty, "\(place)")
      }
    } catch let error as LogError where error.code == .notFound {
      #expect(models.allSatisfy { $0.durableCount == 0 }, "\(place): a log is gone")
    } catch {
      Issue.record("\(place): \(error)")
    }
  }

  // MARK: Opening

  /// After a kill nothing is served that a power cut could still take, though no log was synced by
  /// itself.
  @Test(arguments: [0, 2])
  func whatIsServedAfterAKillIsDurable(sharedSyncMin: Int) throws {
    let disk = SimulatedDisk(seed: 8)
    var models = [LogModel](repeating: LogModel(), count: Self.logCount)
    let store = try SharedStore(disk, Self.config(segmentBytes: 700), logCount: Self.logCount)
    for round in 0..<8 {
      for index in 0..<Self.logCount {
        try store.append(SampleBatches.small[round * 5 + index], to: index, &models)
      }
      if round == 4 { store.step(&models) }
    }
    let killed = disk.kill()
    let after = try SharedStore(
      killed, Self.config(segmentBytes: 700, sharedSyncMin: sharedSyncMin), logCount: 4,
      creates: false)
    #expect(after.sharedSyncCount == (sharedSyncMin == 0 ? 0 : 1))
    #expect(try after.unsyncedAcknowledgedBytes() == 0)
    for (index, log) in after.logs.enumerated() {
      let content = try LogModel.content(of: log)
      #expect(models[index].fault(in: content, after: .killed) == nil)
      #expect(log.recoveryPoint == log.logEndOffset && content.count == 8)
      models[index].settle(on: content)
      #expect(try killed.unsyncedNames(in: log.path) == [])
    }
    Self.check(killed.crash(.loseAllUnsynced), Self.config(), models, "after a kill")
  }

  /// The power fails while the shared opening recovers, at every operation of it and of the appends
  /// after it, and once more in the recovery from some outcomes of that.
  @Test(arguments: [31, 47, 74] as [UInt64])
  func aSharedRecoveryCanBeCutWhereverItIs(seedValue: UInt64) throws {
    let seed = Seed.fromEnvironment(else: seedValue)
    var generator = seed.generator
    let config = Self.config(segmentBytes: 700)
    let disk = SimulatedDisk(seed: seedValue)
    disk.plan(.powerCut(at: 150 + generator.index(below: 150)))
    var models = [LogModel](repeating: LogModel(), count: Self.logCount)
    do { _ = try Self.run(disk, config, &models) } catch { #expect(disk.isCut) }
    let broken = disk.crash(.random(seed: generator.next()))
    var (outcomes, inner, shared) = (0, 0, 0)
    func recover(_ disk: SimulatedDisk, _ models: [LogModel]) -> [LogModel] {
      var models = models
      do {
        let store = try SharedStore(disk, config, logCount: Self.logCount)
        for (index, log) in store.logs.enumerated() {
          models[index].settle(on: try LogModel.content(of: log))
        }
        for index in models.indices {
          try store.append(SampleBatches.small[50 + index], to: index, &models)
        }
        store.step(&models)
      } catch {
        #expect(disk.isCut, "recovery failed by itself: \(error)")
      }
      shared += disk.counters.calls[.syncFileSystem, default: 0]
      return models
    }
    let loop = PowerCutLoop(
      exhaustiveMax: 2, samples: 3 * CrashCount.scale, damaged: CrashCount.scale, seed: seed)
    let tried = loop.run(on: { broken.crash(.keepAll) }) { disk in
      recover(disk, models)
    } check: { disk, after, point in
      outcomes += 1
      if outcomes % 60 != 1 {
        return Self.check(disk, config, after, "\(seed), \(point)")
      }
      inner += 1
      let again = PowerCutLoop(exhaustiveMax: 1, samples: 1, damaged: 1, seed: seed)
      _ = again.run(on: { disk.crash(.keepAll) }) { disk in
        recover(disk, after)
      } check: { disk, last, second in
        Self.check(disk, config, last, "\(seed), \(point), then \(second)")
      }
    }
    CrashCount.add(outcomes)
    #expect(tried.cuts > 20 && inner > 0 && shared > tried.cuts)
  }

  /// Where the sync at the opening fails, each log asks its own files: what is lost is not served.
  @Test func afterAFailedSyncAtTheOpeningEveryLogSyncsForItself() throws {
    var (opened, refused) = (0, 0)
    for seed in 0..<20 as Range<UInt64> {
      let disk = SimulatedDisk(seed: seed)
      var models = [LogModel](repeating: LogModel(), count: Self.logCount)
      let store = try SharedStore(disk, Self.config(), logCount: Self.logCount)
      for round in 0..<3 {
        for index in 0..<Self.logCount {
          try store.append(SampleBatches.small[round * 5 + index], to: index, &models)
        }
        if round == 0 { store.step(&models) }
      }
      let killed = disk.kill()
      killed.plan(FaultPlan(.error(EIO), at: 1, operations: [.syncFileSystem]))
      let manager = try Store.openBlocking(
        CrashStore.path, config: Self.config(), disk: killed, logger: .silent)
      #expect(killed.faultFired)
      opened += manager.logs.count
      refused += manager.report.failed.count
      for log in manager.logs {
        let name = log.topicPartition
        let content = try LogModel.content(of: log)
        #expect(
          models[Int(name.partition)].fault(in: content, after: .powerCut) == nil, "\(seed)")
        models[Int(name.partition)].settle(on: content)
      }
      Self.check(killed.crash(.loseAllUnsynced), Self.config(), models, "seed \(seed)")
    }
    #expect(opened > 10 && refused > 10, "\(opened) opened, \(refused) refused")
  }
}
