import Glibc
import LogStore

/// Many small records from many tasks: few batches, few syncs, and a bound on memory.
func batching(_ store: Store) async throws {
  let readings = try await store.log("readings", .createIfMissing)
  let before = readings.logEndOffset
  let appender = BatchingAppender(readings, pendingBytesMax: 1 << 20)
  try await withThrowingTaskGroup(of: Void.self) { group in
    for sensor in 0..<50 {
      group.addTask {
        for value in 0..<20 {
          try await appender.append(NewRecord(key: "sensor \(sensor)", value: "\(value)"))
        }
      }
    }
    try await group.waitForAll()
  }
  print("batching: \(readings.logEndOffset - before) records")

  // Several logs, one wait: what was written to both is durable after it.
  let alarms = try await store.log("alarms", .createIfMissing)
  try await alarms.append([NewRecord(value: "sensor 7 is hot")])
  try await store.waitUntilDurable([readings, alarms])
}

/// Batches from the file to a socket by sendfile, each byte checked once. Blocks: on a thread of
/// its own, never on the pool that tasks run on.
func zeroCopy(_ store: Store) async throws {
  let log = try await store.log("readings")
  var ends: [Int32] = [-1, -1]
  guard unsafe socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0 else { return }
  defer { ends.forEach { close($0) } }
  let reader = LogReader(log)
  guard let records = try reader.read(from: log.logStartOffset, maxBytes: 4096) else { return }
  var sent = 0
  while sent < records.byteCount { sent += try records.send(to: ends[0], skipping: sent) }
  print("zeroCopy: \(sent == records.byteCount ? "all" : "not all") bytes were sent")
}
