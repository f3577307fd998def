import Glibc
import LogStore
import RecordFormat

/// Allocations of the engine for one operation in steady state, with budgets that fail the run.
///
/// One thread, one log, everything checked and in the page cache: the count is the same in each
/// run. What this process allocates is counted, on all its threads.
func engineBudgetRows() -> [Row] {
  appendBudgetRows() + readBudgetRows()
}

private func appendBudgetRows() -> [Row] {
  [
    budgetRow("append of one record", budget: 0) { fixture in
      var builder = RecordBatchBuilder()
      let value = [UInt8](repeating: 0x61, count: 92)
      return {
        _ = try builder.append(timestamp: 1_700_000_000_000, key: nil, value: value.span)
        try fixture.log.appendBlocking(&builder)
      }
    },
    budgetRow("append of ten records", budget: 0) { fixture in
      let records = (0..<10).map { index in
        NewRecord(
          value: [1, 2, 3] as [UInt8],
          time: Timestamp(millisecondsSince1970: 1_700_000_000_000 + Int64(index)))
      }
      return { _ = try fixture.log.appendBlocking(records) }
    },
    budgetRow("append of a ready batch", budget: 0) { fixture in
      var bytes = try batch(records: 150, valueBytes: 100)
      return { try fixture.log.appendBlocking(batch: &bytes) }
    },
    budgetRow("durable append of a ready batch", durability: .flushed, budget: 0) { fixture in
      var bytes = try batch(records: 150, valueBytes: 100)
      return { try fixture.log.appendBlocking(batch: &bytes) }
    },
  ]
}

private func readBudgetRows() -> [Row] {
  [
    budgetRow("fetch without a copy", budget: 0) { fixture in
      let end = try fill(fixture)
      let reader = LogReader(fixture.log)
      var offset: Int64 = 0
      return {
        let records = try reader.read(from: offset, maxBytes: 16 << 10, limit: .logEnd)!
        offset = records.nextOffset == end ? 0 : records.nextOffset
      }
    },
    budgetRow("fetch into memory", budget: 0) { fixture in
      let end = try fill(fixture)
      let reader = LogReader(fixture.log)
      var offset: Int64 = 0
      var buffer: [UInt8] = []
      return {
        let records = try reader.read(
          from: offset, maxBytes: 16 << 10, limit: .logEnd, into: &buffer)!
        offset = records.nextOffset == end ? 0 : records.nextOffset
      }
    },
    budgetRow("fetch of decoded records", budget: 0) { fixture in
      let end = try fill(fixture)
      let reader = LogReader(fixture.log)
      var offset: Int64 = 0
      return {
        offset = try reader.forEachRecord(from: offset, maxBytes: 16 << 10, limit: .logEnd) {
          (record) throws(LogError) in
          consume(UInt64(bitPattern: record.offset))
          return true
        }
        if offset == end { offset = 0 }
      }
    },
    budgetRow("look-up by offset", budget: 0) { fixture in
      let end = try fill(fixture)
      let reader = LogReader(fixture.log)
      var offset: Int64 = 0
      return {
        offset = (offset + 7_919) % end
        consume(try reader.record(at: offset, limit: .logEnd) { UInt64($0.offset) }!)
      }
    },
    budgetRow("look-up by time", budget: 14) { fixture in
      let end = try fill(fixture)
      var time: Int64 = 0
      return {
        time = (time + 7_919) % end
        consume(UInt64(try fixture.log.offset(forTimestamp: firstTime + time)!.offset))
      }
    },
  ]
}

private let firstTime: Int64 = 1_700_000_000_000

/// Appends 1,000 batches of 100 records, each a millisecond later than the one before.
///
/// - Returns: The log's end.
private func fill(_ fixture: Fixture) throws -> Int64 {
  var builder = RecordBatchBuilder()
  let value = [UInt8](repeating: 0x61, count: 92)
  for time in 0..<Int64(100_000) {
    _ = try builder.append(timestamp: firstTime + time, key: nil, value: value.span)
    if time % 100 == 99 { try fixture.log.appendBlocking(&builder) }
  }
  return fixture.log.logEndOffset
}

/// - Parameter prepare: Makes the operation that is counted.
private func budgetRow(
  _ name: String, durability: Durability = .operatingSystem, budget: Double,
  _ prepare: @escaping (Fixture) throws -> () throws -> Void
) -> Row {
  Row(
    name: "engine: allocations, \(name)", unit: "mallocs", goal: "<= \(Int(budget)), or fail",
    ours: {
      let fixture = try Fixture("budget", durability: durability)
      let operation = try prepare(fixture)
      // All that is read was read before.
      for _ in 0..<1_500 { try operation() }
      let count = 100
      // The least of several stretches: what a new segment or a timer adds is not the operation's.
      let each = try (0..<10).map { _ -> Double in
        let before = allocations()
        for _ in 0..<count { try operation() }
        return Double(allocations() - before) / Double(count)
      }.min()!
      precondition(isCounting(), "allocations are not counted")
      precondition(each <= budget, "\(name): \(each) allocations, the budget is \(budget)")
      try fixture.remove()
      return Pass(seconds: 1, units: each)
    },
    ceiling: nil, passes: 1, note: { "" })
}

/// Whether an allocation moves the counter, so that a budget of none means something.
private func isCounting() -> Bool {
  let before = allocations()
  // An array whose size nobody knows before: an allocation that no optimizer leaves out.
  let bytes = [UInt8](repeating: 1, count: Int(before % 7) + 100)
  consume(UInt64(bytes.reduce(0) { $0 &+ $1 }))
  return allocations() > before
}
