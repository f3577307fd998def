import DiskIO
import Glibc
import StoreTesting
import Testing

@testable import LogStore

/// Several logs made durable by one sync of the file system: nothing is acknowledged that a power
/// cut can take, and no fault is hidden by the others (P8, P11, I7, I8).
@Suite struct SharedSyncTests {
  private static let logCount = 4

  private static func config(segmentBytes: Int = 1000, sharedSyncMin: Int = 2) -> StoreConfig {
    var config = CrashStore.config(segmentBytes: segmentBytes)
    config.sharedSyncMin = sharedSyncMin
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
      #expect(try store.unsyncedAcknowledgedBytes() == 0, "round \(round)")
      #expect(store.logs.allSatisfy { $0.recoveryPoint == $0.logEndOffset }, "round \(round)")
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

  @Test(arguments: [700, 1 << 20])
  func nothingAcknowledgedTogetherIsLostWhereverThePowerFails(segmentBytes: Int) throws {
    let config = Self.config(segmentBytes: segmentBytes)
    let seed = Seed.fromEnvironment(else: 21)
    var (states, sharedMax) = (0, 0)
    let loop = PowerCutLoop(
      exhaustiveMax: 2, samples: 4 * CrashCount.scale, damaged: 2 * CrashCount.scale, seed: seed)
    let tried = loop.run(on: { SimulatedDisk(seed: 2) }) { disk in
      var models = [LogModel](repeating: LogModel(), count: Self.logCount)
      do {
        sharedMax = max(sharedMax, try Self.run(disk, config, &models))
      } catch {
        #expect(disk.isCut, "failed by itself: \(error)")
      }
      return models
    } check: { disk, models, point in
      states += 1
      Self.check(disk, config, models, "\(point), \(seed)")
    }
    CrashCount.add(states)
    // Without rolls every round but those with a single log shares; with them some do not.
    #expect(sharedMax >= 4, "\(sharedMax) syncs were shared")
    #expect(tried.cuts > 200)
  }

  /// One call fails, once or from then on. What was acknowledged is there after a power cut; a log
  /// that could not be made durable says so to whoever waits for it.
  @Test(
    arguments: [
      DiskError.Operation.syncFileSystem, .writeOut, .sync, .write, .allocate, .open,
    ], [false, true])
  func nothingAcknowledgedTogetherIsLostWhicheverCallFails(
    operation: DiskError.Operation, isForEver: Bool
  ) throws {
    let config = Self.config(segmentBytes: 700)
    var (fired, poisoned, shared) = (0, 0, 0)
    for occurrence in 1..<400 {
      let disk = SimulatedDisk(seed: UInt64(occurrence))
      disk.plan(
        FaultPlan(.error(EIO), at: occurrence, isForEver: isForEver, operations: [operation]))
      var models = [LogModel](repeating: LogModel(), count: Self.logCount)
      do {
        let store = try SharedStore(disk, config, logCount: Self.logCount)
        for round in 0..<6 {
          for index in 0..<Self.logCount {
            do {
              try store.append(SampleBatches.small[round * 5 + index], to: index, &models)
            } catch is LogError {
              continue  // refused, and noted as such
            }
          }
          store.step(&models)
          #expect(try store.unsyncedAcknowledgedBytes() == 0, "\(occurrence), round \(round)")
        }
        poisoned += store.logs.count { $0.health.isFailed }
        for (index, log) in store.logs.enumerated()
        where log.health.isFailed && log.recoveryPoint < log.logEndOffset {
          #expect(store.failedLogs.contains(index), "\(occurrence): log \(index) is silent")
        }
        if !disk.faultFired { break }
        shared += store.sharedSyncCount
      } catch {
        if !disk.faultFired { throw error }
      }
      fired += 1
      disk.removeFaults()
      Self.check(disk.crash(.loseAllUnsynced), config, models, "\(operation) \(occurrence)")
      Self.check(
        disk.crash(seed: UInt64(occurrence)), config, models, "\(operation) \(occurrence), random")
    }
    #expect(shared > (isForEver ? 0 : fired), "\(shared) syncs were shared")
    #expect(fired >= (operation == .syncFileSystem ? 4 : 10), "\(fired) faults")
    if operation.isFinal { #expect(poisoned > 0) }
  }

  /// A failed shared sync is nobody's own: each log asks its own file, and only what is in error is
  /// refused; the group's sync, which has told its error, is not used again.
  @Test func aFailedSharedSyncPoisonsOnlyLogsInErrorAndIsTheLast() throws {
    var (intact, broken) = (0, 0)
    for seed in 0..<24 as Range<UInt64> {
      let disk = SimulatedDisk(seed: seed)
      let store = try SharedStore(disk, Self.config(), logCount: Self.logCount)
      var models = [LogModel](repeating: LogModel(), count: Self.logCount)
      func appendToAll(_ round: Int) throws {
        for index in 0..<Self.logCount where !store.logs[index].health.isFailed {
          try store.append(SampleBatches.small[round * 5 + index], to: index, &models)
        }
        store.step(&models)
      }
      try appendToAll(0)
      #expect(store.failedLogs.isEmpty)
      try appendToAll(1)
      let before = store.sharedSyncCount
      #expect(before > 0)
      disk.plan(FaultPlan(.error(EIO), at: 1, operations: [.syncFileSystem]))
      try appendToAll(2)
      #expect(disk.faultFired && store.sharedSyncCount == before + 1)
      try appendToAll(3)
      #expect(store.sharedSyncCount == before + 1)
      for (index, log) in store.logs.enumerated() {
        if log.health.isFailed {
          broken += 1
          #expect(store.failedLogs.contains(index))
        } else {
          intact += 1
          #expect(log.recoveryPoint == log.logEndOffset)
        }
      }
      #expect(try store.unsyncedAcknowledgedBytes() == 0)
      Self.check(disk.crash(.loseAllUnsynced), Self.config(), models, "seed \(seed)")
    }
    #expect(intact > 10 && broken > 10, "\(intact) logs went on, \(broken) were refused")
  }

  @Test func onlyTheLogWhoseBytesCannotBeWrittenIsRefused() throws {
    let disk = SimulatedDisk(seed: 5)
    let store = try SharedStore(disk, Self.config(), logCount: Self.logCount)
    var models = [LogModel](repeating: LogModel(), count: Self.logCount)
    for round in 0..<4 {
      if round == 2 {
        disk.plan(
          FaultPlan(
            .error(EIO), at: 1, operations: [.writeOut],
            pathSuffix: "t-1/00000000000000000000.log"))
      }
      for index in 0..<Self.logCount where !store.logs[index].health.isFailed {
        try store.append(SampleBatches.small[round * 5 + index], to: index, &models)
      }
      let before = store.sharedSyncCount
      store.step(&models)
      if round > 0 { #expect(store.sharedSyncCount == before + 1, "round \(round)") }
    }
    #expect(disk.faultFired)
    #expect(store.failedLogs == [1])
    #expect(store.logs.map(\.health.isFailed) == [false, true, false, false])
    #expect(try store.unsyncedAcknowledgedBytes() == 0)
  }

  /// Nobody waits for what other programs have to write.
  @Test(arguments: [nil, 33 << 20])
  func withMuchOfOthersToWriteEachLogSyncsForItself(pending: Int?) throws {
    let disk = SimulatedDisk(seed: 6)
    let store = try SharedStore(disk, Self.config(), logCount: Self.logCount)
    var models = [LogModel](repeating: LogModel(), count: Self.logCount)
    disk.pendingBytes = pending
    for round in 0..<3 {
      for index in 0..<Self.logCount {
        try store.append(SampleBatches.small[round * 5 + index], to: index, &models)
      }
      store.step(&models)
      #expect(models.allSatisfy { $0.durableCount == round + 1 })
    }
    #expect(store.sharedSyncCount == 0)
  }

  @Test(arguments: [false, true])
  func syncsAreSharedOnlyWhereThatIsAskedForAndTheDiskCan(isAsked: Bool) throws {
    let disk = SimulatedDisk(seed: 7)
    disk.offersSharedSync = !isAsked
    let store = try SharedStore(
      disk, Self.config(sharedSyncMin: isAsked ? 2 : 0), logCount: Self.logCount)
    var models = [LogModel](repeating: LogModel(), count: Self.logCount)
    for round in 0..<3 {
      for index in 0..<Self.logCount {
        try store.append(SampleBatches.small[round * 5 + index], to: index, &models)
      }
      store.step(&models)
    }
    #expect(models.allSatisfy { $0.durableCount == 3 })
    #expect(store.sharedSyncCount == 0)
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

extension DiskError.Operation {
  /// Whether a failure of it is final for a log that waits for durability.
  fileprivate var isFinal: Bool {
    [.syncFileSystem, .writeOut, .checkWritten, .sync].contains(self)
  }
}
