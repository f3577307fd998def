import DiskIO
import LogStore
import StoreTesting
import Testing

/// Many small records of many tasks: batches, a bound, and cancelled calls.
@Suite struct BatchingAppenderTests {
  private static func store(_ disk: SimulatedDisk) async throws -> Store {
    try await Store.open("/data", .createIfMissing, disk: disk, logger: .silent)
  }

  @Test(.timeLimit(.minutes(5))) func recordsOfManyTasksShareBatchesWithinABound() async throws {
    let disk = SimulatedDisk()
    let store = try await Self.store(disk)
    let log = try await store.log("a", .createIfMissing)
    let appender = BatchingAppender(log, pendingBytesMax: 4_000)
    let syncs = disk.counters.calls[.sync] ?? 0
    let offsets = try await withThrowingTaskGroup(of: [Int64].self) { group in
      for task in 0..<40 {
        group.addTask {
          var own: [Int64] = []
          for number in 0..<25 {
            own.append(try await appender.append(NewRecord(key: "\(task)", value: "\(number)")))
          }
          return own
        }
      }
      return try await group.reduce(into: [[Int64]]()) { $0.append($1) }
    }
    #expect(offsets.allSatisfy { $0 == $0.sorted() }, "a task's records stay in order")
    #expect(Set(offsets.joined()) == Set(0..<1_000))
    let spent = (disk.counters.calls[.sync] ?? 0) - syncs
    #expect(spent < 500, "\(spent) syncs for 1,000 records of 40 tasks")
    var next: [String: Int] = [:]
    for try await record in log.records(through: .currentEnd) {
      #expect(record.text == "\(next[record.keyText ?? "", default: 0])")
      next[record.keyText ?? "", default: 0] += 1
    }
    #expect(next.count == 40)
    // One that no batch holds fails alone.
    let large = NewRecord(value: [UInt8](repeating: 1, count: 2 << 20))
    async let small = appender.append(NewRecord(value: "small"))
    let error = await #expect(throws: LogError.self) { try await appender.append(large) }
    #expect(error?.code == .recordTooLarge)
    #expect(try await small == 1_000)
    try await store.close()
  }

  @Test(.timeLimit(.minutes(5))) func aFullAppenderLetsItsCallersWait() async throws {
    let disk = SimulatedDisk()
    let store = try await Self.store(disk)
    let log = try await store.log("a", .createIfMissing)
    try await log.append([NewRecord(value: "0")])
    let isHeld = Locked(true)
    disk.beforeEachCall { call in
      if call.operation == .sync { _ = isHeld.wait { !$0 } }
    }
    let appender = BatchingAppender(log, pendingBytesMax: 1_000)
    let value = [UInt8](repeating: 1, count: 400)
    let tasks = (0..<20).map { _ in Task { try await appender.append(NewRecord(value: value)) } }
    while log.logEndOffset < 2 { await Task.yield() }
    for _ in 0..<1_000 { await Task.yield() }
    // One batch is written and waits for its sync; nothing more is.
    #expect(log.logEndOffset < 8, "\(log.logEndOffset)")
    tasks[19].cancel()
    isHeld.withLock { $0 = false }
    isHeld.broadcast()
    var appended = 0
    for task in tasks {
      do {
        _ = try await task.value
        appended += 1
      } catch let error as LogError {
        #expect(error.code == .cancelled)
      }
    }
    #expect(appended >= 19)
    try await log.flush()
    #expect(log.logEndOffset >= Int64(appended) + 1)
    try await store.close()
  }

  /// What is cancelled makes room for what waits behind it, also where nothing else is left.
  @Test(.timeLimit(.minutes(5))) func cancelledCallsHoldUpNoOther() async throws {
    let disk = SimulatedDisk()
    let store = try await Self.store(disk)
    let log = try await store.log("a", .createIfMissing)
    try await log.append([NewRecord(value: "0")])
    for round in 0..<20 {
      let isHeld = Locked(true)
      disk.beforeEachCall { call in
        if call.operation == .sync { _ = isHeld.wait { !$0 } }
      }
      let appender = BatchingAppender(log, pendingBytesMax: 500)
      let value = [UInt8](repeating: 1, count: 400)
      let end = log.logEndOffset
      let first = Task { try await appender.append(NewRecord(value: value)) }
      while log.logEndOffset == end { await Task.yield() }
      let others = (0..<6).map { _ in Task { try await appender.append(NewRecord(value: value)) } }
      for _ in 0..<round { await Task.yield() }
      for index in 0..<others.count where index != 4 { others[index].cancel() }
      isHeld.withLock { $0 = false }
      isHeld.broadcast()
      _ = try await first.value
      _ = try await others[4].value
      for other in others { _ = await other.result }
      disk.beforeEachCall(nil)
    }
    try await store.close()
  }
}
