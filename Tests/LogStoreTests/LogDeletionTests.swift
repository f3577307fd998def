import DiskIO
import Glibc
import StoreTesting
import Testing

@testable import LogStore

/// A deleted log is gone for good, whoever used it and whatever happens on the way.
struct LogDeletionTests {
  private func isClosed(_ body: () throws -> Void) -> Bool {
    do {
      try body()
      return false
    } catch {
      if case .closed? = (error as? LogError)?.kind { return true }
      return false
    }
  }

  private func fill(_ log: Log, _ count: Int) throws {
    for index in 0..<count {
      var batch = sampleBatch(2, value: "\(index)")
      try log.appendBlocking(batch: &batch)
    }
  }

  @Test func whoeverUsesADeletedLogIsToldAndNoFileStaysOpen() throws {
    let disk = SimulatedDisk(seed: 1)
    let (store, other) = try ProducerFixture.open(disk)
    try fill(other, 3)
    let filesBefore = disk.counters.openFiles
    let mappingsBefore = disk.counters.mappings
    do {
      let log = try store.createLogBlocking(ProducerFixture.partition("b"))
      try fill(log, 30)
      let reader = LogReader(log)
      let given = try #require(try reader.read(from: 0, maxBytes: 100))
      let told = Locked<[Bool]>([])
      log.onDurable(1000) { outcome in
        if case .failure(let error) = outcome, error.code == .closed {
          told.withLock { $0.append(true) }
        }
      }
      try store.deleteTopicBlocking("b")
      #expect(told.withLock { $0 } == [true])
      #expect(isClosed { try fill(log, 1) })
      #expect(isClosed { _ = try reader.read(from: 20, maxBytes: 100) })
      #expect(isClosed { _ = try LogReader(log).read(from: 0, maxBytes: 100) })
      #expect(isClosed { try log.waitUntilDurableBlocking(upTo: 1000) })
      #expect(isClosed { _ = try LogReader(log).waitBlocking(for: 1000) })
      // What was given out before can still be sent.
      var bytes: [UInt8] = []
      try given.copy(into: &bytes)
      #expect(bytes.count == given.byteCount && bytes.contains { $0 != 0 })
    }
    #expect(disk.counters.openFiles == filesBefore)
    #expect(disk.counters.mappings == mappingsBefore)
    #expect(try store.log(ProducerFixture.partition("b")) == nil)
    #expect(store.topics == ["a"] && store.logs(ofTopic: "b").isEmpty)
    #expect(disk.paths.allSatisfy { !$0.contains("/b-0") }, "\(disk.paths)")
    #expect(throws: LogError.self) { try store.deleteTopicBlocking("b") }
  }

  @Test func aLogOfTheSameNameBeginsAnew() throws {
    let disk = SimulatedDisk(seed: 1)
    var (store, log) = try ProducerFixture.open(disk)
    let first = try #require(try store.topicId(of: "a"))
    try fill(log, 30)
    try log.store.raiseStart(to: 40)
    try store.writeCheckpoints()
    let stale = log
    let reader = LogReader(stale)
    try store.deleteLogBlocking(ProducerFixture.partition())
    log = try store.createLogBlocking(ProducerFixture.partition())
    #expect(try store.topicId(of: "a") != first)
    // The old handle must not reach the files that have its paths now.
    try fill(log, 2)
    #expect(isClosed { _ = try reader.read(from: 41, maxBytes: 100) })
    #expect(isClosed { try fill(stale, 1) })
    #expect(isClosed { _ = try stale.access.open(log.store.state.segments[0]) })
    // Nor may a checkpoint of the old one speak of the new one.
    (store, log) = try ProducerFixture.open(disk.crash(.loseAllUnsynced))
    #expect(log.logStartOffset == 0 && log.logEndOffset == 4)
    #expect(log.recovery.damage.isEmpty)
  }

