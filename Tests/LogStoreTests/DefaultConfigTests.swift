import DiskIO
import Logging
import RecordFormat
import StoreTesting
import Testing

@testable import LogStore

/// A store with every setting at its default, and threads of its own, on a simulated disk.
@Suite struct DefaultConfigTests {
  /// The default but for the clock, which a test moves.
  private static func config(mapsIndexes: Bool, _ clock: Locked<Int64>) -> StoreConfig {
    var config = StoreConfig()
    config.createsStore = true
    config.mapsIndexes = mapsIndexes
    config.nowMs = { clock.withLock { $0 } }
    return config
  }

  /// Appends of several tasks, rolls after a week, power cuts, recovery: 19 MB in three segments.
  @Test(.timeLimit(.minutes(2)), arguments: [false, true])
  func aStoreRollsCrashesAndRecovers(mapsIndexes: Bool) async throws {
    let clock = Locked<Int64>(1_700_000_000_000)
    let config = Self.config(mapsIndexes: mapsIndexes, clock)
    let disk = SimulatedDisk(seed: 3)
    let store = try Store.openBlocking("/store", config: config, disk: disk, logger: .silent)
    let name = try TopicPartition(topic: "t", partition: 0)
    let log = try store.createLogBlocking(name)
    for week in 0..<3 {
      try await withThrowingTaskGroup(of: Void.self) { group in
        for task in 0..<4 {
          group.addTask {
            for number in 0..<40 {
              let records = sampleRecords(week * 1_000 + task * 100 + number, valueBytes: 40_000)
              try await log.append(records.map { NewRecord($0) })
            }
          }
        }
        try await group.waitForAll()
      }
      clock.withLock { $0 += config.log.segmentMs + 1 }
    }
    #expect(log.store.state.segments.count == 3)
    let end = log.logEndOffset
    #expect(try readAll(log) == end)

    // A reader maps its own, smaller indexes beside those of the writer.
    let beside = try Log.openReadOnlyBlocking("/store/t-0", disk: disk, logger: .silent)
    #expect(try readAll(beside) == end)

    for mode in [CrashMode.loseAllUnsynced, .keepAll, .random(seed: 1), .random(seed: 2)] {
      let after = disk.crash(mode)
      let again = try Store.openBlocking("/store", config: config, disk: after, logger: .silent)
      let found = try #require(again.log(name))
      #expect(found.logEndOffset == end, "\(mode)")
      #expect(try readAll(found) == end, "\(mode)")
      try await found.append(sampleRecords(9_999, valueBytes: 10).map { NewRecord($0) })
      try again.closeBlocking()
    }
    try store.closeBlocking()
  }

  /// A file of a GiB costs what was written to it, whatever is done with it.
  @Test(.timeLimit(.minutes(1))) func aLargeSparseFileIsCheap() throws {
    let disk = SimulatedDisk(seed: 4)
    let file = try disk.open("/large", .create)
    try file.truncate(to: 1 << 30)
    for step in 0..<2_000 {
      try file.write([UInt8(truncatingIfNeeded: step)].span, at: step << 19)
      if step % 2 == 0 { try file.sync() }
    }
    try disk.syncDirectory("/")
    #expect(disk.unsyncedItems.count == 1)
    let after = disk.crash(.keepAll)
    let reopened = try after.open("/large", .read)
    #expect(try reopened.size() == 1 << 30)
    var byte: [UInt8] = [0]
    var target = byte.mutableSpan
    _ = try reopened.read(into: &target, at: 1_999 << 19)
    #expect(byte == [UInt8(truncatingIfNeeded: 1_999)])
    #expect(reopened.firstHole(from: 1_999 << 19) == (1_999 << 19) + 4_096)
  }

  /// The end of the records that were read; every offset below it was met.
  private func readAll(_ log: Log) throws -> Int64 {
    let reader = LogReader(log)
    var expected: Int64 = 0
    while expected < log.logEndOffset {
      let before = expected
      _ = try reader.forEachRecord(from: expected) { (record) throws(LogError) in
        #expect(record.offset == expected)
        expected += 1
        return true
      }
      if expected == before { break }
    }
    return expected
  }
}

/// One record whose bytes differ from those of every other `number`.
private func sampleRecords(_ number: Int, valueBytes: Int) -> [Record] {
  var generator = SeededGenerator(seed: UInt64(number))
  return [
    Record(
      offset: 0, timestamp: CrashStore.nowMs + Int64(number), key: nil,
      value: generator.bytes(valueBytes))
  ]
}

/// Scenarios of tasks and actors in `PowerCutLoop`.
@Suite struct AsyncPowerCutLoopTests {
  private actor Counter {
    private(set) var acknowledged: Set<Int64> = []
    func note(_ offset: Int64) { acknowledged.insert(offset) }
  }

  private static let path = "/store"

  /// Appends by three tasks at once until the power fails.
  private static func append(_ disk: SimulatedDisk, _ durability: Durability) async -> Set<Int64> {
    let counter = Counter()
    do {
      var config = StoreConfig()
      config.createsStore = true
      config.log.durability = durability
      let store = try Store.openBlocking(path, config: config, disk: disk)
      let log = try store.createLogBlocking(try TopicPartition(topic: "t", partition: 0))
      try await withThrowingTaskGroup(of: Void.self) { group in
        for task in 0..<3 {
          group.addTask {
            for number in 0..<2 {
              let records = sampleRecords(task * 10 + number, valueBytes: 100)
              await counter.note(try await log.append(records.map { NewRecord($0) }).baseOffset)
            }
          }
        }
        try await group.waitForAll()
      }
      try store.closeBlocking()
    } catch {
      // The power is gone.
    }
    return await counter.acknowledged
  }

  /// Acknowledged offsets that were lost, over all outcomes.
  private static func losses(
    _ durability: Durability, _ loop: PowerCutLoop
  ) async throws -> (lost: Int, cuts: Int) {
    var lost = 0
    let tried = try await loop.run(
      on: {
        let disk = SimulatedDisk()
        try disk.installDirectory(path)
        return disk
      },
      scenario: { await append($0, durability) },
      check: { disk, acknowledged, _ in
        if acknowledged.isEmpty { return }
        let store = try Store.openBlocking(path, disk: disk)
        let end = store.log(try TopicPartition(topic: "t", partition: 0))?.logEndOffset ?? 0
        lost += acknowledged.count { $0 >= end }
        try store.closeBlocking()
      })
    return (lost, tried.cuts)
  }

  @Test(.timeLimit(.minutes(2))) func whatTasksWereToldIsDurable() async throws {
    let found = try await Self.losses(
      .flushed, PowerCutLoop(exhaustiveMax: 2, samples: 4, damaged: 1))
    #expect(found.lost == 0 && found.cuts > 30, "\(found)")
  }

  @Test(.timeLimit(.minutes(2))) func aPromiseGivenTooEarlyIsFound() async throws {
    let found = try await Self.losses(
      .operatingSystem, PowerCutLoop(exhaustiveMax: 1, samples: 2, damaged: 0))
    #expect(found.lost > 0)
  }

  /// Nothing is logged unless the loop is given a logger, which then hears the stores it runs.
  @Test func theLoopsLoggerIsThatOfTheStoresItRuns() async throws {
    #expect(PowerCutLoop().logger.handler is SwiftLogNoOpLogHandler)
    let heard = CapturedLog()
    let loop = PowerCutLoop(exhaustiveMax: 0, samples: 0, damaged: 0, logger: heard.logger)
    _ = try await Self.losses(.flushed, loop)
    #expect(!heard.lines.isEmpty)
  }
}
