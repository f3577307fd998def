import DiskIO
import LogStore
import StoreTesting
import Synchronization
import Testing

/// What programs that embed the engine asked for, each by a test through the public interface.
@Suite struct EmbeddingTests {
  private static func store(_ disk: SimulatedDisk = SimulatedDisk()) async throws -> Store {
    try await Store.open("/data", .createIfMissing, disk: disk, logger: .silent)
  }

  // MARK: Opening

  @Test func aStoreIsClosedHoweverItsScopeEnds() async throws {
    struct Stop: Error {}
    let disk = SimulatedDisk()
    await #expect(throws: Stop.self) {
      try await Store.withStore("/data", .createIfMissing, disk: disk, logger: .silent) { store in
        #expect(store.report.found == .new)
        let log = try await store.log("a", .createIfMissing)
        try await log.append([NewRecord(value: "one")])
        throw Stop()
      }
    }
    let text = try await Store.withStore("/data", disk: disk, logger: .silent) { store in
      #expect(store.report.found == .clean)
      return try await store.log("a").record(at: 0)?.text
    }
    #expect(text == "one")
    let killed = try await Store.open("/data", disk: disk, logger: .silent)
    try await killed.log("a").append([NewRecord(value: "two")])
    let found = try await Self.found(disk.kill())
    #expect(found == .unclean)
    withExtendedLifetime(killed) {}
  }

  private static func found(_ disk: SimulatedDisk) async throws -> StoreReport.Found {
    try await Store.withStore("/data", disk: disk, logger: .silent) { $0.report.found }
  }

  @Test func whatIsMissingIsMadeOnlyWhereThatWasAskedFor() async throws {
    let disk = SimulatedDisk()
    let missing = await #expect(throws: LogError.self) {
      try await Store.open("/data", disk: disk, logger: .silent)
    }
    #expect(missing?.code == .notFound && missing?.path == "/data")
    let store = try await Self.store(disk)
    let noLog = await #expect(throws: LogError.self) { try await store.log("a") }
    #expect(noLog?.code == .notFound)
    let noName = await #expect(throws: LogError.self) { try await store.log("a/b") }
    #expect(noName?.code == .invalidName)
    // Made once by whichever task comes first.
    let logs = try await withThrowingTaskGroup(of: Log.self) { group in
      for _ in 0..<8 { group.addTask { try await store.log("a", .createIfMissing) } }
      return try await group.reduce(into: [Log]()) { $0.append($1) }
    }
    #expect(logs.allSatisfy { $0 === logs[0] })
    try await store.close()
  }

  // MARK: Async

  /// Syncs that hang, those of opening sessions included, stop no other task: none of them runs on
  /// a thread of the pool.
  @Test(.timeLimit(.minutes(5))) func hangingSyncsHoldNoThreadOfThePool() async throws {
    let disk = SimulatedDisk()
    var config = StoreConfig()
    config.journalLogsMin = 0
    let store = try await Store.open(
      "/data", .createIfMissing, config: config, disk: disk, logger: .silent)
    var logs: [Log] = []
    for number in Int32(0)..<16 {
      logs.append(try await store.log("t", partition: number, .createIfMissing))
    }
    let isHeld = Locked(true)
    let held = Atomic<Int>(0)
    disk.beforeEachCall { call in
      guard call.operation == .sync, isHeld.withLock({ $0 }) else { return }
      held.wrappingAdd(1, ordering: .relaxed)
      _ = isHeld.wait { !$0 }
    }
    // Where the pool is held after all, a thread of its own ends that.
    let isDone = Locked(false)
    let gaveUp = Locked(false)
    let guardian = PinnedThread(name: "guardian", core: nil) {
      if isDone.wait(timeoutNs: 20_000_000_000, until: { $0 }) { return }
      gaveUp.withLock { $0 = true }
      isHeld.withLock { $0 = false }
      isHeld.broadcast()
    }
    let appends = logs.map { log in
      Task { try await log.append([NewRecord(value: "first of a session")]) }
    }
    while held.load(ordering: .relaxed) == 0 { await Task.yield() }
    // More tasks than the pool has threads, while nothing can be synced.
    let others = await withTaskGroup(of: Int.self) { group in
      for number in 0..<64 {
        group.addTask {
          await Task.yield(); return number
        }
      }
      return await group.reduce(0, +)
    }
    #expect(others == 64 * 63 / 2)
    isDone.withLock { $0 = true }
    isDone.broadcast()
    guardian.join()
    #expect(!gaveUp.withLock { $0 }, "syncs held every thread of the pool")
    isHeld.withLock { $0 = false }
    isHeld.broadcast()
    for append in appends { #expect(try await append.value.isDurable) }
    try await store.close()
  }

  /// Nor do sealed segments that pile up while no sync returns.
  @Test(.timeLimit(.minutes(5))) func pilingSegmentsHoldNoThreadOfThePool() async throws {
    let disk = SimulatedDisk()
    var config = StoreConfig()
    config.log.durability = .operatingSystem
    config.log.segmentBytes = 300
    let store = try await Store.open(
      "/data", .createIfMissing, config: config, disk: disk, logger: .silent)
    var logs: [Log] = []
    for number in Int32(0)..<8 {
      let log = try await store.log("t", partition: number, .createIfMissing)
      try await log.append([NewRecord(value: "first of the session")])
      logs.append(log)
    }
    let isHeld = Locked(true)
    disk.beforeEachCall { call in
      guard call.operation == .sync || call.operation == .syncFileSystem else { return }
      _ = isHeld.wait { !$0 }
    }
    let value = [UInt8](repeating: 1, count: 200)
    let appends = logs.map { log in
      Task { for _ in 0..<40 { try await log.append([NewRecord(value: value)]) } }
    }
    // Each log takes what may pile up, and then waits.
    while logs.contains(where: { $0.logEndOffset < 10 }) { await Task.yield() }
    for _ in 0..<10_000 { await Task.yield() }
    #expect(logs.allSatisfy { $0.logEndOffset < 41 }, "\(logs.map(\.logEndOffset))")
    isHeld.withLock { $0 = false }
    isHeld.broadcast()
    for append in appends { try await append.value }
    #expect(logs.allSatisfy { $0.logEndOffset == 41 })
    try await store.close()
  }

  // MARK: Cancelling

  @Test(.timeLimit(.minutes(5))) func cancellingEndsTheWaitAndNotTheAppend() async throws {
    let disk = SimulatedDisk()
    let store = try await Self.store(disk)
    let log = try await store.log("a", .createIfMissing)
    try await log.append([NewRecord(value: "0")])
    let isHeld = Locked(true)
    disk.beforeEachCall { call in
      if call.operation == .sync { _ = isHeld.wait { !$0 } }
    }
    let append = Task { try await log.append([NewRecord(value: "1"), NewRecord(value: "2")]) }
    while log.logEndOffset < 3 { await Task.yield() }
    append.cancel()
    let error = await #expect(throws: LogError.self) { try await append.value }
    #expect(error?.code == .cancelled && error?.offsets == 1..<3)
    isHeld.withLock { $0 = false }
    isHeld.broadcast()
    try await log.flush()
    #expect(log.recoveryPoint == 3)
    var seen: [String?] = []
    for try await record in log.records(through: .currentEnd) { seen.append(record.text) }
    #expect(seen == ["0", "1", "2"])
    try await store.close()
  }

  // MARK: Conditional appends

  @Test func ofManyThatDecideOnTheSameEndOneAppends() async throws {
    let store = try await Self.store()
    let log = try await store.log("a", .createIfMissing)
    for round in 0..<20 {
      let end = log.logEndOffset
      let won = await withTaskGroup(of: Bool.self) { group in
        for writer in 0..<6 {
          group.addTask {
            do {
              try await log.append(
                [NewRecord(value: "\(round) of \(writer)")], expectedEndOffset: end)
              return true
            } catch {
              let error = error as? LogError
              #expect(error?.code == .endOffsetMismatch && error?.offsets == end + 1..<end + 1)
              return false
            }
          }
        }
        return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
      }
      #expect(won == 1 && log.logEndOffset == end + 1)
    }
    let late = #expect(throws: LogError.self) {
      try log.appendBlocking([NewRecord(value: "late")], expectedEndOffset: 19)
    }
    #expect(late?.code == .endOffsetMismatch && log.logEndOffset == 20)
    try await store.close()
  }

  // MARK: Several logs

  @Test func oneWaitCoversSeveralLogs() async throws {
    var config = StoreConfig()
    config.log.durability = .operatingSystem
    let store = try await Store.open(
      "/data", .createIfMissing, config: config, disk: SimulatedDisk(), logger: .silent)
    var logs: [Log] = []
    for name in ["a", "b", "c"] { logs.append(try await store.log(name, .createIfMissing)) }
    for log in logs { #expect(try await log.append([NewRecord(value: "x")]).isDurable == false) }
    #expect(logs.contains { $0.recoveryPoint < 1 })
    try await store.waitUntilDurable(logs)
    #expect(logs.allSatisfy { $0.recoveryPoint == 1 })
    try await store.close()
  }

  // MARK: Streams

  @Test func aStreamBeginsAndEndsWhereItIsAskedTo() async throws {
    let store = try await Self.store()
    let log = try await store.log("a", .createIfMissing)
    let start = Timestamp(millisecondsSince1970: 1_700_000_000_000)
    for number in 0..<6 {
      try await log.append([
        NewRecord(value: "\(number)a", time: start + .seconds(number)),
        NewRecord(value: "\(number)b", time: start + .seconds(number)),
      ])
    }
    func read(_ from: LogPosition, _ through: StreamEnd) async throws -> [String] {
      var seen: [String] = []
      for try await record in log.records(from: from, through: through) {
        seen.append(record.text ?? "null")
      }
      return seen
    }
    #expect(try await read(.earliest, .currentEnd).count == 12)
    #expect(try await read(3, .offset(6)) == ["1b", "2a", "2b"])
    #expect(try await read(.since(start + .milliseconds(4_500)), .currentEnd) == ["5a", "5b"])
    #expect(try await read(.latest, .currentEnd).isEmpty)
    let later = log.records(from: .latest)
    try await log.append([NewRecord(value: "later", time: start)])
    var records = later.makeAsyncIterator()
    #expect(try await records.next()?.text == "later")
    #expect(try await read(.since(start + .seconds(60)), .currentEnd).isEmpty)
    #expect(try await log.firstRecord(since: start + .seconds(3))?.text == "3a")
    #expect(try await log.firstRecord(since: start + .seconds(9)) == nil)
    try await log.deleteRecords(before: 4)
    #expect(try await read(.earliest, .currentEnd).first == "2a")
    try await store.close()
  }

  // MARK: Records and times

  @Test func aNewRecordIsMadeOfTextsOrBytes() throws {
    let name: String = "ben"
    let record = NewRecord(key: name, value: [UInt8](1...3), headers: ["a": "1", "a": name[...]])
    #expect(record.key == Array("ben".utf8) && record.value == [1, 2, 3])
    #expect(record.headers.map(\.value) == [Array("1".utf8), Array("ben".utf8)])
    #expect(record.time == nil && NewRecord(value: nil).value == nil)
  }

  @Test func timesAreAddedWithinTheirRange() {
    let time = Timestamp(millisecondsSince1970: 10)
    #expect(time + .milliseconds(5) - .seconds(1) == Timestamp(millisecondsSince1970: -985))
    let last = Timestamp(millisecondsSince1970: .max)
    #expect(last + .seconds(1) == last && time - .seconds(Int64.max) < time)
    #expect(time + .seconds(Int64.max) == last)
  }

  // MARK: Errors

  /// Numbers are given out for good: a program, or another language, goes by them.
  @Test func codesKeepTheirNumbers() {
    let codes: [LogError.Code] = [
      .offsetOutOfRange, .corrupt, .insideBatch, .invalidBatch, .invalidTimestamp,
      .outOfOrderSequence, .earlierBatchRefused, .invalidProducerEpoch, .invalidTransactionState,
      .recordTooLarge, .readOnly, .poisoned, .diskFull, .disk, .locked, .closed, .notFound,
      .alreadyExists, .invalidName, .settingsUnreadable, .invalidConfiguration, .endOffsetMismatch,
      .cancelled,
    ]
    #expect(codes.map(\.rawValue) == Array(1...23))
  }

  @Test func anErrorSaysWhatWhereAndWhatToDo() async throws {
    let disk = SimulatedDisk()
    let store = try await Self.store(disk)
    let log = try await store.log("a", .createIfMissing)
    try await log.append([NewRecord(value: "x")])
    let beyond = #expect(throws: LogError.self) { try LogReader(log).read(from: 9, maxBytes: 1) }
    #expect(beyond?.code == .offsetOutOfRange && beyond?.offsets == 0..<1)
    let locked = await #expect(throws: LogError.self) {
      try await Store.open("/data", disk: disk, logger: .silent)
    }
    #expect(locked?.code == .locked && locked?.path == "/data" && locked?.remedy != nil)
    disk.capacityBytes = 0
    let full = await #expect(throws: LogError.self) {
      try await log.append([NewRecord(value: [UInt8](repeating: 1, count: 100_000))])
    }
    #expect(full?.code == .diskFull && full?.path?.hasSuffix(".log") == true)
    #expect((full?.cause as? DiskError)?.isDiskFull == true && log.logEndOffset == 1)
    disk.capacityBytes = nil
    try await log.append([NewRecord(value: "y")])
    try await store.close()
    let closed = await #expect(throws: LogError.self) {
      try await log.append([NewRecord(value: "z")])
    }
    #expect(closed?.code == .closed)
  }
}
