import LogStore
import MkstoreProtocol
import MkstoreServer
import Testing

/// The wall clock may step: waits are measured by another clock, and nothing is lost or refused.
struct ClockTests {
  private static let yearMs: Int64 = 365 * 86_400_000

  @Test(arguments: [yearMs, -yearMs, 0]) func aStepOfTheClockIsSurvived(stepMs: Int64) async throws
  {
    let clock = Locked<Int64>(1_700_000_000_000)
    try await TestBroker.with(nowMs: { clock.withLock { $0 } }) { broker in
      let client = try broker.connect()
      try client.create("t")
      try client.create("stamped", configs: ["message.timestamp.type": "LogAppendTime"])
      let batch = try TestBatch.make(["x"])
      #expect(try client.produce("t", batch).errorCode == .none)
      #expect(try client.produce("stamped", batch).logAppendTimeMs == 1_700_000_000_000)

      // A long poll that waits while the clock steps is woken by records...
      let reader = try broker.connect()
      try reader.send(
        .fetch(TestClient.fetchRequest("t", from: 1, maxWaitMs: 15_000)), version: 12)
      // ... and an empty one ends after the time that it was given, neither at once nor never.
      let waiter = try broker.connect()
      let begun = ContinuousClock.now
      try waiter.send(
        .fetch(TestClient.fetchRequest("stamped", from: 1, maxWaitMs: 300)), version: 12)
      clock.withLock { $0 += stepMs }
      #expect(try waiter.takeFetch().records.isEmpty)
      #expect(ContinuousClock.now - begun >= .milliseconds(295))

      #expect(try client.produce("t", batch).baseOffset == 1)
      #expect(try values(of: reader.takeFetch().records) == ["x"])
      let stamped = try client.produce("stamped", batch)
      #expect(stamped.logAppendTimeMs == 1_700_000_000_000 + stepMs)
      #expect(stamped.baseOffset == 1)
      for offset: Int64 in 0..<2 {
        let found = try client.fetch(TestClient.fetchRequest("stamped", from: offset))
        #expect(try values(of: found.records).first == "x", "\(offset)")
      }
    }
  }

  /// Segments are as old as the clock says: a step forward rolls once, a step back never.
  @Test func aStepRollsAtMostOnce() async throws {
    let clock = Locked<Int64>(1_700_000_000_000)
    var log = LogConfig()
    log.segmentMs = 60_000
    try await TestBroker.with(log: log, nowMs: { clock.withLock { $0 } }) { broker in
      let client = try broker.connect()
      try client.create("t")
      for stepMs in [0, Self.yearMs, 0, -2 * Self.yearMs, 0, 0] {
        clock.withLock { $0 += stepMs }
        #expect(try client.produce("t", try TestBatch.make(["x"])).errorCode == .none)
      }
      #expect(try #require(broker.server.broker.log("t", 0)).segmentInfo().count == 2)
      let all = try client.fetch(TestClient.fetchRequest("t", from: 5))
      #expect(try values(of: all.records) == ["x"])
    }
  }
}
