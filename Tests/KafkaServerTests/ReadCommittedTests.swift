import Foundation
import LogStore
import MkstoreProtocol
import MkstoreServer
import Testing

/// What a reader of committed records is given of logs with a broker's transactions: nothing at or
/// beyond the last stable offset.
struct ReadCommittedTests {
  /// Plain, open, plain.
  private static let openAtOne = [
    KafkaBatch(["a"], at: 0),
    KafkaBatch(["OPEN"], at: 1, producerId: 77, sequence: 0, isTransactional: true),
    KafkaBatch(["b"], at: 2),
  ]

  /// A store whose log `t-0` holds the batches, one segment for each list.
  private func store(_ segments: [[KafkaBatch]], isClean: Bool = true) throws -> String {
    let path = TemporaryDirectory.make()
    let log = "\(path)/t-0"
    try FileManager.default.createDirectory(atPath: log, withIntermediateDirectories: true)
    for batches in segments {
      let digits = "\(batches[0].baseOffset)"
      let name = String(repeating: "0", count: 20 - digits.count) + digits
      try Data(batches.flatMap(\.bytes)).write(to: URL(filePath: "\(log)/\(name).log"))
    }
    if isClean { try Data().write(to: URL(filePath: "\(path)/.kafka_cleanshutdown")) }
    return path
  }

  private func baseOffsets(_ records: [UInt8]) -> [Int64] {
    KafkaBatch.all(in: records).map(\.baseOffset)
  }

  /// What both isolations give from an offset on.
  private func fetch(_ client: TestClient, from offset: Int64, maxBytes: Int32 = 1 << 20) throws
    -> (committed: [Int64], all: [Int64], lastStable: Int64)
  {
    func ask(_ level: Int8) throws -> (FetchResponse.Topic.Partition, [UInt8]) {
      try client.fetch(
        TestClient.fetchRequest(
          "t", from: offset, partitionMaxBytes: maxBytes, isolationLevel: level))
    }
    let (committed, records) = try ask(1)
    let (uncommitted, all) = try ask(0)
    #expect(committed.errorCode == .none && uncommitted.errorCode == .none)
    #expect(committed.lastStableOffset == uncommitted.lastStableOffset)
    return (baseOffsets(records), baseOffsets(all), committed.lastStableOffset)
  }

  private func latest(_ client: TestClient, isolation: Int8) throws -> Int64 {
    let answer = try client.ask(
      .listOffsets(
        .with {
          $0.isolationLevel = isolation
          $0.topics = [
            .with {
              $0.name = "t"
              $0.partitions = [.with { $0.timestamp = -1 }]
            }
          ]
        }), version: 5)
    let body = try answer.body(as: ListOffsetsResponse.self)
    return body.topics[0].partitions[0].offset
  }

  @Test(arguments: [true, false], [Int32(1), 100, 1 << 20])
  func aFetchEndsBelowTheLastStableOffset(isClean: Bool, maxBytes: Int32) async throws {
    let path = try store([Self.openAtOne], isClean: isClean)
    defer { TemporaryDirectory.remove(path) }
    try await TestBroker.with(path) { broker in
      let client = try broker.connect()
      for _ in 0..<3 {
        let found = try fetch(client, from: 0, maxBytes: maxBytes)
        #expect(found.committed == [0] && found.lastStable == 1)
        #expect(found.all == Array(Int64(0)..<(maxBytes == 1 ? 1 : found.all.last! + 1)))
      }
      for offset: Int64 in 1...3 {
        #expect(try fetch(client, from: offset).committed.isEmpty)
      }
      #expect(try fetch(client, from: 1).all == [1, 2])
      #expect(try latest(client, isolation: 1) == 1)
      #expect(try latest(client, isolation: 0) == 3)
    }
  }

  /// Whatever stands before and after, the end is found: in the first batch, between segments, at
  /// the log's start and within what a small limit gives.
  @Test(arguments: 0..<12)
  func theLastStableOffsetMayLieAnywhere(_ open: Int) async throws {
    let segments = [0..<4, 4..<8, 8..<12].map { range in
      range.map { offset in
        KafkaBatch(
          ["value \(offset)"], at: Int64(offset), producerId: offset == open ? 9 : -1,
          sequence: offset == open ? 0 : -1, isTransactional: offset == open)
      }
    }
    let path = try store(segments)
    defer { TemporaryDirectory.remove(path) }
    try await TestBroker.with(path) { broker in
      let client = try broker.connect()
      for maxBytes: Int32 in [1, 200, 1 << 20] {
        var (offset, seen): (Int64, [Int64]) = (0, [])
        while offset < Int64(open) {
          let found = try fetch(client, from: offset, maxBytes: maxBytes)
          try #require(!found.committed.isEmpty, "stuck at \(offset)")
          seen += found.committed
          offset = found.committed.last! + 1
        }
        #expect(seen == Array(0..<Int64(open)) && offset == Int64(open))
        #expect(try fetch(client, from: offset).committed.isEmpty)
      }
    }
  }

