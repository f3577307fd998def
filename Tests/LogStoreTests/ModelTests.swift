import DiskIO
import RecordFormat
import StoreTesting
import Testing

@testable import LogStore

/// Random sequences of what an embedder can do with a log, against a plain array of records.
///
/// `SEED=<number>` repeats a run; MKSTORE_MODEL_RUNS (24) asks for more of them.
@Suite struct ModelTests {
  private static let runs = environmentNumber("MKSTORE_MODEL_RUNS") ?? 24
  private static let stepsPerRun = 150

  @Test func aLogIsAnArrayOfRecords() throws {
    let seed = Seed.fromEnvironment()
    var counts: [String: Int] = [:]
    for run in 0..<Self.runs {
      var driver = try ModelDriver(seed.derived(run))
      for step in 0..<Self.stepsPerRun {
        do {
          let name = try driver.step()
          counts[name, default: 0] += 1
        } catch {
          driver.fault = "\(error)"
        }
        if let fault = driver.fault {
          Issue.record("\(seed), run \(run), step \(step): \(fault)\n\(driver.history.suffix(12))")
          return
        }
      }
    }
    print("\(seed): \(counts.sorted { $0.key < $1.key })")
    // Every kind of step was taken, and the lost tails too.
    #expect(counts.count == ModelDriver.steps.count, "\(seed): \(counts)")
  }
}

/// One log and the array that says what it must hold.
private struct ModelDriver {
  private struct Entry: Equatable {
    var timestamp: Int64
    var value: [UInt8]
  }

  static let steps: [(name: String, weight: Int)] = [
    ("append", 30), ("appendBatch", 15), ("fetch", 25), ("time", 10), ("largest", 3), ("flush", 5),
    ("close", 4), ("kill", 4), ("powerCut", 4),
  ]

  private var generator: SeededGenerator
  private let config: StoreConfig
  private var store: CrashStore
  private var reader: LogReader
  /// The record of offset `i` stands at `i`.
  private var entries: [Entry] = []
  /// Records below are acknowledged as durable.
  private var durableCount = 0
  private(set) var history: [String] = []
  var fault: String?

  init(_ seed: Seed) throws {
    var generator = seed.generator
    let durability: Durability = generator.chance(0.5) ? .flushed : .operatingSystem
    config = CrashStore.config(
      segmentBytes: [500, 1_000, 10_000][generator.index(below: 3)], durability: durability,
      indexIntervalBytes: [0, 100, 4_096][generator.index(below: 3)])
    store = try CrashStore(SimulatedDisk(seed: seed.value), config)
    reader = LogReader(store.log)
    self.generator = generator
  }

  /// Does one thing and compares; returns what it was.
  mutating func step() throws -> String {
    var pick = generator.index(below: Self.steps.reduce(0) { $0 + $1.weight })
    let name = Self.steps.first { step in
      pick -= step.weight
      return pick < 0
    }!.name
    history.append(name)
    switch name {
    case "append": try append()
    case "appendBatch": try appendBatch()
    case "fetch": try fetch()
    case "time": try lookUpTime()
    case "largest": try lookUpLargest()
    case "flush":
      try store.log.flushBlocking()
      durableCount = entries.count
    case "close":
      try store.manager.closeBlocking()
      durableCount = entries.count
      try reopen(store.disk, wasClean: true)
    case "kill": try reopen(store.disk.kill(), wasClean: false)
    default: try reopen(store.disk.crash(seed: generator.next()), wasClean: false)
    }
    return name
  }

  private mutating func someEntries() -> [Entry] {
    (0..<1 + generator.index(below: 4)).map { _ in
      // Times that rise on the whole, and stay behind or run ahead now and then.
      let time = Int64(1_000 + entries.count * 10 + generator.index(below: 60)) - 30
      return Entry(timestamp: time, value: generator.bytes(generator.index(below: 60)))
    }
  }

  private mutating func append() throws {
    let new = someEntries()
    let records = new.map { Record(offset: 0, timestamp: $0.timestamp, key: nil, value: $0.value) }
    try note(new, try store.log.appendBlocking(records.map { NewRecord($0) }))
  }

