import DiskIO
import Glibc
import StoreTesting
import Testing

@testable import LogStore

/// A log whose write or sync failed takes nothing before it is opened again, in place (I8).
struct FailedLogTests {
  private func batch(_ sequence: Int32, producerId: Int64 = 1) throws -> [UInt8] {
    try ProducerFixture.batch(producerId, sequence: sequence)
  }

  private func append(_ log: Log, _ sequence: Int32) throws -> AppendResult {
    var bytes = try batch(sequence)
    return try log.appendBlocking(batch: &bytes)
  }

  private func isRefused(_ log: Log, _ sequence: Int32) throws -> Bool {
    do {
      _ = try append(log, sequence)
      return false
    } catch let error as LogError where error.code == .poisoned {
      return true
    }
  }

  /// Whatever call of an append fails, with an error that is no shortage.
  @Test(arguments: [EIO, EROFS, ENXIO, EACCES])
  func afterAFailedWriteSequencesAreNotJudged(_ code: Int32) throws {
    var failed = 0
    for occurrence in 1..<200 {
      let disk = SimulatedDisk(seed: 3)
      let (store, log) = try ProducerFixture.open(disk, segmentBytes: 400)
      for sequence: Int32 in 0..<3 { _ = try append(log, sequence) }
      disk.plan(
        FaultPlan(
          .error(code), at: occurrence,
          operations: [.write, .truncate, .create, .allocate, .sync, .syncDirectory, .map, .rename]
        ))
      var refused: Int32?
      for sequence: Int32 in 3..<8 where refused == nil {
        if try isRefused(log, sequence) { refused = sequence }
      }
      guard disk.faultFired else { break }
      // What is a shortcut only (a producer snapshot) may fail alone.
      guard let refused else { continue }
      failed += 1
      disk.removeFaults()
      // Before anything is judged: what does not follow, and what is no batch at all.
      for sequence in [refused + 1, refused, refused + 7] {
        #expect(try isRefused(log, sequence), "call \(occurrence)")
      }
      var garbage: [UInt8] = [1, 2, 3]
      #expect {
        try log.appendBlocking(batch: &garbage)
      } throws: { error in
        if case .poisoned? = (error as? LogError)?.kind { true } else { false }
      }
      let again = try store.reopenLogBlocking(log.topicPartition)
      #expect(again !== log && store.log(log.topicPartition) === again)
      #expect(throws: LogError.self) { try append(again, refused + 1) }
      for sequence in refused..<refused + 3 { _ = try append(again, sequence) }
      let values = try ProducerFixture.values(again)
      #expect(values == (0..<refused + 3).map { "1 0 \($0)" }, "call \(occurrence)")
    }
    #expect(failed > 8, "\(failed)")
  }

  /// A batch that is in the log is sent again to the failed log, and never after it: its answer had
  /// come by another connection.
  @Test func whatWasAcknowledgedIsNotWaitedForAfterReopening() throws {
    let disk = SimulatedDisk(seed: 11)
    let (store, log) = try ProducerFixture.open(disk)
    _ = try append(log, 0)
    disk.plan(FaultPlan(.error(EIO), at: 1, operations: [.write]))
    for sequence: Int32 in [1, 2, 0] { #expect(try isRefused(log, sequence)) }
    let again = try store.reopenLogBlocking(log.topicPartition)
    #expect {
      try append(again, 1)
    } throws: { error in
      if case .earlierBatchRefused(1, 1, 0)? = (error as? LogError)?.kind { true } else { false }
    }
    #expect(try append(again, 1).baseOffset == 1)
    #expect(try append(again, 2).baseOffset == 2)
  }

  @Test func theOldObjectRefusesEverythingAndItsWaitsEnd() throws {
    let disk = SimulatedDisk(seed: 4)
    let (store, log) = try ProducerFixture.open(disk)
    _ = try append(log, 0)
    let reader = LogReader(log)
    #expect(try reader.read(from: 0, maxBytes: 1000) != nil)
    disk.plan(FaultPlan(.error(EIO), at: 1, operations: [.sync]))
    var bytes = try batch(1)
    var span = bytes.mutableSpan
    let written = try log.writeBlocking(batch: &span)
    let heard = Locked<[String]>([])
    log.onDurable(written.lastOffset + 1) { outcome in
      heard.withLock { $0.append(outcome.isPoisoned ? "failed" : "flushed") }
    }
    log.replaced.onReach(1) { _ in heard.withLock { $0.append("replaced") } }
    store.context.flusher.step(waiting: false)
    #expect(heard.withLock { $0 } == ["failed"])
    // Reads go on until it is opened again.
    #expect(try reader.read(from: 0, maxBytes: 1000) != nil)
    let again = try store.reopenLogBlocking(log.topicPartition)
    #expect(heard.withLock { $0 } == ["failed", "replaced"])
    #expect(throws: LogError.self) { try reader.read(from: 0, maxBytes: 1000) }
    #expect(throws: LogError.self) { try log.flushBlocking() }
    #expect(try isRefused(log, 1))
    // It is not in the log, or it is; its producer is told the right thing either way.
    let result = try append(again, 1)
    #expect(result.baseOffset == 1 && result.isDurable)
    #expect(try ProducerFixture.values(again) == ["1 0 0", "1 0 1"])
    #expect(try store.reopenLogBlocking(log.topicPartition) === again)
    try store.closeBlocking()
    #expect(throws: LogError.self) { try store.reopenLogBlocking(log.topicPartition) }
  }

  /// A batch that was written and whose sync failed comes before those that follow it, whether it
  /// survived or not.
  @Test func whatWasLeftUncertainComesFirst() throws {
    var survived: Set<Bool> = []
    for isWrittenBack in [false, true] {
      let disk = SimulatedDisk(seed: 5)
      let (store, log) = try ProducerFixture.open(disk)
      _ = try append(log, 0)
      var bytes = try batch(1)
      var span = bytes.mutableSpan
      _ = try log.writeBlocking(batch: &span)
      // The batch's own bytes were synced, the directory or the mark was not: it is there.
      disk.plan(
        isWrittenBack
          ? FaultPlan(.error(EIO), at: 1, operations: [.write], pathSuffix: "mark")
          : FaultPlan(.error(EIO), at: 1, operations: [.sync]))
      #expect(throws: LogError.self) { try log.flushBlocking() }
      #expect(disk.faultFired)
      let again = try store.reopenLogBlocking(log.topicPartition)
      survived.insert(again.logEndOffset == 2)
      #expect {
        try append(again, 2)
      } throws: { error in
        if case .earlierBatchRefused(1, 2, 1)? = (error as? LogError)?.kind { true } else { false }
      }
      let result = try append(again, 1)
      #expect(result.isDuplicate == (again.logEndOffset == 2 && isWrittenBack))
      #expect(try append(again, 2).baseOffset == 2)
      #expect(again.writer.refused.isEmpty)
    }
    #expect(survived == [false, true])
  }

  /// A disk that does not answer changes nothing; a directory that is gone or moved neither.
  @Test func aLogIsNotOpenedAgainWhileTheDiskDoesNotAnswer() throws {
    let disk = SimulatedDisk(seed: 6)
    let (store, log) = try ProducerFixture.open(disk)
    _ = try append(log, 0)
    disk.plan(FaultPlan(.error(EIO), at: 1, isForEver: true, operations: [.write]))
    #expect(try isRefused(log, 1))
    #expect(throws: LogError.self) { try store.reopenLogBlocking(log.topicPartition) }
    #expect(store.log(log.topicPartition) === log)
    #expect(try ProducerFixture.values(log) == ["1 0 0"], "reads go on")
    disk.removeFaults()
    // A full disk answers.
    disk.plan(FaultPlan(.error(ENOSPC), at: 1, isForEver: true, operations: [.write, .create]))
    let again = try store.reopenLogBlocking(log.topicPartition)
    #expect(disk.contents(of: "\(log.path)/mkstore.probe.tmp") == nil)
    disk.removeFaults()
    #expect(try append(again, 1).baseOffset == 1)
  }

  @Test func aDeletedLogIsNotOpenedAgain() throws {
    let disk = SimulatedDisk(seed: 7)
    let (store, log) = try ProducerFixture.open(disk)
    disk.plan(FaultPlan(.error(EIO), at: 1, operations: [.write]))
    #expect(try isRefused(log, 0))
    try store.deleteLogBlocking(log.topicPartition)
    #expect {
      try store.reopenLogBlocking(log.topicPartition)
    } throws: { error in
      if case .notFound? = (error as? LogError)?.kind { true } else { false }
    }
    #expect {
      try append(log, 0)
    } throws: { error in
      if case .closed? = (error as? LogError)?.kind { true } else { false }
    }
  }

  /// What is missing of a producer's batches was acknowledged without a sync, and lost: it can only
  /// number anew.
  @Test func whatWasLostWithoutASyncIsNotWaitedFor() throws {
    let disk = SimulatedDisk(seed: 8)
    var config = ProducerFixture.config(segmentBytes: 1 << 20)
    config.log.durability = .operatingSystem
    let store = try Store.openBlocking("/data", config: config, disk: disk, logger: .silent)
    let log = try store.createLogBlocking(ProducerFixture.partition())
    _ = try append(log, 0)
    try log.flushBlocking()
    _ = try append(log, 1)
    disk.plan(FaultPlan(.error(EIO), at: 1, operations: [.sync]))
    #expect(throws: LogError.self) { try log.flushBlocking() }
    #expect(try isRefused(log, 2))
    let again = try store.reopenLogBlocking(log.topicPartition)
    #expect(again.logEndOffset == 1, "the test would show nothing")
    #expect {
      try append(again, 2)
    } throws: { error in
      if case .outOfOrderSequence? = (error as? LogError)?.kind { true } else { false }
    }
  }

  /// A mark whose sync failed is not made durable by later ones of the same file: after the log
  /// was opened again it is a new file, so that a power cut does not make the log a stranger's.
  @Test func theMarkIsMadeAnewAfterAFailedSyncOfIt() throws {
    let disk = SimulatedDisk(seed: 9)
    let (store, log) = try ProducerFixture.open(disk)
    disk.plan(FaultPlan(.error(EIO), at: 1, operations: [.sync], pathSuffix: "mkstore.mark"))
    #expect(try isRefused(log, 0))
    #expect(disk.faultFired)
    let again = try store.reopenLogBlocking(log.topicPartition)
    _ = try append(again, 0)
    let after = disk.crash(.loseAllUnsynced)
    #expect(try DurableMark.read(LogDirectory(disk: after, path: log.path)).newest != nil)
    let (_, reopened) = try ProducerFixture.open(after)
    #expect(try append(reopened, 0).isDuplicate)
  }

  /// Without the file of all last batches more of the log is read, so that each is known.
  @Test(arguments: [false, true])
  func producersAreKnownWithoutTheirFile(_ isRotten: Bool) throws {
    let disk = SimulatedDisk(seed: 10)
    let (store, log) = try ProducerFixture.open(disk)
    for sequence: Int32 in 0..<30 { _ = try append(log, sequence) }
    try store.closeBlocking()
    let name = "/data/a-0/\(ProducerFile.name)"
    var content = try #require(disk.contents(of: name))
    content[30] ^= 1
    if isRotten { try disk.install(name, content) }
    let (_, again) = try ProducerFixture.open(disk)
    if !isRotten {
      disk.plan(
        FaultPlan(
          .error(EIO), at: 1, isForEver: true, operations: [.open], pathSuffix: "producers"))
    }
    for sequence: Int32 in 25..<30 { #expect(try append(again, sequence).isDuplicate) }
  }
}

extension Result where Failure == LogError {
  fileprivate var isPoisoned: Bool {
    if case .failure(let error) = self { error.code == .poisoned } else { false }
  }
}
