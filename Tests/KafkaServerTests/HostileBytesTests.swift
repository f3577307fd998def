import MkstoreProtocol
import MkstoreServer
import Testing

/// Bytes that no Kafka client sends: the connection ends, and no other is disturbed (P25).
struct HostileBytesTests {
  private static let hostile: [(name: String, bytes: [UInt8])] = [
    ("HTTP", Array("GET / HTTP/1.1\r\nHost: x\r\n\r\n".utf8)),
    ("TLS", [0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3]),
    ("oversized", [0x7f, 0xff, 0xff, 0xff]),
    ("negative", [0xff, 0xff, 0xff, 0xff]),
    ("empty", [0, 0, 0, 0]),
    ("unknown API", [0, 0, 0, 12, 3, 0xe7, 0, 0, 0, 0, 0, 1, 0, 2, 0x68, 0x69]),
    ("unknown version", [0, 0, 0, 12, 0, 3, 0, 99, 0, 0, 0, 1, 0, 2, 0x68, 0x69]),
    ("cut body", [0, 0, 0, 12, 0, 1, 0, 12, 0, 0, 0, 1, 0, 2, 0x68, 0x69]),
  ]

  @Test(arguments: hostile.indices) func theConnectionEndsAndOthersGoOn(index: Int) async throws {
    try await TestBroker.with { broker in
      let witness = try broker.connect()
      try witness.create("t")
      let client = try broker.connect()
      try client.send(Self.hostile[index].bytes)
      #expect(client.isClosedByServer(), "\(Self.hostile[index].name)")
      #expect(try witness.produce("t", try TestBatch.make(["x"])).errorCode == .none)
    }
  }

  @Test func halfARequestWaitsAndHurtsNobody() async throws {
    try await TestBroker.with { broker in
      let half = try broker.connect()
      try half.send([0, 0, 4, 0, 0, 3])
      let witness = try broker.connect()
      try witness.create("t")
      #expect(try witness.produce("t", try TestBatch.make(["x"])).errorCode == .none)
    }
  }

  @Test func requestsByteByByteAreAnswered() async throws {
    try await TestBroker.with { broker in
      let client = try broker.connect()
      let request = try Request(
        version: 12, correlationId: 7, clientId: nil, body: .metadata(MetadataRequest())
      ).encode().bytes
      for byte in request { try client.send([byte]) }
      #expect(try client.takeAnswer(.metadata, version: 12).response.correlationId == 7)
    }
  }

  @Test func connectionsBeyondTheLimitAreRefused() async throws {
    let heard = CapturedLog()
    try await TestBroker.with(configure: { $0.connectionsMax = 2 }, heardBy: heard) { broker in
      let first = try broker.connect()
      let second = try broker.connect()
      try first.create("a")
      try second.create("b")
      for _ in 0..<20 { #expect(try broker.connect().isClosedByServer()) }
      try first.create("c")
      #expect(heard.lines.filter { $0.contains("refused") }.count == 1, "\(heard.lines)")
    }
  }

  /// Who goes away within a request is told of, the next one in the count; who goes between two is
  /// not.
  @Test func aRequestThatIsCutOffIsSaid() async throws {
    let heard = CapturedLog()
    try await TestBroker.with(heardBy: heard) { broker in
      let witness = try broker.connect()
      for bytes: [UInt8] in [[0, 0], [0, 0, 4, 0, 0, 3]] {
        let client = try broker.connect()
        try client.send(bytes)
        client.finishSending()
        #expect(client.isClosedByServer())
      }
      try witness.create("t")
    }
    let said = heard.lines.filter { $0.contains("within a request") }
    #expect(
      said == [
        "info connection ended within a request: 2 bytes came of an unknown number",
        "info connection ended within a request: 2 bytes came of an unknown number"
          + " (and 1 more since the last such line)",
      ], "\(heard.lines)")
  }
}
