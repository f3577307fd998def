import DiskIO
import RecordFormat
import StoreTesting
import Testing

@testable import LogStore

/// What reading and opening must never do: each test catches a bug of Tests/PlantedBugs
/// (`tools/planted-bugs`).
@Suite struct PlantedReadBugTests {
  private static let indexPath = "\(CrashStore.directory)/\(SegmentName(0, .index).fileName)"
  private static let logPath = "\(CrashStore.directory)/\(SegmentName(0, .log).fileName)"
  private static let batchCount = 40

  /// One segment of batches of one record each, nearly every one with an index entry.
  private func log(seed: UInt64, closes: Bool = true) throws -> SimulatedDisk {
    let disk = SimulatedDisk(seed: seed)
    let store = try CrashStore(disk, CrashStore.config(segmentBytes: 1 << 20))
    for number in 0..<Self.batchCount {
      var batch = SampleBatches.make(number, records: 1, valueBytes: 60 + number % 7)
      try store.log.appendBlocking(batch: &batch)
    }
    guard closes else { return disk.kill() }
    try store.manager.closeBlocking()
    return disk
  }

  private func open(_ disk: SimulatedDisk) throws -> CrashStore {
    try CrashStore(disk, CrashStore.config(segmentBytes: 1 << 20), creates: false)
  }

  /// Positions of the batches in a segment's bytes, by last offset, as their lengths tell.
  private func positions(_ bytes: [UInt8]) throws -> [Int64: Int] {
    var positions: [Int64: Int] = [:]
    var position = 0
    while position < bytes.count {
      let header = try BatchHeader(bytes.span.extracting(position..<bytes.count))
      positions[header.lastOffset] = position
      position += header.byteCount
    }
    return positions
  }

  /// Moves the offset of some entries down, so that they lead past the batch that is looked for.
  private func spoil(_ disk: SimulatedDisk, entries: Range<Int>) throws {
    var index = try #require(disk.contents(of: Self.indexPath))
    for entry in entries { index[entry * OffsetIndex.entryBytes + 3] -= 1 }
    try disk.install(Self.indexPath, index)
  }

  /// I9: an entry that leads too far must not hide records.
  @Test func noReadTrustsAnIndexEntry() throws {
    let disk = try log(seed: 1)
    try spoil(disk, entries: 3..<20)
    let store = try open(disk)
    for offset in 0..<Int64(Self.batchCount) {
      let found = try LogReader(store.log).read(from: offset, maxBytes: 1)
      #expect(found?.baseOffset == offset)
    }
  }

  /// I9, after a kill: the entries below the mark are kept only if the log confirms the last one.
  @Test func noOpeningTrustsAnIndexEntry() throws {
    let disk = try log(seed: 2, closes: false)
    let right = try #require(disk.contents(of: Self.indexPath))
    let mark = try DurableMark.read(LogDirectory(disk: disk, path: CrashStore.directory)).newest
    let count = try #require(mark?.offsetEntries)
    #expect(count > 20)
    try spoil(disk, entries: count - 1..<count)
    let store = try open(disk)
    try store.manager.closeBlocking()
    let used = count * OffsetIndex.entryBytes
    #expect(disk.contents(of: Self.indexPath)?.prefix(used) == right.prefix(used))
  }

  /// I4, I5: below the recovery point a wrong CRC is damage, whatever the reason; nothing is cut.
  @Test(arguments: [false, true])
  func aWrongCRCInSyncedBytesCutsNothing(closes: Bool) throws {
    let disk = try log(seed: 3, closes: closes)
    var bytes = try #require(disk.contents(of: Self.logPath))
    let position = try #require(try positions(bytes)[Int64(Self.batchCount - 2)])
    bytes[position + BatchHeader.byteCountMin + 20] ^= 1
    try disk.install(Self.logPath, bytes)
    // Without an index all of the segment is walked over.
    try disk.remove(Self.indexPath)
    let store = try open(disk)
    #expect(store.log.recovery.cuts.isEmpty)
    #expect(disk.contents(of: Self.logPath)?.count == bytes.count)
    #expect(store.log.logEndOffset == Int64(Self.batchCount))
    let last = Int64(Self.batchCount - 1)
    #expect(try LogReader(store.log).record(at: last)?.offset == last)
    #expect(throws: LogError.self) { try LogReader(store.log).record(at: last - 1) }
  }

