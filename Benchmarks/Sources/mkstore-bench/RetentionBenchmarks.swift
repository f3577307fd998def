import Glibc
import LogStore
import RecordFormat

/// Processor time of one check of what retention deletes, in a store where nothing is due.
func retentionRows(_ scale: Scale) -> [Row] {
  let count = scale.count(10_000)
  return [
    Row(
      name: "retention check, \(count) logs, nothing due", unit: "checks/s",
      goal: ">= 20 (50 ms)",
      ours: {
        let path = try storeOfManyLogs(count)
        var config = StoreConfig()
        config.retentionCheckIntervalMs = 1_000
        config.checkpointIntervalMs = 600_000
        let store = try Store.openBlocking(path, config: config)
        precondition(store.logs.count == count)
        // The first check, a second after the start, looks at every log.
        usleep(2_500_000)
        let start = processorSeconds()
        usleep(3_000_000)
        let seconds = processorSeconds() - start
        try store.closeBlocking()
        removeTree(path)
        return Pass(seconds: seconds, units: 3)
      },
      ceiling: nil, passes: 1)
  ]
}

private func processorSeconds() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

/// A closed store of logs with three segments each and settings of their own.
private func storeOfManyLogs(_ count: Int) throws -> String {
  let path = "\(benchDirectory)/retention-\(count)"
  removeTree(path)
  var config = StoreConfig()
  config.log.durability = .operatingSystem
  config.log.segmentBytes = 300
  config.log.segmentIndexBytes = 4096
  let settings = try TopicConfig(["retention.ms": "604800000", "retention.bytes": "1000000000"])
  var now = timespec()
  clock_gettime(CLOCK_REALTIME, &now)
  let record = NewRecord(
    value: [UInt8](repeating: 0x61, count: 150),
    time: Timestamp(millisecondsSince1970: Int64(now.tv_sec) * 1_000))
  // Each log that is written to holds two descriptors.
  for first in stride(from: 0, to: count, by: 2_000) {
    let store = try Store.openBlocking(path, .createIfMissing, config: config)
    for partition in first..<min(count, first + 2_000) {
      let log = try store.createLogBlocking(
        TopicPartition(topic: "t", partition: Int32(partition)), overrides: settings)
      for _ in 0..<3 { _ = try log.appendBlocking([record]) }
    }
    try store.closeBlocking()
  }
  return path
}
