import DiskIO
import Glibc
import StoreTesting
import Testing

@testable import LogStore

/// What was kept goes when it is asked for, and nothing else changes.
@Suite struct KeptDataRemovalTests {
  private let disk: SimulatedDisk
  private let config = CrashStore.config(segmentBytes: 500)
  private let content: [LogModel.Batch]
  private let damage: [DamagedRange]
  private let kept: [KeptFile]

  /// A log with damage, a cut and a history.
  init() throws {
    let sample = try RecoverySample(closes: false)
    let base = try #require(sample.bases.last)
    let disk = sample.disk.kill()
    let (damaged, position) = sample.place(1)
    try sample.edit(sample.path(damaged), on: disk) { $0[position + 70] ^= 1 }
    let torn = SampleBatches.placed(SampleBatches.small[50], at: sample.end).dropLast(9)
    try sample.edit(sample.path(base), on: disk) { $0 += torn }
    let store = try CrashStore(disk, config, creates: false)
    try #require(store.log.recovery.cuts.first?.keptAs != nil)
    let found = try KeptData(of: store.log.environment.directory)
    try #require(found.kept.files.count == 1 && found.historyBytes != nil)
    kept = found.kept.files
    content = try store.log.readAround().batches
    // A mark that is durable, whatever a power cut takes.
    try store.manager.closeBlocking()
    self.disk = disk
    damage = try LogVerifier(self.disk).verify([CrashStore.path]).damage
    try #require(!damage.isEmpty)
  }

  private func remove(_ disk: SimulatedDisk, isDryRun: Bool = false) throws -> KeptDataRemoval {
    try KeptDataRemoval(store: CrashStore.path, only: nil, isDryRun: isDryRun, disk: disk)
  }

  private func expectSameLog(_ disk: SimulatedDisk, _ place: String = "") throws {
    let told = try LogVerifier(disk).verify([CrashStore.path]).damage
    #expect(told == damage, "\(place)")
    let store = try CrashStore(disk, config, creates: false)
    let found = try store.log.readAround()
    #expect(found.batches == content, "\(place)")
    #expect(store.log.recovery.cuts.isEmpty, "\(place)")
  }

  @Test func allOfItGoesAndTheLogStaysAsItIs() throws {
    let foreseen = try remove(disk, isDryRun: true)
    let directory = LogDirectory(disk: disk, path: CrashStore.directory)
    #expect(try KeptData(of: directory).kept.files == kept)
    let done = try remove(disk)
    for result in [foreseen, done] {
      #expect(result.logs.map { "\($0.name)" } == ["t-0"] && result.failures.isEmpty)
      #expect(result.logs.first?.removal.files == kept)
      #expect(result.logs.first?.removal.historyBytes ?? 0 > 0)
      #expect(result.logs.first?.removal.failures.isEmpty == true)
    }
    for disk in [disk, disk.crash(.loseAllUnsynced)] {
      #expect(!disk.paths.contains { $0.contains("/.bad") || $0.contains("mkstore.history") })
    }
    #expect(try remove(disk).logs.isEmpty)
    try expectSameLog(disk)
  }

  @Test func aStoreInUseIsRefused() throws {
    let store = try CrashStore(disk, config, creates: false)
    #expect(throws: LogError.self) { try remove(disk) }
    #expect(try remove(disk, isDryRun: true).logs.count == 1)
    _ = store
  }

  @Test func aPowerCutLeavesWhatTheNextRunRemoves() throws {
    let loop = PowerCutLoop(
      exhaustiveMax: 8, samples: 20, damaged: 2, seed: Seed.fromEnvironment(else: 5))
    let tried = try loop.run(on: { disk.kill() }) { disk in
      do { _ = try remove(disk) } catch { #expect(disk.isCut, "\(error)") }
    } check: { disk, _, point in
      let left = try remove(disk)
      #expect(left.failures.isEmpty && left.logs.allSatisfy(\.removal.failures.isEmpty))
      #expect(try remove(disk).logs.isEmpty, "\(point)")
      try expectSameLog(disk, "\(point)")
    }
    #expect(tried.cuts >= 5)
  }

  /// Each call fails in turn: what is told as gone is gone, what is not is still there, and told.
  @Test(arguments: [EIO, EPERM, ENOSPC])
  func whatCannotBeRemovedIsTold(_ code: Int32) throws {
    let calls = DiskError.Operation.all
    for occurrence in 1...100 {
      let disk = disk.kill()
      disk.plan(FaultPlan(.error(code), at: occurrence, operations: calls))
      var told: Set<String> = []
      var failures = 0
      do {
        let result = try remove(disk)
        failures = result.failures.count
        for log in result.logs {
          told.formUnion(log.removal.files.map(\.path))
          failures += log.removal.failures.count
        }
      } catch {
        failures += 1
      }
      guard disk.faultsFired > 0 else {
        #expect(failures == 0 && told.count == kept.count && occurrence > 8)
        return
      }
      #expect(failures > 0, "occurrence \(occurrence)")
      for file in kept {
        #expect(disk.paths.contains(file.path) != told.contains(file.path), "\(occurrence)")
      }
    }
    Issue.record("the fault fired at every one of a hundred calls")
  }

  @Test func whatRecoveryDidNotKeepIsLeftAlone() throws {
    let foreign = "\(CrashStore.directory)/.bad/copies"
    try disk.makeDirectory(foreign)
    let result = try remove(disk)
    #expect(result.logs.first?.removal.files == kept)
    let failures = try #require(result.logs.first?.removal.failures)
    #expect(failures.count == 1 && failures[0].hasPrefix(foreign), "\(failures)")
    #expect(try disk.status(foreign) != nil)
  }
}
