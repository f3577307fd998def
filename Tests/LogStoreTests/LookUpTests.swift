import DiskIO
import RecordFormat
import StoreTesting
import Testing

@testable import LogStore

/// Looking up one record gives what a scan gives, whatever the batches look like, and reads little.
@Suite struct LookUpTests {
  /// A log of several segments with batches of very different sizes, and its values by offset.
  private struct Sample {
    let store: CrashStore
    var values: [[UInt8]] = []

    init(
      _ seed: Seed, valueBytes: Int, isEven: Bool = false, compression: Compression = .none
    ) throws {
      var config = CrashStore.config(segmentBytes: 400_000, indexIntervalBytes: 4_096)
      config.log.compression = compression
      store = try CrashStore(SimulatedDisk(seed: 1), config)
      var generator = seed.generator
      var builder = RecordBatchBuilder(compression: compression)
      for _ in 0..<60 {
        for _ in 0..<(isEven ? 60 : 1 + generator.index(below: 120)) {
          let value = generator.bytes(isEven ? valueBytes / 2 : generator.index(below: valueBytes))
          values.append(value)
          _ = try builder.append(
            timestamp: 1_000, key: generator.chance(0.3) ? [1, 2] : nil, value: value)
        }
        try store.log.appendBlocking(&builder)
      }
    }

