import DiskIO
import Glibc
import StoreTesting
import Testing

@testable import LogStore

/// Several logs made durable by one write of the journal: nothing is acknowledged that a power cut
/// can take, wherever it comes, and no fault is hidden by the others (P8, P11, I7, I8).
@Suite struct JournalCrashTests {
  private static let logCount = 3

  private static func config(segmentBytes: Int = 1000) -> StoreConfig {
    var config = CrashStore.config(segmentBytes: segmentBytes)
    config.sharedSyncMin = 3
    config.journalLogsMin = 2
    config.journalBytesMax = 8 * (64 << 10)
    return config
  }

  /// Appends to changing sets of logs, with rolls in between, some by a caller that blocks, so that
  /// the ring is filled more than once; a log is deleted and made again, another one is truncated.
  private static func run(
    _ disk: SimulatedDisk, _ config: StoreConfig, _ models: inout [LogModel], rounds: Int = 6
  ) throws -> Int {
    let store = try SharedStore(disk, config, logCount: logCount)
    for round in 0..<rounds {
      for index in 0..<logCount where (round + index) % 4 != 3 {
        try store.append(SampleBatches.small[round * 5 + index], to: index, &models)
        if index == 1 {
          try store.append(SampleBatches.small[round * 5 + 4], to: index, &models)
        }
      }
      if round % 4 == 2 {
        try store.logs[2].flushBlocking()
        models[2].noteFlushed(below: store.logs[2].durableEndOffset)
      }
      store.step(&models)
      if disk.isCut { break }
      #expect(store.logs.allSatisfy { $0.durableEndOffset == $0.logEndOffset }, "round \(round)")
    }
    return store.groupCount
  }

  private static func check(
    _ disk: SimulatedDisk, _ config: StoreConfig, _ models: [LogModel], _ place: String,
    withViews: Bool
  ) {
    do {
      if withViews { try checkViews(disk, models, place) }
      let store = try SharedStore(disk, config, logCount: logCount, creates: false)
      for (index, log) in store.logs.enumerated() {
        let content = try LogModel.content(of: log)
        if let fault = models[index].fault(in: content, after: .powerCut) {
          Issue.record("\(place): log \(index): \(fault)")
        }
        #expect(log.damagedRanges.isEmpty && log.recovery.damage.isEmpty, "\(place)")
      }
      #expect(store.manager.report.sideFileDamage.isEmpty, "\(place)")
    } catch let error as LogError where error.code == .notFound {
      #expect(models.allSatisfy { $0.durableCount == 0 }, "\(place): a log is gone")
    } catch {
      Issue.record("\(place): \(error)")
    }
  }

  /// What changes nothing sees the same before the opening.
  private static func checkViews(
    _ disk: SimulatedDisk, _ models: [LogModel], _ place: String
  ) throws {
    for index in 0..<logCount {
      let path = "\(CrashStore.path)/t-\(index)"
      guard try disk.status(path) != nil, try StoreNames.isLog(disk.list(path)) else { continue }
      let log = try Log.openReadOnlyBlocking(path, disk: disk, logger: .silent)
      if let fault = models[index].fault(in: try LogModel.content(of: log), after: .powerCut) {
        Issue.record("\(place): log \(index), read only: \(fault)")
      }
      let report = try LogVerifier(disk).verify([path])
      #expect(report.damage.isEmpty, "\(place)")
    }
  }