  /// Committed and aborted transactions are given up to the open one, with the aborted listed.
  @Test func endedTransactionsAreGivenAndTheAbortedListed() async throws {
    let batches = [
      KafkaBatch(["c"], at: 0, producerId: 1, sequence: 0, isTransactional: true),
      KafkaBatch(["x"], at: 1, producerId: 2, sequence: 0, isTransactional: true),
      KafkaBatch([], at: 2, producerId: 1, control: 1),
      KafkaBatch([], at: 3, producerId: 2, control: 0),
      KafkaBatch(["open"], at: 4, producerId: 1, sequence: 1, isTransactional: true),
      KafkaBatch(["d"], at: 5),
    ]
    let path = try store([batches])
    defer { TemporaryDirectory.remove(path) }
    try await TestBroker.with(path) { broker in
      let client = try broker.connect()
      let (partition, records) = try client.fetch(
        TestClient.fetchRequest("t", from: 0, isolationLevel: 1))
      #expect(baseOffsets(records) == [0, 1, 2, 3])
      let aborted = try #require(partition.abortedTransactions)
      #expect(aborted.map(\.producerId) == [2] && aborted.map(\.firstOffset) == [1])
    }
  }

  /// Snapshots that are missing, rotten or older than the transaction: the batches tell.
  @Test(arguments: ["none", "rotten", "empty at 0", "knows it"])
  func theEndDoesNotDependOnSnapshots(_ snapshot: String) async throws {
    let path = try store([[Self.openAtOne[0]], Array(Self.openAtOne[1...])])
    defer { TemporaryDirectory.remove(path) }
    let body = KafkaBatch.big(Int32(0))
    let empty = KafkaBatch.big(Int16(1)) + KafkaBatch.big(KafkaBatch.crc32c(body)) + body
    let producer =
      KafkaBatch.big(Int32(1)) + KafkaBatch.big(Int64(77)) + KafkaBatch.big(Int16(0))
      + KafkaBatch.big(Int32(0)) + KafkaBatch.big(Int64(1)) + KafkaBatch.big(Int32(0))
      + KafkaBatch.big(Int64(1_700_000_000_000)) + KafkaBatch.big(Int32(-1))
      + KafkaBatch.big(Int64(1))
    let knowing =
      KafkaBatch.big(Int16(1)) + KafkaBatch.big(KafkaBatch.crc32c(producer)) + producer
    let content: [String: (offset: Int, bytes: [UInt8])] = [
      "rotten": (3, knowing.dropLast() + [7]), "empty at 0": (1, empty), "knows it": (3, knowing),
    ]
    if let (offset, bytes) = content[snapshot] {
      let name = String(repeating: "0", count: 19) + "\(offset).snapshot"
      try Data(bytes).write(to: URL(filePath: "\(path)/t-0/\(name)"))
    }
    try await TestBroker.with(path) { broker in
      let client = try broker.connect()
      let found = try fetch(client, from: 0)
      #expect(found.committed == [0] && found.lastStable == 1)
      // What is appended after the open transaction waits behind it.
      #expect(try client.produce("t", try TestBatch.make(["later"])).errorCode == .none)
      let later = try fetch(client, from: 1)
      #expect(later.committed.isEmpty && later.lastStable == 1)
    }
  }

  /// The log's start was moved past the first record of the open transaction.
  @Test func aStartWithinTheOpenTransactionIsTheLastStableOffset() async throws {
    let batches =
      Self.openAtOne + [
        KafkaBatch(["o"], at: 3, producerId: 77, sequence: 1, isTransactional: true)
      ]
    let path = try store([batches])
    defer { TemporaryDirectory.remove(path) }
    try Data("0\n1\nt 0 2\n".utf8).write(
      to: URL(filePath: "\(path)/log-start-offset-checkpoint"))
    try await TestBroker.with(path) { broker in
      let client = try broker.connect()
      let found = try fetch(client, from: 2)
      #expect(found.committed.isEmpty && found.all == [2, 3] && found.lastStable == 2)
      #expect(try latest(client, isolation: 1) == 2)
    }
  }

