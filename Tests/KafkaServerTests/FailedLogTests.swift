import DiskIO
import Glibc
import LogStore
import Logging
import MkstoreProtocol
import RecordFormat
import StoreTesting
import Testing

@testable import MkstoreServer

/// A partition whose write or sync failed: what clients are told, and that the server opens it
/// again by itself.
struct FailedLogTests {
  /// That of the simulated disk, or producers would count as idle since its files were changed.
  private static let nowMs: Int64 = 1_700_000_000_000

  private static func batch(_ sequence: Int32, producerId: Int64 = 7) throws -> [UInt8] {
    try TestBatch.make(
      ["\(sequence)"],
      options: BatchOptions(producerId: producerId, producerEpoch: 0, baseSequence: sequence))
  }

  /// Sends a batch until it is not told to come again.
  private static func send(_ client: TestClient, _ sequence: Int32) throws -> ErrorCode {
    let end = ContinuousClock.now + .seconds(20)
    var answer = try client.produce("t", try batch(sequence))
    while [.kafkaStorageError, .notLeaderOrFollower].contains(answer.errorCode),
      ContinuousClock.now < end
    {
      answer = try client.produce("t", try batch(sequence))
    }
    return answer.errorCode
  }

  @Test(arguments: [DiskError.Operation.write, .sync])
  func theServerOpensAFailedPartitionAgain(_ operation: DiskError.Operation) async throws {
    let disk = SimulatedDisk(seed: 1)
    let captured = CapturedLog()
    try await TestBroker.with(
      "/data", disk: disk, nowMs: { Self.nowMs },
      configure: {
        $0.reopenPausesMs = 1...4
        $0.adminListen = Endpoint(host: "127.0.0.1", port: 0)
      }, heardBy: captured
    ) { broker in
      let client = try broker.connect()
      try client.create("t")
      #expect(try client.produce("t", try Self.batch(0)).errorCode == .none)
      let failed = try #require(broker.manager.log(try TopicPartition(topic: "t", partition: 0)))
      disk.plan(FaultPlan(.error(EIO), at: 1, isForEver: true, operations: [operation]))
      // Whatever comes after it, and whatever it is.
      for sequence: Int32 in [1, 2, 9, 0] {
        #expect(
          try client.produce("t", try Self.batch(sequence)).errorCode == .kafkaStorageError)
      }
      var broken = try Self.batch(3)
      broken[broken.count - 1] ^= 1
      #expect(try client.produce("t", broken).errorCode == .kafkaStorageError)
      let page = broker.server.broker.page("/readyz", nil)
      #expect(page?.status.hasPrefix("503") == true && page?.text.contains("t-0") == true)
      disk.removeFaults()
      for sequence: Int32 in 1...3 {
        let code = try Self.send(client, sequence)
        #expect(code == .none, "\(captured.lines)")
      }
      let (_, records) = try client.fetch(TestClient.fetchRequest("t", from: 0))
      #expect(try values(of: records) == ["0", "1", "2", "3"])
      #expect(broker.server.broker.page("/readyz", nil)?.text == "ready\n")
      #expect(broker.manager.log(failed.topicPartition) !== failed)
    }
  }

  /// A consumer that waits at the end of a failed log is told to ask again once it is back.
  @Test func aWaitingConsumerFindsTheReopenedLog() async throws {
    let disk = SimulatedDisk(seed: 2)
    try await TestBroker.with(
      "/data", disk: disk, nowMs: { Self.nowMs }, configure: { $0.reopenPausesMs = 1...2 }
    ) { broker in
      let client = try broker.connect()
      try client.create("t")
      #expect(try client.produce("t", try Self.batch(0)).errorCode == .none)
      for isWaitingBefore in [true, false] {
        let consumer = try broker.connect()
        func wait() throws {
          try consumer.send(
            .fetch(TestClient.fetchRequest("t", from: 1, maxWaitMs: 60_000)), version: 12)
        }
        if isWaitingBefore { try wait() }
        disk.plan(FaultPlan(.error(EIO), at: 1, isForEver: true, operations: [.write]))
        #expect(try client.produce("t", try Self.batch(1)).errorCode == .kafkaStorageError)
        if !isWaitingBefore { try wait() }
        disk.removeFaults()
        let answer = try consumer.takeFetch().partition
        #expect(answer.errorCode == .notLeaderOrFollower)
        // Until the topics have it.
        var code = ErrorCode.notLeaderOrFollower
        while code == .notLeaderOrFollower {
          code = try consumer.fetch(TestClient.fetchRequest("t", from: 1)).partition.errorCode
        }
        #expect(code == .none)
      }
    }
  }

  /// An answer that makes a client number anew waits for what it sent before.
  @Test func aRefusalForGoodWaitsForTheBatchesBeforeIt() async throws {
    let disk = SimulatedDisk(seed: 3)
    try await TestBroker.with(
      "/data", disk: disk, nowMs: { Self.nowMs }, configure: { $0.reopenPausesMs = 1...2 }
    ) { broker in
      let client = try broker.connect()
      try client.create("t")
      #expect(try client.produce("t", try Self.batch(0)).errorCode == .none)
      let log = try #require(broker.manager.log(try TopicPartition(topic: "t", partition: 0)))
      // Written, and not synced.
      var bytes = try Self.batch(1)
      var span = bytes.mutableSpan
      _ = try log.writeBlocking(batch: &span)
      disk.plan(FaultPlan(.error(EIO), at: 1, operations: [.sync]))
      #expect(try client.produce("t", try Self.batch(5)).errorCode == .kafkaStorageError)
      #expect(disk.faultFired)
      #expect(try Self.send(client, 1) == .none)
      #expect(try client.produce("t", try Self.batch(5)).errorCode == .outOfOrderSequenceNumber)
    }
  }

  /// The same where a batch before it was refused.
  @Test func aRefusalForGoodComesAfterTheRefusedBatch() async throws {
    let disk = SimulatedDisk(seed: 4)
    try await TestBroker.with("/data", disk: disk, nowMs: { Self.nowMs }) { broker in
      let client = try broker.connect()
      try client.create("t")
      #expect(try client.produce("t", try Self.batch(0)).errorCode == .none)
      disk.plan(FaultPlan(.error(ENOSPC), at: 1, operations: [.write], pathSuffix: ".log"))
      #expect(try client.produce("t", try Self.batch(1)).errorCode == .kafkaStorageError)
      var broken = try Self.batch(2)
      broken[broken.count - 1] ^= 1
      #expect(try client.produce("t", broken).errorCode == .kafkaStorageError)
      #expect(try client.produce("t", try Self.batch(2)).errorCode == .kafkaStorageError)
      #expect(try client.produce("t", try Self.batch(1)).errorCode == .none)
      #expect(try client.produce("t", broken).errorCode == .corruptMessage)
      #expect(try client.produce("t", try Self.batch(2)).errorCode == .none)
    }
  }

  /// Pauses double up to a bound, also where a log fails again as soon as it is open.
  @Test func pausesGrow() throws {
    let disk = SimulatedDisk(seed: 5)
    let clock = Locked<Int64>(0)
    var config = StoreConfig()
    config.createsStore = true
    config.startsFlusher = false
    let manager = try Store.openBlocking("/data", config: config, disk: disk)
    let log = try manager.createLogBlocking(try TopicPartition(topic: "t", partition: 0))
    let reopened = Locked(0)
    let reopener = LogReopener(
      manager, pausesMs: 1_000...30_000, now: { clock.withLock { $0 } }, logger: manager.quiet
    ) { _ in reopened.withLock { $0 += 1 } }
    reopener.listen()
    disk.plan(FaultPlan(.error(EIO), at: 1, isForEver: true, operations: [.write]))
    let record = Record(offset: 0, timestamp: 0, key: nil, value: nil)
    #expect(throws: LogError.self) { try log.appendBlocking([NewRecord(record)]) }
    var tried: [Int64] = []
    var probes = disk.counters.calls[.create, default: 0]
    for second in 0..<150 {
      clock.withLock { $0 = Int64(second) * 1_000_000_000 }
      reopener.step(waiting: false)
      let now = disk.counters.calls[.create, default: 0]
      if now > probes { tried.append(Int64(second)) }
      probes = now
    }
    #expect(tried == [1, 3, 7, 15, 31, 61, 91, 121])
    disk.removeFaults()
    clock.withLock { $0 = 151_000_000_000 }
    reopener.step(waiting: false)
    #expect(reopened.withLock { $0 } == 1)
    // It fails at once, once more.
    disk.plan(FaultPlan(.error(EIO), at: 1, operations: [.write]))
    let again = try #require(manager.log(log.topicPartition))
    #expect(throws: LogError.self) { try again.appendBlocking([NewRecord(record)]) }
    for (second, count) in [(152, 1), (180, 1), (181, 2)] {
      clock.withLock { $0 = Int64(second) * 1_000_000_000 }
      reopener.step(waiting: false)
      #expect(reopened.withLock { $0 } == count, "\(second)")
    }
    reopener.stop()
    try manager.closeBlocking()
  }
}

extension Store {
  /// Says nothing.
  fileprivate var quiet: Logger {
    Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
  }
}
