import Glibc
import LogStore
import RecordFormat

/// The write path beside a bare pwrite of the same bytes to a new file.
func appendRows(_ scale: Scale) throws -> [Row] {
  [
    try buildAndAppend(scale), try readyBatches(scale), try singleRecords(scale),
    try durableSingle(scale), try durableInFlight(scale),
  ]
}

private func barePwrite(_ name: String, _ bytes: [UInt8], _ count: Int, sync: Bool = false)
  -> (name: String, run: () throws -> Pass)
{
  (
    sync ? "pwrite+fdatasync" : "bare pwrite",
    {
      let file = BareFile(name)
      let start = nowNs()
      for index in 0..<count {
        file.write(bytes, at: index * bytes.count)
        if sync { precondition(fdatasync(file.descriptor) == 0) }
      }
      return Pass(
        seconds: Double(nowNs() - start) / 1e9,
        units: sync ? Double(count) : Double(count * bytes.count))
    }
  )
}

private func buildAndAppend(_ scale: Scale) throws -> Row {
  let batches = scale.count(2_000)
  let bytes = try batch(records: 1_000, valueBytes: 92)
  return Row(
    name: "append 1,000 x 100 B built, not synced", unit: "B/s", goal: "ratio >= 0.75",
    ours: {
      let fixture = try Fixture("build")
      var builder = RecordBatchBuilder()
      let value = [UInt8](repeating: 0x61, count: 92)
      _ = try fill(&builder, value)
      try fixture.log.appendBlocking(&builder)
      let before = allocations()
      let start = nowNs()
      var appended = 0
      for _ in 0..<batches {
        try fill(&builder, value)
        appended += builder.byteCount
        try fixture.log.appendBlocking(&builder)
      }
      let seconds = Double(nowNs() - start) / 1e9
      let made = allocations() - before
      try fixture.remove()
      return Pass(
        seconds: seconds, units: Double(appended), allocations: made, operations: Double(batches))
    },
    ceiling: barePwrite("build", bytes, batches))
}

@inline(__always)
private func fill(_ builder: inout RecordBatchBuilder, _ value: [UInt8]) throws {
  for index in 0..<1_000 {
    _ = try builder.append(
      timestamp: 1_700_000_000_000 + Int64(index), key: nil, value: value.span)
  }
}

private func readyBatches(_ scale: Scale) throws -> Row {
  let batches = scale.count(12_000)
  var bytes = try batch(records: 150, valueBytes: 100)
  return Row(
    name: "append ready 16 KiB batches, not synced", unit: "B/s", goal: "ratio >= 0.75",
    ours: {
      let fixture = try Fixture("ready")
      try fixture.log.appendBlocking(batch: &bytes)
      let before = allocations()
      let start = nowNs()
      for _ in 0..<batches { try fixture.log.appendBlocking(batch: &bytes) }
      let seconds = Double(nowNs() - start) / 1e9
      let made = allocations() - before
      try fixture.remove()
      return Pass(
        seconds: seconds, units: Double(batches * bytes.count), allocations: made,
        operations: Double(batches))
    },
    ceiling: barePwrite("ready", bytes, batches))
}

private func singleRecords(_ scale: Scale) throws -> Row {
  let count = scale.count(1_000_000)
  let bytes = try batch(records: 1, valueBytes: 92)
  return Row(
    name: "append single 100 B records, not synced", unit: "rec/s", goal: ">= 1 M rec/s",
    ours: {
      let fixture = try Fixture("single")
      var builder = RecordBatchBuilder()
      let value = [UInt8](repeating: 0x61, count: 92)
      let before = allocations()
      let start = nowNs()
      for index in 0..<count {
        _ = try builder.append(
          timestamp: 1_700_000_000_000 + Int64(index), key: nil, value: value.span)
        try fixture.log.appendBlocking(&builder)
      }
      let seconds = Double(nowNs() - start) / 1e9
      let made = allocations() - before
      try fixture.remove()
      return Pass(
        seconds: seconds, units: Double(count), allocations: made, operations: Double(count))
    },
    ceiling: (
      "bare pwrite",
      {
        let file = BareFile("single")
        let start = nowNs()
        for index in 0..<count { file.write(bytes, at: index * bytes.count) }
        return Pass(seconds: Double(nowNs() - start) / 1e9, units: Double(count))
      }
    ))
}

private func durableSingle(_ scale: Scale) throws -> Row {
  let count = scale.count(3_000)
  var bytes = try batch(records: 100, valueBytes: 100)
  return Row(
    name: "append durable, one writer, 100 x 100 B", unit: "appends/s", goal: "ratio >= 0.83",
    ours: {
      let fixture = try Fixture("durable", durability: .flushed)
      try fixture.log.appendBlocking(batch: &bytes)
      let before = allocations()
      let start = nowNs()
      for _ in 0..<count { try fixture.log.appendBlocking(batch: &bytes) }
      let seconds = Double(nowNs() - start) / 1e9
      let made = allocations() - before
      try fixture.remove()
      return Pass(
        seconds: seconds, units: Double(count), allocations: made, operations: Double(count))
    },
    ceiling: barePwrite("durable", bytes, count, sync: true))
}

private func durableInFlight(_ scale: Scale) throws -> Row {
  let rounds = scale.count(2_000)
  let window = 64
  var bytes = try batch(records: 1, valueBytes: 92)
  return Row(
    name: "append durable, 64 in flight, 100 B", unit: "appends/s", goal: ">= 50 k/s",
    ours: {
      let fixture = try Fixture("flight", durability: .flushed)
      try fixture.log.appendBlocking(batch: &bytes)
      let before = allocations()
      let start = nowNs()
      for _ in 0..<rounds {
        var last: Int64 = 0
        for _ in 0..<window {
          var span = bytes.mutableSpan
          last = try fixture.log.writeBlocking(batch: &span).lastOffset
        }
        try fixture.log.waitUntilDurableBlocking(upTo: last + 1)
      }
      let seconds = Double(nowNs() - start) / 1e9
      let made = allocations() - before
      try fixture.remove()
      return Pass(
        seconds: seconds, units: Double(rounds * window), allocations: made,
        operations: Double(rounds * window))
    },
    ceiling: nil)
}
