import LogStore
import MkstoreProtocol
import MkstoreServer
import RecordFormat
import Testing

/// Which times of records are taken: Kafka's `LogValidator.validateTimestamp`.
struct TimestampTests {
  private static let nowMs: Int64 = 1_700_000_000_000

  /// A batch whose producer says that the broker set its time.
  private func stamped(_ times: [Int64], as timestamp: Int64) throws -> [UInt8] {
    var bytes = try TestBatch.make(times.map { ("\($0)", $0) })
    var editable = bytes.mutableSpan
    rewriteLogAppendTime(&editable, timestamp: timestamp)
    return bytes
  }

  /// Kafka 3.9.0 takes it, as measured, and clears the bit.
  @Test func theTypeLogAppendTimeIsTakenFromAClientsBatch() async throws {
    try await TestBroker.with { broker in
      let client = try broker.connect()
      try client.create("t")
      let result = try client.produce("t", try stamped([5, 9, 7], as: 1000))
      #expect(result.errorCode == .none)
      #expect(result.logAppendTimeMs == -1)
      let (_, records) = try client.fetch(TestClient.fetchRequest("t", from: 0))
      let batch = try RecordBatch(records.span)
      try batch.checkCRC()
      #expect(batch.header.timestampType == .createTime)
      #expect(batch.header.maxTimestamp == 9)
    }
  }

  @Test func whereTheBrokerStampsTheTypeIsTheBrokersToSet() async throws {
    try await TestBroker.with { broker in
      let client = try broker.connect()
      try client.create("stamped", configs: ["message.timestamp.type": "LogAppendTime"])
      try client.create("plain")
      let refused = try client.produce("stamped", try stamped([5], as: 1000))
      #expect(refused.errorCode == .invalidTimestamp)
      let timeless = try client.produce("plain", try stamped([5], as: -1))
      #expect(timeless.errorCode == .invalidTimestamp)
      let good = try TestBatch.make(["x"])
      #expect(try client.produce("stamped", good).baseOffset == 0)
      #expect(try client.produce("plain", good).baseOffset == 0)
    }
  }

  @Test func timesBeyondATopicsLimitsAreRefused() async throws {
    try await TestBroker.with(nowMs: { Self.nowMs }) { broker in
      let client = try broker.connect()
      var topicCount = 0
      func taken(_ configs: [String: String], _ times: [Int64]) throws -> [Bool] {
        topicCount += 1
        let topic = "t\(topicCount)"
        try client.create(topic, configs: configs)
        return try times.map { time in
          let at = time == -1 ? -1 : Self.nowMs + time
          let code = try client.produce(topic, try TestBatch.make(["x"], timestamp: at)).errorCode
          #expect(code == .none || code == .invalidTimestamp, "\(configs) \(time): \(code)")
          return code == .none
        }
      }
      let (before, after) = ("message.timestamp.before.max.ms", "message.timestamp.after.max.ms")
      let difference = "message.timestamp.difference.max.ms"
      // A record without a time is never judged.
      let times: [Int64] = [-1001, -1000, 0, 500, 501, -1]
      #expect(try taken([:], times) == [true, true, true, true, true, true])
      #expect(try taken([before: "1000"], times) == [false, true, true, true, true, true])
      #expect(try taken([after: "500"], times) == [true, true, true, true, false, true])
      #expect(try taken([difference: "500"], times) == [false, false, true, true, false, true])
      #expect(
        try taken([difference: "500", before: "1000"], times)
          == [false, true, true, true, false, true])
      let stamping = ["message.timestamp.type": "LogAppendTime", before: "0", after: "0"]
      #expect(try taken(stamping, times) == [true, true, true, true, true, true])
    }
  }

  @Test func oneRecordBeyondTheLimitsHasTheBatchRefused() async throws {
    try await TestBroker.with(nowMs: { Self.nowMs }) { broker in
      let client = try broker.connect()
      try client.create("t", configs: ["message.timestamp.before.max.ms": "1000"])
      let times = [Self.nowMs, Self.nowMs - 1001, Self.nowMs]
      let batch = try TestBatch.make(times.map { ("x", $0) }, compression: .zstd(level: 1))
      let result = try client.produce("t", batch)
      #expect(result.errorCode == .invalidTimestamp && result.baseOffset == -1)
      #expect(result.errorMessage?.contains("message.timestamp.before.max.ms") == true)
    }
  }
}
