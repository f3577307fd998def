import DiskIO
import LogStore
import MkstoreProtocol
import MkstoreServer
import StoreTesting
import Testing

/// A disk without room: what clients and operators are told.
struct FullDiskTests {
  @Test func theLogSaysOnceThatProduceIsRefused() async throws {
    let disk = SimulatedDisk(seed: 1)
    let captured = CapturedLog()
    try await TestBroker.with("/data", disk: disk, heardBy: captured) { broker in
      let client = try broker.connect()
      try client.create("t")
      let batch = try TestBatch.make([String(repeating: "x", count: 9_000)])
      #expect(try client.produce("t", batch).errorCode == .none)
      // No page more than is in use.
      disk.capacityBytes = 1 << 30
      disk.capacityBytes = (1 << 30) - Int(try disk.space("/data").availableBytes)
      #expect(try disk.space("/data").availableBytes == 0)
      let before = captured.lines.count
      for _ in 0..<5 { #expect(try client.produce("t", batch).errorCode == .kafkaStorageError) }
      let said = captured.lines.dropFirst(before).filter { $0.contains("disk full") }
      #expect(said.count == 1, "\(captured.lines)")
      #expect(said.first?.hasPrefix("error produce is refused") == true)
      let (_, records) = try client.fetch(TestClient.fetchRequest("t", from: 0))
      #expect(try values(of: records).count == 1)
      disk.capacityBytes = nil
      #expect(try client.produce("t", batch).baseOffset == 1)
    }
  }
}
