import Glibc
import RecordFormat
import StoreTesting
import Synchronization
import Testing

@testable import LogStore

/// Appenders and readers at once, for ThreadSanitizer too.
///
/// Serialized: it takes two stores made at once for a race on `SystemRandomNumberGenerator`, which
/// has no bytes to race on.
@Suite(.serialized) struct ConcurrentUseTests {
  private static let perAppender = 300

  private func open(_ durability: Durability) throws -> (SimulatedDisk, Store, Log) {
    let disk = SimulatedDisk(seed: 77)
    var config = StoreConfig()
    config.createsStore = true
    config.log.durability = durability
    config.log.segmentBytes = 4_000
    config.log.indexIntervalBytes = 200
    let store = try Store.openBlocking("/data", config: config, disk: disk)
    return (disk, store, try store.createLogBlocking(try TopicPartition(topic: "c", partition: 0)))
  }

  /// A value that says who appended it and as which.
  private static func value(_ appender: Int, _ number: Int) -> [UInt8] {
    Array("\(appender):\(number)".utf8)
  }

  private static func append(_ log: Log, _ appender: Int) throws(LogError) {
    for number in 0..<perAppender {
      let record = Record(
        offset: 0, timestamp: Int64(number), key: nil, value: value(appender, number))
      try log.appendBlocking([NewRecord(record)])
    }
  }

  /// Reads from the start until `count` records came; returns them in order.
  private static func follow(_ log: Log, _ count: Int, _ limit: LogReader.Limit)
    throws(LogError) -> [[UInt8]]
  {
    let reader = LogReader(log)
    var seen: [[UInt8]] = []
    var offset: Int64 = 0
    while seen.count < count {
      _ = try reader.waitBlocking(for: offset, limit: limit, timeoutMs: 10_000)
      offset = try reader.forEachRecord(from: offset, maxBytes: 700, limit: limit) {
        (record) throws(LogError) in
        var value: [UInt8] = []
        if let bytes = record.value { for index in bytes.indices { value.append(bytes[index]) } }
        seen.append(value)
        return true
      }
    }
    return seen
  }

  /// Two appenders and two readers: every record once, each appender's in its order, the same to
  /// both readers, through many rolls; and one flush served many appends.
  @Test(arguments: [Durability.flushed, .operatingSystem])
  func concurrentAppendersAndReadersAgree(_ durability: Durability) throws {
    let (disk, store, log) = try open(durability)
    let total = 2 * Self.perAppender
    let limits: [LogReader.Limit] = [.logEnd, .highWatermark]
    let outcomes = WorkerThreads.map(jobCount: 4, threadCount: 4) { job in
      Result { () throws(LogError) -> [[UInt8]] in
        if job < 2 {
          try Self.append(log, job)
          return []
        }
        return try Self.follow(log, total, limits[job - 2])
      }
    }
    _ = try outcomes[0].get()
    _ = try outcomes[1].get()
    let seen = try outcomes[2].get()
    let seenByOther = try outcomes[3].get()
    #expect(seen.count == total)
    #expect(seen == seenByOther)
    for appender in 0..<2 {
      let own = seen.filter { $0.starts(with: Array("\(appender):".utf8)) }
      #expect(own == (0..<Self.perAppender).map { Self.value(appender, $0) })
    }
    #expect(log.store.state.segments.count > 5)
    try log.flushBlocking()
    // What was acknowledged as durable survives the loss of all that was not synced.
    let after = disk.crash(.loseAllUnsynced)
    var config = StoreConfig()
    config.startsFlusher = false
    let again = try Store.openBlocking("/data", config: config, disk: after)
    let reopened = try #require(again.log(log.topicPartition))
    #expect(reopened.logEndOffset == Int64(total))
    try store.closeBlocking()
  }

  /// Several threads append the first records of a session at once: one begins it, and the others,
  /// however late they see that, go on with it.
  @Test func firstAppendsBeginOneSessionConcurrently() throws {
    let (_, store, _) = try open(.operatingSystem)
    for round in 0..<100 {
      let log = try store.createLogBlocking(TopicPartition(topic: "first", partition: Int32(round)))
      let outcomes = WorkerThreads.map(jobCount: 4, threadCount: 4) { job in
        Result { () throws(LogError) in
          for number in 0..<4 {
            let value = Self.value(job, number)
            try log.appendBlocking([NewRecord(value: value)])
          }
        }
      }
      for outcome in outcomes { try outcome.get() }
      #expect(log.logEndOffset == 16)
    }
    try store.closeBlocking()
  }

  /// The periodic checkpoints and those of a deletion may fall together: each is whole, and none is
  /// of an older state than the one before.
  @Test func checkpointsAreWrittenOneAfterTheOtherConcurrently() throws {
    let (_, store, log) = try open(.flushed)
    try log.appendBlocking([NewRecord(value: [UInt8(1)])])
    let failures = Locked<[String]>([])
    _ = WorkerThreads.map(jobCount: 4, threadCount: 4) { _ in
      for _ in 0..<100 {
        do {
          try store.writeCheckpoints()
        } catch {
          failures.withLock { $0.append("\(error)") }
        }
      }
    }
    #expect(failures.withLock { $0.first } == nil)
    try store.closeBlocking()
  }
}
