import DiskIO
import RecordFormat
import StoreTesting
import Testing

@testable import LogStore

/// A batch of `count` small records.
func sampleBatch(_ count: Int, timestamp: Int64 = 1_000, value: String = "value") -> [UInt8] {
  do {
    var builder = RecordBatchBuilder()
    for index in 0..<count {
      _ = try builder.append(
        timestamp: timestamp + Int64(index), key: nil, value: Array("\(value)-\(index)".utf8))
    }
    let sealed = try builder.finish()
    return sealed.indices.map { sealed[$0] }
  } catch {
    preconditionFailure("a sample batch cannot fail: \(error)")
  }
}

@Suite struct LogSmokeTests {
  @Test func appendedBatchesAreReadBackAfterReopening() throws {
    let disk = SimulatedDisk(seed: 1)
    var config = StoreConfig()
    config.createsStore = true
    config.startsFlusher = false
    config.log.segmentBytes = 2000
    let topic = try TopicPartition(topic: "a", partition: 0)
    let store = try LogManager.open("/data", config: config, disk: disk)
    let log = try store.createLog(topic)
    var expected: Int64 = 0
    for index in 0..<50 {
      var batch = sampleBatch(1 + index % 7)
      let result = try log.append(batch: &batch)
      #expect(result.baseOffset == expected)
      expected = result.lastOffset + 1
    }
    #expect(log.recoveryPoint == expected)
    try check(log, end: expected)
    try store.close()
    let again = try LogManager.open("/data", config: config, disk: disk)
    #expect(again.report.wasClean)
    try check(again.log(topic)!, end: expected)
    let killed = disk.kill()
    let third = try LogManager.open("/data", config: config, disk: killed)
    #expect(!third.report.wasClean)
    try check(third.log(topic)!, end: expected)
  }

  func check(_ log: Log, end: Int64) throws {
    #expect(log.logEndOffset == end)
    let reader = LogReader(log)
    var offset: Int64 = 0
    while let records = try reader.read(from: offset, maxBytes: 600) {
      #expect(records.baseOffset == offset)
      #expect(records.byteCount > 0)
      offset = records.nextOffset
    }
    #expect(offset == end)
    for offset in 0..<end {
      let reader = LogReader(log)
      let records = try #require(try reader.read(from: offset, maxBytes: 1))
      #expect(records.baseOffset <= offset && records.nextOffset > offset)
    }
  }

  /// Nobody can wait for what was not appended: it may never be.
  @Test func aFlushBeyondTheEndIsRefused() throws {
    let store = try CrashStore(SimulatedDisk(seed: 9), CrashStore.config())
    var model = LogModel()
    try store.append(SampleBatches.small[0], &model)
    let end = store.log.logEndOffset
    try store.log.waitFlushed(upTo: end)
    #expect(throws: LogError.self) { try store.log.waitFlushed(upTo: end + 1) }
  }
}