  @Test(arguments: [700, 1 << 20])
  func nothingAcknowledgedTogetherIsLostWhereverThePowerFails(segmentBytes: Int) throws {
    let config = Self.config(segmentBytes: segmentBytes)
    let seed = Seed.fromEnvironment(else: 21)
    var (states, groupsMax) = (0, 0)
    let loop = PowerCutLoop(
      exhaustiveMax: 1, samples: CrashCount.scale, damaged: CrashCount.scale, seed: seed)
    let tried = loop.run(on: { SimulatedDisk(seed: 2) }) { disk in
      var models = [LogModel](repeating: LogModel(), count: Self.logCount)
      do {
        groupsMax = max(groupsMax, try Self.run(disk, config, &models))
      } catch {
        #expect(disk.isCut, "failed by itself: \(error)")
      }
      return models
    } check: { disk, models, point in
      states += 1
      Self.check(disk, config, models, "\(point), \(seed)", withViews: states % 4 == 0)
    }
    CrashCount.add(states)
    // Without rolls every round but the first is journaled; with them some are not.
    #expect(groupsMax >= 2, "\(groupsMax) groups were written")
    #expect(tried.cuts > 80)
  }

  /// One call fails, once or from then on. What was acknowledged is there after a power cut; a log
  /// that could not be made durable says so to whoever waits for it.
  @Test(
    arguments: [DiskError.Operation.sync, .write, .writeOut, .allocate, .open, .syncFileSystem],
    [false, true])
  func nothingAcknowledgedTogetherIsLostWhicheverCallFails(
    operation: DiskError.Operation, isForEver: Bool
  ) throws {
    let config = Self.config(segmentBytes: 1 << 20)
    var (fired, groups) = (0, 0)
    for occurrence in stride(from: 1, to: 400, by: 13) {
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
          if round == 3 { store.manager.context.flusher.journal?.syncAll() }
        }
        for (index, log) in store.logs.enumerated()
        where log.health.isFailed && log.durableEndOffset < log.logEndOffset {
          #expect(store.failedLogs.contains(index), "\(occurrence): log \(index) is silent")
        }
        if !disk.faultFired { break }
        groups += store.groupCount
      } catch {
        if !disk.faultFired { throw error }
      }
      fired += 1
      disk.removeFaults()
      Self.check(
        disk.crash(.loseAllUnsynced), config, models, "\(operation) \(occurrence)",
        withViews: true)
      Self.check(
        disk.crash(seed: UInt64(occurrence)), config, models, "\(operation) \(occurrence), random",
        withViews: false)
    }
    if !isForEver { #expect(groups > fired / 2, "\(groups) groups were written") }
    #expect(fired > 0, "\(fired) faults")
  }

  /// The ring is written round and round, beside the logs' own syncs, with the power failing at
  /// random; every life begins with the files that the last one left.
  @Test func nothingIsLostInManyLivesOfOneRing() throws {
    let seed = Seed.fromEnvironment(else: 77)
    var random = seed.generator
    var config = Self.config(segmentBytes: 6000)
    config.journalBytesMax = 128 << 10
    var disk = SimulatedDisk(seed: seed.value)
    var models = [LogModel](repeating: LogModel(), count: Self.logCount)
    var (groups, cuts) = (0, 0)
    for life in 0..<(8 * CrashCount.scale) {
      let cut = 20 + random.index(below: 300)
      disk.plan(.powerCut(at: cut))
      do {
        let store = try SharedStore(disk, config, logCount: Self.logCount)
        for (index, log) in store.logs.enumerated() {
          let content = try LogModel.content(of: log)
          if let fault = models[index].fault(in: content, after: .powerCut) {
            Issue.record("\(seed), life \(life), log \(index): \(fault)")
          }
          #expect(log.recovery.damage.isEmpty, "\(seed), life \(life)")
          models[index].settle(on: content)
        }
        groups = max(groups, store.groupCount)
        while !disk.isCut {
          for index in 0..<Self.logCount where random.index(below: 4) > 0 {
            try store.append(
              SampleBatches.small[random.index(below: 50)], to: index, &models)
          }
          store.step(&models)
          groups = max(groups, store.groupCount)
        }
      } catch {
        #expect(disk.isCut, "\(seed), life \(life) failed by itself: \(error)")
      }
      cuts += 1
      disk = disk.crash(.random(seed: random.next()))
    }
    CrashCount.add(cuts)
    // 16 KiB a file: three groups each.
    #expect(groups > 4 * CrashCount.scale, "\(groups) groups")
  }
}