    func check(_ reader: LogReader, _ offset: Int, _ what: String) throws {
      let record = try reader.record(at: Int64(offset))
      #expect(
        record?.offset == Int64(offset) && record?.value == values[offset],
        "offset \(offset), \(what)")
    }
  }

  @Test(arguments: [20, 200, 2_000], [Compression.none, .zstd(level: 3)])
  func anyOffsetGivesItsRecord(_ valueBytes: Int, _ compression: Compression) throws {
    let seed = Seed.fromEnvironment()
    let sample = try Sample(seed, valueBytes: valueBytes, compression: compression)
    var generator = seed.generator
    let reader = LogReader(sample.store.log)
    for offset in sample.values.indices { try sample.check(reader, offset, "in order, \(seed)") }
    for _ in 0..<2_000 {
      let offset = generator.index(below: sample.values.count)
      try sample.check(reader, offset, "at random, \(seed)")
      if generator.chance(0.1), offset + 1 < sample.values.count {
        try sample.check(reader, offset + 1, "the next, \(seed)")
      }
    }
    let end = Int64(sample.values.count)
    #expect(try reader.record(at: end) == nil)
    #expect(throws: LogError.self) { try reader.record(at: end + 1) }
  }

  @Test func readingGoesOnBehindALookUp() throws {
    let seed = Seed.fromEnvironment()
    let sample = try Sample(seed, valueBytes: 300)
    var generator = seed.generator
    let reader = LogReader(sample.store.log)
    for _ in 0..<300 {
      let offset = generator.index(below: sample.values.count)
      try sample.check(reader, offset, "\(seed)")
      let from = min(offset + generator.index(below: 70), sample.values.count - 1)
      var first: (Int64, [UInt8]?)?
      _ = try reader.forEachRecord(from: Int64(from), maxBytes: 1) { (record) throws(LogError) in
        first = (record.offset, Record(copying: record).value)
        return false
      }
      #expect(first?.0 == Int64(from) && first?.1 == sample.values[from], "\(from), \(seed)")
    }
  }

  /// An index whose positions fall, whatever made them so: it costs time, no record and no process
  /// (I9).
  @Test func positionsThatFallChangeNothing() throws {
    let seed = Seed.fromEnvironment()
    let sample = try Sample(seed, valueBytes: 300)
    let disk = sample.store.disk
    try sample.store.manager.closeBlocking()
    let path = "\(CrashStore.directory)/\(SegmentName(0, .index).fileName)"
    var index = try #require(disk.contents(of: path))
    let count = index.count / OffsetIndex.entryBytes
    #expect(count > 20)
    for entry in stride(from: 1, to: count, by: 2) {
      let position = entry * OffsetIndex.entryBytes + 4
      index.replaceSubrange(position..<position + 4, with: [0, 0, 0, 0])
    }
    try disk.install(path, index)
    let store = try CrashStore(
      disk, CrashStore.config(segmentBytes: 400_000, indexIntervalBytes: 4_096), creates: false)
    let reader = LogReader(store.log)
    // Checked once, so that the short way is taken.
    for segment in store.log.store.state.segments {
      _ = try reader.read(from: segment.baseOffset, maxBytes: Int.max)
    }
    for offset in sample.values.indices {
      try sample.check(reader, offset, "falling positions, \(seed)")
    }
  }

  /// As many bytes as there can be, from the middle of a segment that nobody has looked at.
  @Test func aReadWithoutABoundGivesTheRestOfTheSegment() throws {
    let sample = try Sample(Seed.fromEnvironment(), valueBytes: 2_000, isEven: true)
    let disk = sample.store.disk
    try sample.store.manager.closeBlocking()
    let store = try CrashStore(
      disk, CrashStore.config(segmentBytes: 400_000, indexIntervalBytes: 4_096), creates: false)
    let first = try #require(try LogReader(store.log).read(from: 0, maxBytes: 1))
    let reader = LogReader(store.log)
    let rest = try #require(try reader.read(from: first.nextOffset, maxBytes: Int.max))
    #expect(rest.position + rest.byteCount == (try rest.file.size()))
    #expect(rest.byteCount > BatchFinder.checkBytesMin)
  }

  @Test func theLongestWaitIsNoError() throws {
    let sample = try Sample(Seed.fromEnvironment(), valueBytes: 20)
    #expect(try LogReader(sample.store.log).waitBlocking(for: 0, timeoutMs: Int.max))
  }

  @Test(arguments: [(true, 1.1), (false, 1.8)])
  func aHotLookUpReadsAPartOfOneBatch(_ isEven: Bool, _ readsMax: Double) throws {
    let seed = Seed.fromEnvironment()
    let sample = try Sample(seed, valueBytes: 200, isEven: isEven)
    let log = sample.store.log
    let reader = LogReader(log)
    for offset in sample.values.indices { try sample.check(reader, offset, "warm, \(seed)") }
    var generator = seed.generator
    let before = sample.store.disk.counters
    let count = 1_000
    for _ in 0..<count {
      try sample.check(reader, generator.index(below: sample.values.count), "\(seed)")
    }
    let after = sample.store.disk.counters
    let reads = after.calls[.read, default: 0] - before.calls[.read, default: 0]
    // The ordinary way takes two reads or three, and the whole batch.
    #expect(Double(reads) <= readsMax * Double(count), "\(reads) reads, \(seed)")
    let batchBytes = try log.segmentInfo().reduce(0) { $0 + $1.bytes } / 60
    let bytesRead = (after.bytesRead - before.bytesRead) / count
    #expect(bytesRead < (isEven ? batchBytes : 2 * batchBytes), "\(bytesRead) bytes, \(seed)")
  }

  /// A consumer that comes back somewhere in a log of large batches: what was checked stays
  /// checked, also where the search begins a whole batch before its own.
  @Test(arguments: [1, 30_000, 200_000])
  func whoBeginsInTheMiddleOfCheckedBytesReadsHeadersAlone(_ maxBytes: Int) throws {
    let store = try CrashStore(
      SimulatedDisk(seed: 1), CrashStore.config(segmentBytes: 1 << 20, indexIntervalBytes: 4_096))
    for number in 0..<40 {
      var batch = SampleBatches.make(number, records: 1, valueBytes: 20_000 + number * 100)
      try store.log.appendBlocking(batch: &batch)
    }
    for offset in stride(from: Int64(39), through: 0, by: -1) {
      let before = store.disk.counters.bytesRead
      let reader = LogReader(store.log, rechecksEvicted: true)
      let found = try reader.read(from: offset, maxBytes: maxBytes, limit: .logEnd)
      #expect(found?.baseOffset == offset)
      let bytesRead = store.disk.counters.bytesRead - before
      #expect(bytesRead <= 4 * BatchFinder.windowBytes, "\(bytesRead) bytes at \(offset)")
    }
  }

  @Test func damageIsNeverLookedUp() throws {
    let seed = Seed.fromEnvironment()
    let sample = try Sample(seed, valueBytes: 200)
    try sample.store.manager.closeBlocking()
    let disk = sample.store.disk.kill()
    let path = "\(CrashStore.directory)/\(SegmentName(0, .log).fileName)"
    var bytes = try #require(disk.contents(of: path))
    bytes[bytes.count / 2] ^= 4
    try disk.install(path, bytes)
    let again = try CrashStore(disk, CrashStore.config(segmentBytes: 400_000), creates: false)
    let reader = LogReader(again.log)
    var refused = 0
    for _ in 0..<2 {
      for offset in sample.values.indices {
        do {
          let record = try reader.record(at: Int64(offset))
          #expect(record?.value == sample.values[offset], "offset \(offset), \(seed)")
        } catch {
          guard case .corrupt(let range) = error.kind else { throw error }
          #expect(range.offsets?.contains(Int64(offset)) == true, "\(range), \(seed)")
          refused += 1
        }
      }
    }
    #expect(refused > 0 && refused % 2 == 0, "\(seed)")
  }

  /// A batch's length is not under its CRC: in bytes that are not checked a wrong one may lead into
  /// a checked batch, to what looks like a batch there.
  @Test func aRottenLengthDoesNotLeadIntoARecordsValue() throws {
    let disk = SimulatedDisk(seed: 2)
    let store = try CrashStore(
      disk, CrashStore.config(segmentBytes: 400_000, indexIntervalBytes: 4_096))
    let first = SampleBatches.sealed([(CrashStore.nowMs, [1, 2, 3])])
    let inner = try BatchSource.batch(baseOffset: 1, values: [[0xEE]])
    let padding = [UInt8](repeating: 7, count: 2_000)
    let value = padding + inner + padding
    let outer = SampleBatches.sealed([(CrashStore.nowMs + 1, value)])
    var model = LogModel()
    for batch in [first, outer, first] { try store.append(batch, &model) }
    try store.manager.closeBlocking()
    let path = "\(CrashStore.directory)/\(SegmentName(0, .log).fileName)"
    var bytes = try #require(disk.contents(of: path))
    let innerAt = try #require(
      bytes.indices.first { bytes[$0...].starts(with: inner) && $0 > first.count })
    // The first batch seems to end where the inner one begins.
    let length = innerAt - BatchLayout.lengthOverhead
    bytes[BatchLayout.batchLength + 2] = UInt8(length >> 8)
    bytes[BatchLayout.batchLength + 3] = UInt8(length & 0xff)
    try disk.install(path, bytes)

    let again = try CrashStore(disk, CrashStore.config(segmentBytes: 400_000), creates: false)
    for round in 0..<3 {
      let record = try LogReader(again.log).record(at: 1)
      #expect(record?.offset == 1 && record?.value == value, "round \(round)")
    }
    // The second batch is checked, and the first is not.
    let segment = again.log.store.state.segments[0]
    #expect(segment.verified.contains(first.count..<first.count + outer.count))
    #expect(again.log.damagedRanges.map(\.bytes) == [0..<first.count])
  }
}