  /// Gaps of compaction around the first record of the open transaction.
  @Test func gapsAroundTheLastStableOffsetAreBridged() async throws {
    let batches = [
      KafkaBatch(["a"], at: 0), KafkaBatch(["b"], at: 7),
      KafkaBatch(["open"], at: 20, producerId: 5, sequence: 3, isTransactional: true),
      KafkaBatch(["c"], at: 40),
    ]
    let path = try store([batches])
    defer { TemporaryDirectory.remove(path) }
    try await TestBroker.with(path) { broker in
      let client = try broker.connect()
      #expect(try fetch(client, from: 0).committed == [0, 7])
      #expect(try fetch(client, from: 1).committed == [7])
      for offset: Int64 in 8...20 { #expect(try fetch(client, from: offset).committed.isEmpty) }
      #expect(try fetch(client, from: 8).lastStable == 20)
    }
  }

  /// A damaged batch before, at or behind the last stable offset: nothing beyond it is given.
  @Test(arguments: 0..<4)
  func damageShowsNothingOfTheOpenTransaction(_ damaged: Int) async throws {
    var batches = [
      KafkaBatch(["a"], at: 0),
      KafkaBatch(["open"], at: 1, producerId: 77, sequence: 0, isTransactional: true),
      KafkaBatch(["open too"], at: 2, producerId: 77, sequence: 1, isTransactional: true),
      KafkaBatch(["b"], at: 3),
    ]
    batches[damaged].bytes[batches[damaged].bytes.count - 2] ^= 1
    let path = try store([batches])
    defer { TemporaryDirectory.remove(path) }
    try await TestBroker.with(path) { broker in
      let client = try broker.connect()
      for offset: Int64 in 0..<4 {
        let (partition, records) = try client.fetch(
          TestClient.fetchRequest("t", from: offset, isolationLevel: 1))
        let found = baseOffsets(records)
        #expect(found.allSatisfy { $0 < 1 }, "\(found)")
        if offset == 0, damaged != 0 { #expect(found == [0]) }
        if offset == 0, damaged == 0 { #expect(partition.errorCode != .none) }
      }
    }
  }

  // MARK: Waiting

  /// Nothing that is appended moves the last stable offset: the fetch sleeps until its deadline.
  @Test func aFetchAtTheLastStableOffsetSleepsUntilItsDeadline() async throws {
    let path = try store([Self.openAtOne])
    defer { TemporaryDirectory.remove(path) }
    try await TestBroker.with(path) { broker in
      let reader = try broker.connect()
      let writer = try broker.connect()
      let log = try #require(broker.server.broker.log("t", 0))
      // Reads the state of producers, so that the fetch parks at once.
      #expect(try log.lastStableOffset == 1)
      let begun = ContinuousClock.now
      try reader.send(
        .fetch(TestClient.fetchRequest("t", from: 1, maxWaitMs: 600, isolationLevel: 1)),
        version: 12)
      for _ in 0..<20 {
        #expect(try writer.produce("t", try TestBatch.make(["x"])).errorCode == .none)
      }
      let (partition, records) = try reader.takeFetch()
      #expect(records.isEmpty && partition.errorCode == .none)
      #expect(partition.lastStableOffset == 1)
      #expect(ContinuousClock.now - begun >= .milliseconds(590))
    }
  }

  /// Without an open transaction it is woken like any other.
  @Test func aFetchOfCommittedRecordsIsWokenByTheAppend() async throws {
    try await TestBroker.with { broker in
      let reader = try broker.connect()
      let writer = try broker.connect()
      try writer.create("t")
      let begun = ContinuousClock.now
      try reader.send(
        .fetch(TestClient.fetchRequest("t", from: 0, maxWaitMs: 15_000, isolationLevel: 1)),
        version: 12)
      #expect(try writer.produce("t", try TestBatch.make(["woken"])).errorCode == .none)
      #expect(try values(of: try reader.takeFetch().records) == ["woken"])
      #expect(ContinuousClock.now - begun < .seconds(10))
    }
  }

  /// One that waits at the last stable offset is answered when its topic goes.
  @Test func aFetchThatWaitsForNothingIsAnsweredWhenItsTopicIsDeleted() async throws {
    let path = try store([Self.openAtOne])
    defer { TemporaryDirectory.remove(path) }
    try await TestBroker.with(path) { broker in
      let reader = try broker.connect()
      let admin = try broker.connect()
      let log = try #require(broker.server.broker.log("t", 0))
      try reader.send(
        .fetch(TestClient.fetchRequest("t", from: 1, maxWaitMs: Int32.max, isolationLevel: 1)),
        version: 12)
      let end = ContinuousClock.now + .seconds(20)
      while !log.acknowledgedEnd.hasCallbacks, ContinuousClock.now < end {
        _ = try admin.ask(.metadata(.with { $0.topics = [] }), version: 12)
      }
      _ = try admin.ask(
        .deleteTopics(.with { $0.topics = [.with { $0.name = "t" }] }), version: 6)
      #expect(try reader.takeFetch().partition.errorCode == .unknownTopicOrPartition)
    }
  }
}
