import DiskIO
import Glibc
import LogStore
import MkstoreProtocol
import MkstoreServer
import StoreTesting
import Synchronization
import Testing

/// Whoever reaches the port, and a disk that stays as it is, make no more than a line a minute of
/// each kind.
struct LogLineTests {
  private static let connectionCount = 12

  /// What a client does on a connection of its own, over and over.
  private struct Misdeed: Sendable, CustomTestStringConvertible {
    var name: String
    var bytes: [UInt8]
    var isHangUp = false

    var testDescription: String { name }
  }

  private static let misdeeds: [Misdeed] = [
    Misdeed(name: "HTTP", bytes: Array("GET / HTTP/1.1\r\n\r\n".utf8)),
    Misdeed(name: "TLS", bytes: [0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3]),
    Misdeed(name: "frame size", bytes: [0x7f, 0xff, 0xff, 0xff]),
    Misdeed(name: "no frame size", bytes: [0xff, 0xff, 0xff, 0xff]),
    Misdeed(
      name: "unknown API",
      bytes: [0, 0, 0, 12, 3, 0xe7, 0, 0, 0, 0, 0, 1, 0, 2, 0x68, 0x69]),
    Misdeed(
      name: "unknown version", bytes: [0, 0, 0, 12, 0, 3, 0, 99, 0, 0, 0, 1, 0, 2, 0x68, 0x69]),
    Misdeed(
      name: "cut body", bytes: [0, 0, 0, 12, 0, 1, 0, 12, 0, 0, 0, 1, 0, 2, 0x68, 0x69]),
    Misdeed(name: "a part of a request", bytes: [0, 0, 4, 0, 0, 3], isHangUp: true),
  ]

  @Test(arguments: misdeeds)
  private func aKindOfRefusedConnectionIsALineAMinute(_ misdeed: Misdeed) async throws {
    let heard = CapturedLog()
    let nowNs = Atomic<Int64>(0)
    try await TestBroker.with(
      monotonicNs: { nowNs.load(ordering: .sequentiallyConsistent) }, heardBy: heard
    ) { broker in
      func misbehave(_ count: Int) throws {
        for _ in 0..<count {
          let client = try broker.connect()
          try client.send(misdeed.bytes)
          if misdeed.isHangUp { client.finishSending() }
          #expect(client.isClosedByServer())
        }
        // The connections' loops are done with them.
        let witness = try broker.connect()
        _ = try witness.ask(.metadata(.with { $0.topics = [] }), version: 12)
      }
      try misbehave(Self.connectionCount)
      #expect(heard.lines.count == 1, "\(heard.lines)")
      nowNs.store(60_000_000_000, ordering: .sequentiallyConsistent)
      try misbehave(1)
      let expected = "(and \(Self.connectionCount - 1) more since the last such line)"
      #expect(heard.lines.count == 2 && heard.lines[1].hasSuffix(expected), "\(heard.lines)")
    }
    #expect(heard.lines.count == 2, "\(heard.lines)")
  }

  @Test func failuresOfProduceWithoutAcksAreALineAMinute() async throws {
    let heard = CapturedLog()
    try await TestBroker.with(heardBy: heard) { broker in
      let batch = try TestBatch.make(["x"])
      for _ in 0..<Self.connectionCount {
        let client = try broker.connect()
        try client.send(
          TestClient.produceRequest("missing", acks: 0, byteCount: batch.count), version: 9,
          records: batch)
        #expect(client.isClosedByServer())
      }
      #expect(heard.lines.count == 1, "\(heard.lines)")
      #expect(heard.lines[0].contains("acks 0"))
    }
    #expect(heard.lines.count == 2 && heard.lines[1].contains("11 more"), "\(heard.lines)")
  }

  /// Without an inode or a block for a new segment each produce is refused; topics can go.
  @Test(arguments: [ENOSPC, EDQUOT, EFBIG])
  func refusedProduceIsALineAMinuteAndTopicsCanBeDeleted(code: Int32) async throws {
    let disk = SimulatedDisk(seed: 1)
    let heard = CapturedLog()
    var config = LogConfig()
    config.segmentBytes = 2_000
    try await TestBroker.with("/data", log: config, disk: disk, heardBy: heard) { broker in
      let client = try broker.connect()
      try client.create("t")
      let batch = try TestBatch.make([String(repeating: "x", count: 900)])
      #expect(try client.produce("t", batch).errorCode == .none)
      #expect(try client.produce("t", batch).errorCode == .none)
      let before = heard.lines.count
      disk.plan(FaultPlan(.error(code), at: 1, isForEver: true, operations: [.create]))
      for _ in 0..<20 { #expect(try client.produce("t", batch).errorCode == .kafkaStorageError) }
      #expect(disk.faultFired)
      let said = heard.lines.dropFirst(before)
      #expect(said.count == 1 && said.first?.contains("produce is refused") == true, "\(said)")
      let answer = try client.ask(
        .deleteTopics(.with { $0.topics = [.with { $0.name = "t" }] }), version: 6)
      let body = try answer.body(as: DeleteTopicsResponse.self)
      #expect(body.responses[0].errorCode == .none)
      disk.removeFaults()
      try client.create("t")
      #expect(try client.produce("t", batch).baseOffset == 0)
    }
  }

  /// A file that grew to the limit of the process (`ulimit -f`) is refused like a full disk.
  @Test func aWriteBeyondTheLimitOfFileSizesIsAStorageErrorThatPasses() async throws {
    let disk = SimulatedDisk(seed: 1)
    let heard = CapturedLog()
    try await TestBroker.with("/data", disk: disk, heardBy: heard) { broker in
      let client = try broker.connect()
      try client.create("t")
      let batch = try TestBatch.make(["x"])
      #expect(try client.produce("t", batch).errorCode == .none)
      disk.plan(
        FaultPlan(.error(EFBIG), at: 1, isForEver: true, operations: [.write], pathSuffix: ".log"))
      for _ in 0..<5 { #expect(try client.produce("t", batch).errorCode == .kafkaStorageError) }
      #expect(disk.faultFired)
      #expect(heard.lines.count { $0.contains("file too large") } == 1, "\(heard.lines)")
      disk.removeFaults()
      #expect(try client.produce("t", batch).baseOffset == 1)
    }
  }
}
