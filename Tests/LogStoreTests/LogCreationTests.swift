import DiskIO
import Glibc
import StoreTesting
import Testing

@testable import LogStore

/// A log that cannot be made leaves nothing: its name stays free, and no later opening finds it.
struct LogCreationTests {
  private struct Case: Sendable {
    var name: String
    var code: Int32
    var isForEver: Bool
    var operations: Set<DiskError.Operation>
  }

  private static let cases = [
    Case(name: "one call", code: EIO, isForEver: false, operations: DiskError.Operation.all),
    Case(
      name: "a full disk", code: ENOSPC, isForEver: true,
      operations: [.create, .write, .allocate, .makeDirectory]),
    Case(
      name: "no descriptor left", code: EMFILE, isForEver: true,
      operations: [.create, .open, .list, .syncDirectory]),
  ]

  @Test(arguments: cases.indices) func aFailedCreationLeavesTheNameFree(index: Int) throws {
    let failure = Self.cases[index]
    let name = try ProducerFixture.partition("b")
    let overrides = try TopicConfig(["retention.ms": "5"])
    var fired = 0
    for occurrence in 1...200 {
      let disk = SimulatedDisk(seed: 1)
      let (store, _) = try ProducerFixture.open(disk)
      disk.plan(
        FaultPlan(
          .error(failure.code), at: occurrence, isForEver: failure.isForEver,
          operations: failure.operations))
      do {
        _ = try store.createLogBlocking(name, overrides: overrides)
        // Some calls may fail: space is not set aside, an index is not preallocated.
        if disk.faultFired { continue }
        break
      } catch {
        #expect(disk.faultFired, "\(error)")
        fired += 1
      }
      disk.removeFaults()
      #expect(store.log(name) == nil)
      #expect(!disk.paths.contains { $0.contains("/b-0") }, "\(failure.name): \(disk.paths)")
      var batch = sampleBatch(1)
      #expect(
        try store.createLogBlocking(name, overrides: overrides).appendBlocking(batch: &batch)
          .baseOffset == 0)
      try store.closeBlocking()
      #expect(try ProducerFixture.open(disk).0.topics == ["a", "b"])
    }
    #expect(fired > 3, "\(failure.name) hit \(fired) calls")
  }

  @Test func whatStandsThereAlreadyIsNotTakenAway() throws {
    let disk = SimulatedDisk(seed: 1)
    let (store, _) = try ProducerFixture.open(disk)
    let path = "/data/b-0/00000000000000000000.log"
    try disk.install(path, [1, 2, 3])
    do {
      _ = try store.createLogBlocking(try ProducerFixture.partition("b"))
      Issue.record("a log was made over another one")
    } catch let failure as LogError where failure.code == .alreadyExists {
      guard case .alreadyExists(let found) = failure.kind else { throw failure }
      #expect(found == "/data/b-0")
    }
    #expect(disk.paths.contains(path))
  }

  /// `new/../store` needs `new`, as `mkdir -p` knows; a file is no directory, and says so.
  @Test func directoriesOnTheWayAreMadeAndFilesAreNotTakenForMissing() throws {
    let disk = SimulatedDisk(seed: 1)
    var config = ProducerFixture.config()
    let store = try Store.openBlocking("/new/../store", config: config, disk: disk, logger: .silent)
    try store.closeBlocking()
    try disk.install("/file", [1])
    config.createsStore = false
    for creates in [false, true] {
      config.createsStore = creates
      do {
        _ = try Store.openBlocking("/file", config: config, disk: disk, logger: .silent)
        Issue.record("a file was opened as a store")
      } catch {
        guard case .disk(let cause) = error.kind else { throw error }
        #expect(cause.code == ENOTDIR && cause.path == "/file")
      }
    }
  }
}
