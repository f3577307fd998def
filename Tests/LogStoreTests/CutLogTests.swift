import DiskIO
import RecordFormat
import Testing

@testable import LogStore

/// Another process cuts the segment that is appended to.
@Suite struct CutLogTests {
  /// What follows the hole is not acknowledged, and after an opening everything around it is there.
  @Test(arguments: [0, 8_192])
  func anAppendAfterACutIsNotAcknowledged(_ size: Int) throws {
    try withTemporaryDirectory { directory in
      let config = CrashStore.config(segmentBytes: 1 << 20)
      let store = try Store.openBlocking(directory, config: config, logger: .silent)
      let log = try store.createLogBlocking(TopicPartition(topic: "t", partition: 0))
      for number in 0..<40 {
        var batch = SampleBatches.make(number, records: 1, valueBytes: 600)
        _ = try log.appendBlocking(batch: &batch)
      }
      let path = log.store.state.segments[0].path(.log)
      let end = log.logEndOffset
      #expect(end == 40)
      try PosixDisk().open(path, .readWrite).truncate(to: size)
      var batch = SampleBatches.make(40, records: 1, valueBytes: 600)
      let error = #expect(throws: LogError.self) { try log.appendBlocking(batch: &batch) }
      guard case .poisoned(_, let cause) = error?.kind else {
        Issue.record("\(String(describing: error))")
        return
      }
      #expect(cause == .cutUnderWriter(path))
      #expect(throws: LogError.self) { try log.appendBlocking(batch: &batch) }
      #expect(throws: LogError.self) { try store.closeBlocking() }

      let again = try Store.openBlocking(directory, config: config, logger: .silent)
      let mended = try #require(again.logs.first)
      #expect(mended.logEndOffset >= end)
      #expect(!mended.damagedRanges.isEmpty)
      let whole = size / 700
      for offset in 0..<Int64(whole) {
        let found = try LogReader(mended).record(at: offset, limit: .logEnd)
        #expect(found?.offset == offset)
      }
      var next = SampleBatches.make(41, records: 1, valueBytes: 600)
      #expect(try mended.appendBlocking(batch: &next).baseOffset >= end)
      try again.closeBlocking()
    }
  }

  /// A log that was not cut is not suspected, whatever its bytes are.
  @Test func zerosAndRollsAreNoCut() throws {
    try withTemporaryDirectory { directory in
      var config = CrashStore.config(segmentBytes: 100_000)
      config.log.durability = .operatingSystem
      let store = try Store.openBlocking(directory, config: config, logger: .silent)
      let log = try store.createLogBlocking(TopicPartition(topic: "t", partition: 0))
      for number in 0..<12 {
        var batch = SampleBatches.sealed([
          (CrashStore.nowMs, [UInt8](repeating: 0, count: 10_000 + number * 3_000))
        ])
        _ = try log.appendBlocking(batch: &batch)
        if number % 3 == 0 { try log.flushBlocking() }
      }
      try log.flushBlocking()
      #expect(log.store.state.segments.count >= 3)
      try store.closeBlocking()
    }
  }
}