  /// Who deletes on a full disk wants the room, and no checkpoint stands in the way of it.
  @Test func aFullDiskIsNoReasonToRefuseADeletion() throws {
    let disk = SimulatedDisk(seed: 1)
    var (store, log) = try ProducerFixture.open(disk)
    try fill(log, 30)
    try log.store.raiseStart(to: 40)
    try store.writeCheckpoints()
    disk.plan(
      FaultPlan(
        .error(ENOSPC), at: 1, isForEver: true, operations: [.write],
        pathSuffix: "-checkpoint.tmp"))
    try store.deleteLogBlocking(ProducerFixture.partition())
    #expect(disk.faultFired && store.topics.isEmpty)
    #expect(disk.paths.allSatisfy { !$0.contains("/a-0") }, "\(disk.paths)")
    // What stands in the checkpoints is the old log's: no new one takes its name before they go.
    let error = #expect(throws: LogError.self) {
      try store.createLogBlocking(ProducerFixture.partition())
    }
    guard case .diskFull? = error?.kind else {
      Issue.record("a log was made beside a checkpoint of its forerunner")
      return
    }
    disk.removeFaults()
    log = try store.createLogBlocking(ProducerFixture.partition())
    try fill(log, 2)
    (store, log) = try ProducerFixture.open(disk.crash(.loseAllUnsynced))
    #expect(log.logStartOffset == 0 && log.logEndOffset == 4)
  }

  /// Where the file system has no inode left, what would give some back is not refused: nothing is
  /// made before the log is gone.
  @Test func noInodeIsNoReasonToRefuseADeletion() throws {
    let disk = SimulatedDisk(seed: 1)
    var (store, log) = try ProducerFixture.open(disk)
    try fill(log, 30)
    try store.writeCheckpoints()
    disk.plan(FaultPlan(.error(ENOSPC), at: 1, isForEver: true, operations: [.create]))
    try store.deleteLogBlocking(ProducerFixture.partition())
    #expect(disk.faultFired && store.topics.isEmpty)
    disk.removeFaults()
    // Acknowledged, so a power cut brings nothing back.
    store = try Store.openBlocking(
      "/data", config: ProducerFixture.config(), disk: disk.crash(.loseAllUnsynced),
      logger: .silent)
    #expect(store.topics.isEmpty)
    log = try store.createLogBlocking(ProducerFixture.partition())
    #expect(log.logEndOffset == 0 && log.logStartOffset == 0)
  }

  /// As above, where the checkpoint could not be written at the next opening either.
  @Test func noLogIsMadeBesideACheckpointOfItsForerunnerAfterAnOpening() throws {
    let disk = SimulatedDisk(seed: 1)
    var (store, log) = try ProducerFixture.open(disk)
    try fill(log, 30)
    try log.store.raiseStart(to: 40)
    try store.writeCheckpoints()
    let fault = FaultPlan(
      .error(ENOSPC), at: 1, isForEver: true, operations: [.write],
      pathSuffix: "-checkpoint.tmp")
    disk.plan(fault)
    try store.deleteLogBlocking(ProducerFixture.partition())
    let after = disk.crash(.loseAllUnsynced)
    after.plan(fault)
    store = try Store.openBlocking(
      "/data", config: ProducerFixture.config(), disk: after, logger: .silent)
    #expect(after.faultFired)
    #expect(throws: LogError.self) { try store.createLogBlocking(ProducerFixture.partition()) }
    after.removeFaults()
    log = try store.createLogBlocking(ProducerFixture.partition())
    #expect(log.logStartOffset == 0 && log.logEndOffset == 0)
  }

  /// The crash came between the rename and the checkpoints.
  @Test func aCheckpointOfALogThatIsNotThereIsForgottenAtOpening() throws {
    let disk = SimulatedDisk(seed: 1)
    var (store, log) = try ProducerFixture.open(disk)
    try store.closeBlocking()
    let gone = try TopicPartition(topic: "gone", partition: 0)
    for name in [OffsetCheckpoint.Name.recoveryPoint, .logStart] {
      var points = OffsetCheckpoint()
      points.offsets[gone] = 500
      try points.write(disk, directory: "/data", name)
    }
    (store, log) = try ProducerFixture.open(disk)
    let fresh = try store.createLogBlocking(gone)
    #expect(fresh.logEndOffset == 0)
    (store, log) = try ProducerFixture.open(disk.kill())
    #expect(store.log(gone)?.logEndOffset == 0 && store.log(gone)?.logStartOffset == 0)
    #expect(log.logEndOffset == 0)
  }

  @Test func leftOversOfOurOwnAreRemovedAndThoseOfABrokerAreNot() throws {
    let disk = SimulatedDisk(seed: 1)
    let (store, _) = try ProducerFixture.open(disk)
    try store.closeBlocking()
    let digits = String(repeating: "0123456789abcdef", count: 2)
    var generator = Seed(1).generator
    let ours =
      "/data/"
      + DeletedLog.name(for: try TopicPartition(topic: "d.e", partition: 0), using: &generator)
    // Of an earlier version, by the file in it.
    let older = "/data/b-0.\(digits)-delete"
    // Random UUIDs of version 4, as Java makes them.
    let kafkas = [
      "/data/c-0.\(digits)-delete", "/data/c-0.6d6b73746f72456a8123456789abcdef-delete",
    ]
    for path in [ours, older] + kafkas {
      try disk.install("\(path)/00000000000000000000.log", [1])
    }
    try disk.install("\(older)/\(DeletedLog.markerName)", [])
    try disk.install("\(older)/.bad/00000000000000000000.log@1+1", [1])
    let (again, _) = try ProducerFixture.open(disk)
    #expect(disk.paths.allSatisfy { !$0.hasPrefix(ours) && !$0.hasPrefix(older) })
    for path in kafkas { #expect(disk.paths.contains("\(path)/00000000000000000000.log")) }
    #expect(again.report.notes.count { $0.contains("c-0.") } == 2)
    #expect(!again.report.notes.contains { $0.contains("b-0.") || $0.contains("d.e-0.") })
  }

  @Test func theNameIsKafkasAndFits() throws {
    var generator = Seed(1).generator
    for length in [1, 200, 205, 206, 207, 249] {
      let topic = String(repeating: "t", count: length)
      let name = DeletedLog.name(
        for: try TopicPartition(topic: topic, partition: 12), using: &generator)
      #expect(name.utf8.count <= 255)
      guard case .deleted(let kept, 12) = LogDirectoryName(name) else {
        Issue.record("\(name)")
        continue
      }
      #expect(topic.hasPrefix(kept) && kept.utf8.count == min(length, 255 - 43))
      #expect(name.contains("-12.\(DeletedLog.signature)"))
    }
  }

  @Test func aCutAnywhereLeavesTheLogWholeOrNoneOfIt() throws {
    let seed = Seed.fromEnvironment(else: 5)
    let loop = PowerCutLoop(exhaustiveMax: 4, samples: 10, damaged: 8, seed: seed)
    var seen: [String: Int] = [:]
    let tried = try loop.run {
      let disk = SimulatedDisk(seed: seed.value)
      let (store, log) = try ProducerFixture.open(disk)
      try fill(log, 12)
      let other = try store.createLogBlocking(ProducerFixture.partition("b"))
      try fill(other, 1)
      return disk.crash(.keepAll)
    } scenario: { disk -> Bool in
      do {
        let (store, log) = try ProducerFixture.open(disk)
        try fill(log, 1)
        try store.deleteLogBlocking(ProducerFixture.partition())
        return true
      } catch {
        return false
      }
    } check: { disk, isDeleted, point in
      let store = try Store.openBlocking(
        "/data", config: ProducerFixture.config(), disk: disk, logger: .silent)
      let log = try store.log(ProducerFixture.partition())
      if let log {
        #expect(!isDeleted, "\(seed) \(point)")
        let end = log.logEndOffset
        #expect([24, 26].contains(end) && log.recovery.damage.isEmpty, "\(seed) \(point)")
        #expect(try ProducerFixture.values(log).count == end)
      }
      #expect(try store.log(ProducerFixture.partition("b"))?.logEndOffset == 2)
      seen[log == nil ? "gone" : "whole", default: 0] += 1
      // Nothing is left lying about, whichever way it went.
      #expect(disk.paths.allSatisfy { !$0.contains("-delete") }, "\(seed) \(point) \(disk.paths)")
    }
    #expect(seen["gone", default: 0] > 20 && seen["whole", default: 0] > 20, "\(tried) \(seen)")
  }

  /// Clients take the number of a topic's partitions for the end of their numbers.
  @Test func aCutWhileATopicGoesLeavesNoGapInItsPartitions() throws {
    let seed = Seed.fromEnvironment(else: 6)
    let loop = PowerCutLoop(exhaustiveMax: 4, samples: 10, damaged: 2, seed: seed)
    var seen: [Int: Int] = [:]
    _ = try loop.run {
      let disk = SimulatedDisk(seed: seed.value)
      let (store, _) = try ProducerFixture.open(disk)
      for partition: Int32 in 0..<4 {
        _ = try store.createLogBlocking(TopicPartition(topic: "b", partition: partition))
      }
      return disk.crash(.keepAll)
    } scenario: { disk -> Bool in
      do {
        let (store, _) = try ProducerFixture.open(disk)
        try store.deleteTopicBlocking("b")
        return true
      } catch {
        return false
      }
    } check: { disk, isDeleted, point in
      let (store, _) = try ProducerFixture.open(disk)
      let left = store.logs(ofTopic: "b").map(\.topicPartition.partition)
      #expect(left == Array(0..<Int32(left.count)), "\(seed) \(point)")
      #expect(!isDeleted || left.isEmpty, "\(seed) \(point)")
      if !left.isEmpty { try store.deleteTopicBlocking("b") }
      #expect(store.topics == ["a"], "\(seed) \(point)")
      seen[left.count, default: 0] += 1
    }
    #expect(Set(seen.keys) == [0, 1, 2, 3, 4], "\(seed) \(seen)")
  }
}