  /// The index that appends go on with, found wrong by a read and rebuilt where it is.
  @Test func anActiveIndexRebuiltInPlaceLeadsToItsBatches() throws {
    let disk = try log(seed: 4)
    try spoil(disk, entries: 3..<20)
    let store = try open(disk)
    var model = LogModel()
    try store.append(SampleBatches.small[0], &model)
    for offset in 0..<Int64(Self.batchCount) {
      #expect(try LogReader(store.log).read(from: offset, maxBytes: 1)?.baseOffset == offset)
    }
    let positions = try positions(try #require(disk.contents(of: Self.logPath)))
    let index = try #require(store.log.writer.active?.offsetIndex)
    #expect(index.count > Self.batchCount / 2)
    for number in 0..<index.count {
      let entry = try index.entry(number)
      #expect(positions[entry.offset] == entry.position, "entry \(number)")
    }
  }

  // MARK: What is durable

  /// P1, P8: each way of reading ends where a power cut would.
  @Test func noReadGoesBeyondWhatIsDurable() throws {
    let disk = SimulatedDisk(seed: 5)
    let store = try CrashStore(disk, CrashStore.config(segmentBytes: 1 << 20))
    let log = store.log
    func write(_ number: Int) throws {
      var batch = SampleBatches.make(number, records: 1, valueBytes: 600)
      var span = batch.mutableSpan
      _ = try log.writeBlocking(batch: &span)
    }
    for number in 0..<60 {
      try write(number)
      if number == 39 { try log.flushBlocking() }
    }
    #expect(log.highWatermark == 40 && log.recoveryPoint == 40 && log.logEndOffset == 60)
    // Before and after all of it was checked: the short ways are taken then.
    for _ in 0..<2 {
      let reader = LogReader(log)
      for (offset, maxBytes) in [(0, Int.max), (0, 1 << 20), (0, 30_000), (38, 1 << 20), (39, 1)] {
        let found = try #require(
          try reader.read(from: Int64(offset), maxBytes: maxBytes), "\(offset), \(maxBytes)")
        #expect(found.nextOffset <= 40, "\(offset), \(maxBytes)")
      }
      #expect(try reader.read(from: 40, maxBytes: 1 << 20) == nil)
      #expect(throws: LogError.self) { try reader.read(from: 41, maxBytes: 1) }
      #expect(try reader.record(at: 40) == nil)
      #expect(try reader.waitBlocking(for: 40, timeoutMs: 0) == false)
      #expect(try LogReader(log).read(from: 0, maxBytes: Int.max, limit: .logEnd)?.nextOffset == 60)
    }
    try log.flushBlocking()
    #expect(try LogReader(log).read(from: 0, maxBytes: Int.max)?.nextOffset == 60)
  }

  // MARK: Times

  /// Every time that there is, and those just beside it, over several segments and index entries:
  /// the first record at or after it, and not the one before or behind.
  @Test(arguments: [false, true])
  func aTimeIsFoundAtItsFirstRecord(reopens: Bool) throws {
    let disk = SimulatedDisk(seed: 6)
    let config = CrashStore.config(segmentBytes: 1_000)
    var store = try CrashStore(disk, config)
    var times: [Int64] = []
    for number in 0..<40 {
      // Each time twice, in one batch or in two that follow each other.
      let time = 1_000 + Int64(number / 2) * 10
      let batch = [time, time + Int64(number % 4)]
      times += batch
      var bytes = SampleBatches.sealed(batch.map { ($0, [UInt8](repeating: 1, count: 20)) })
      try store.log.appendBlocking(batch: &bytes)
    }
    #expect(store.log.store.state.segments.count > 4)
    if reopens {
      try store.manager.closeBlocking()
      store = try CrashStore(disk, config, creates: false)
    }
    for time in Set(times.flatMap { [$0 - 1, $0, $0 + 1] }) {
      let expected = times.firstIndex { $0 >= time }.map {
        OffsetForTime(offset: Int64($0), timestamp: times[$0])
      }
      #expect(try store.log.offset(forTimestamp: time) == expected, "time \(time)")
    }
  }

  /// An entry says that no record up to its offset is later; one with the time itself may lie
  /// before it.
  @Test func aTimeEntryWithTheTimeItselfIsNoPlaceToBegin() throws {
    var bytes: [UInt8] = []
    for (time, offset) in [(10, 3), (20, 6), (30, 9)] as [(UInt8, UInt8)] {
      bytes += [0, 0, 0, 0, 0, 0, 0, time, 0, 0, 0, offset]
    }
    let index = TimeIndex(
      baseOffset: 100, file: .inMemory(path: "x", entryBytes: TimeIndex.entryBytes, bytes: bytes))
    let expected: [(Int64, Int64?)] = [
      (9, nil), (10, nil), (11, 103), (20, 103), (21, 106), (30, 106), (31, 109), (.max, 109),
    ]
    for (target, offset) in expected {
      #expect(try index.lookup(before: target)?.offset == offset, "target \(target)")
    }
  }
}
