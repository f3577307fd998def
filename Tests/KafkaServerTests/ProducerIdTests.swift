import DiskIO
import KafkaProtocol
import KafkaServer
import LogStore
import RecordFormat
import Testing

/// Producer ids: given out once each, whatever ids clients make up.
struct ProducerIdTests {
  /// A client may say that its id is any; what it says takes no id from others.
  @Test(arguments: [Int64.max, Int64.max - 500, 1 << 62])
  func anIdThatNobodyGaveOutTakesNoneFromOthers(_ producerId: Int64) async throws {
    try await TestBroker.with { broker in
      let client = try broker.connect()
      try client.create("t")
      for id in [producerId, 41] {
        let batch = try TestBatch.make(
          ["x"], options: BatchOptions(producerId: id, producerEpoch: 0, baseSequence: 0))
        #expect(try client.produce("t", batch).errorCode == .none)
      }
      let answer = try client.ask(.initProducerId(InitProducerIdRequest()), version: 4)
      let body = try answer.body(as: InitProducerIdResponse.self)
      #expect(body.errorCode == .none)
      #expect(body.producerId == 42)
    }
  }

  @Test(arguments: ["9223372036854775807", "9223372036854775000", "-1", "x"])
  func aFileThatLeavesNoIdsIsRefused(_ next: String) throws {
    let path = TemporaryDirectory.make()
    defer { TemporaryDirectory.remove(path) }
    var config = StoreConfig()
    config.createsStore = true
    let manager = try LogManager.open(path, config: config)
    let text = "version: 0\nnext_producer_id: \(next)\n"
    try PosixDisk().open("\(path)/\(ProducerIds.fileName)", .create)
      .write(Array(text.utf8).span, at: 0)
    #expect(throws: ServerError.self) { _ = try ProducerIds(manager) }
    try manager.close()
  }
}