  private mutating func appendBatch() throws {
    let new = someEntries()
    var bytes = SampleBatches.sealed(new.map { ($0.timestamp, $0.value) })
    try note(new, try store.log.appendBlocking(batch: &bytes))
  }

  private mutating func note(_ new: [Entry], _ result: AppendResult) throws {
    check(result.baseOffset == Int64(entries.count), "appended at \(result.baseOffset)")
    entries += new
    check(result.lastOffset == Int64(entries.count) - 1, "ends at \(result.lastOffset)")
    check(result.isDurable == (config.log.durability == .flushed), "\(result)")
    if result.isDurable { durableCount = entries.count }
    check(store.log.logEndOffset == Int64(entries.count), "end \(store.log.logEndOffset)")
  }

  private mutating func fetch() throws {
    let offset = generator.index(below: entries.count + 1)
    let maxBytes = [1, 200, 1_000, 100_000][generator.index(below: 4)]
    if generator.chance(0.3) { reader = LogReader(store.log) }
    var seen: [Entry] = []
    var next = Int64(offset)
    // Up to three reads that follow each other.
    for _ in 0..<1 + generator.index(below: 3) {
      let from = next
      next = try reader.forEachRecord(from: from, maxBytes: maxBytes, limit: .logEnd) {
        (record) throws(LogError) in
        if record.offset >= from {
          seen.append(Entry(timestamp: record.timestamp, value: Self.bytes(record)))
        }
        return true
      }
    }
    let expected = entries[offset..<min(entries.count, offset + seen.count)]
    check(seen.elementsEqual(expected), "a fetch at \(offset) of \(entries.count)")
    check(next == Int64(offset + seen.count), "a fetch at \(offset) ends at \(next)")
    check(offset == entries.count || !seen.isEmpty, "a fetch at \(offset) gives nothing")
  }

  private static func bytes(_ record: RecordView) -> [UInt8] {
    guard let value = record.value else { return [] }
    return value.indices.map { value[$0] }
  }

  private mutating func lookUpTime() throws {
    let time = Int64(900 + generator.index(below: entries.count * 10 + 300))
    let expected = entries.firstIndex { $0.timestamp >= time }
    let found = try store.log.offset(forTimestamp: time)
    check(
      found?.offset == expected.map(Int64.init), "time \(time) gives \(String(describing: found))")
    check(found?.timestamp == expected.map { entries[$0].timestamp }, "time \(time)")
  }

  private mutating func lookUpLargest() throws {
    let largest = entries.map(\.timestamp).max()
    let found = try store.log.offsetOfLargestTimestamp()
    check(found?.timestamp == largest, "the largest time: \(String(describing: found))")
    check(
      found?.offset == entries.firstIndex { $0.timestamp == largest }.map(Int64.init),
      "the largest time: \(String(describing: found))")
  }

  /// A new session on what is left: the durable records, and of the others a prefix; all of them
  /// where the power did not fail.
  private mutating func reopen(_ disk: SimulatedDisk, wasClean: Bool) throws {
    let isCut = history.last == "powerCut"
    store = try CrashStore(disk, config, creates: false)
    reader = LogReader(store.log)
    let end = Int(store.log.logEndOffset)
    check(store.manager.report.wasClean == wasClean, "clean: \(store.manager.report.wasClean)")
    check(end <= entries.count, "\(end) records after \(entries.count)")
    check(
      end >= (isCut ? durableCount : entries.count), "\(end) of \(durableCount) durable records")
    check(store.log.damagedRanges.isEmpty, "\(store.log.damagedRanges)")
    if end < entries.count { entries.removeSubrange(end...) }
    // What recovery found is on disk now.
    durableCount = entries.count
    var seen: [Entry] = []
    var next: Int64 = 0
    while next < end {
      next = try reader.forEachRecord(from: next, maxBytes: 5_000, limit: .logEnd) {
        (record) throws(LogError) in
        seen.append(Entry(timestamp: record.timestamp, value: Self.bytes(record)))
        return true
      }
    }
    check(seen == entries, "what is there after \(history.last ?? "")")
  }

  private mutating func check(_ isRight: Bool, _ what: String) {
    if !isRight && fault == nil { fault = what }
  }
}
