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
    let store = try Store.openBlocking("/data", config: config, disk: disk)
    let log = try store.createLogBlocking(topic)
    var expected: Int64 = 0
    for index in 0..<50 {
      var batch = sampleBatch(1 + index % 7)
      let result = try log.appendBlocking(batch: &batch)
      #expect(result.baseOffset == expected)
      expected = result.lastOffset + 1
    }
    #expect(log.recoveryPoint == expected)
    try check(log, end: expected)
    try store.closeBlocking()
    let again = try Store.openBlocking("/data", config: config, disk: disk)
    #expect(again.report.wasClean)
    try check(again.log(topic)!, end: expected)
    let killed = disk.kill()
    let third = try Store.openBlocking("/data", config: config, disk: killed)
    #expect(!third.report.wasClean)
    try check(third.log(topic)!, end: expected)
  }

  /// The time of a record is any 64-bit number but -1, which means now.
  @Test func recordsOfBefore1970KeepTheirTime() throws {
    let disk = SimulatedDisk(seed: 1)
    var config = StoreConfig()
    config.createsStore = true
    config.startsFlusher = false
    let store = try Store.openBlocking("/data", config: config, disk: disk)
    let log = try store.createLogBlocking(try TopicPartition(topic: "a", partition: 0))
    let times: [Int64] = [.min, -62_135_596_800_000, -2, -1]
    for time in times {
      try log.appendBlocking([
        NewRecord(value: "a", time: Timestamp(millisecondsSince1970: time))
      ])
    }
    var found: [Int64] = []
    let reader = LogReader(log)
    for offset in 0..<Int64(times.count) {
      found.append(try #require(try reader.record(at: offset)).timestamp)
    }
    #expect(found.dropLast() == times.dropLast())
    #expect(found.last ?? -1 >= 0)
    let tooFar = [0, Int64.min].map { Record(offset: 0, timestamp: $0, key: nil, value: nil) }
    do {
      try log.appendBlocking(tooFar.reversed().map { NewRecord($0) })
      Issue.record("one batch cannot hold these times")
    } catch {
      #expect("\(error)".contains("append the records in two batches"), "\(error)")
    }
    #expect(log.logEndOffset == Int64(times.count))
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
    try store.log.waitUntilDurableBlocking(upTo: end)
    #expect(throws: LogError.self) { try store.log.waitUntilDurableBlocking(upTo: end + 1) }
  }
}
