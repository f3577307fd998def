import DiskIO
import Glibc
import RecordFormat
import StoreTesting
import Testing

@testable import LogStore

/// The invariants of docs/architecture.md, one test each.
struct InvariantTests {
  private let disk = SimulatedDisk(seed: 3)
  private let store: Store
  private let log: Log

  private static func config() -> StoreConfig {
    var config = StoreConfig()
    config.createsStore = true
    config.startsFlusher = false
    config.log.segmentBytes = 1_500
    config.log.indexIntervalBytes = 200
    config.log.segmentIndexBytes = 480
    return config
  }

  init() throws {
    store = try Store.openBlocking("/data", config: Self.config(), disk: disk)
    log = try store.createLogBlocking(TopicPartition(topic: "a", partition: 0))
  }

  private func append(_ count: Int = 1, isDurable: Bool = true) throws {
    for index in 0..<count {
      var batch = sampleBatch(1 + index % 4, timestamp: 1_000 + Int64(index * 37 % 50))
      if isDurable {
        try log.appendBlocking(batch: &batch)
      } else {
        var span = batch.mutableSpan
        _ = try log.writeBlocking(batch: &span)
      }
    }
  }

  private func logFile(_ segment: Segment) -> [UInt8] {
    disk.contents(of: segment.path(.log)) ?? []
  }

  /// Headers and positions of a segment's batches, by the format alone.
  private func batches(_ bytes: [UInt8]) throws -> [(position: Int, header: BatchHeader)] {
    var found: [(Int, BatchHeader)] = []
    var position = 0
    while position < bytes.count {
      let header = try BatchHeader(bytes.span.extracting(position...))
      try RecordBatch(bytes.span.extracting(position..<position + header.byteCount)).checkCRC()
      found.append((position, header))
      position += header.byteCount
    }
    #expect(position == bytes.count)
    return found
  }

  /// I1: start ≤ recovery point ≤ high watermark ≤ end, at every step.
  @Test func offsetsKeepTheirOrder() throws {
    func check() {
      #expect(log.logStartOffset <= log.recoveryPoint)
      #expect(log.recoveryPoint <= log.highWatermark)
      #expect(log.highWatermark <= log.logEndOffset)
    }
    check()
    for round in 0..<41 {
      try append(2, isDurable: round % 3 == 0)
      check()
    }
    #expect(log.recoveryPoint < log.logEndOffset)
    try log.flushBlocking()
    check()
    #expect(log.recoveryPoint == log.logEndOffset)
  }

  /// I2: base offsets ascend, ranges do not overlap.
  @Test func segmentsAscendAndDoNotOverlap() throws {
    try append(60)
    let segments = log.store.state.segments
    #expect(segments.count > 3)
    for (segment, next) in zip(segments, segments.dropFirst()) {
      #expect(segment.baseOffset < next.baseOffset)
      let last = try #require(try batches(logFile(segment)).last)
      #expect(last.header.nextOffset <= next.baseOffset)
    }
  }

  /// I3: only the last segment is written to.
  @Test func onlyTheLastSegmentIsWritten() throws {
    try append(30)
    for _ in 0..<20 {
      disk.setTracing(true)
      try append()
      let written = disk.trace.filter { $0.operation == .write && $0.path.hasSuffix(".log") }
      disk.setTracing(false)
      let last = try #require(log.store.state.segments.last)
      #expect(written.map(\.path) == [last.path(.log)])
    }
  }

  /// I4: bytes below a published end never change, whatever comes after.
  @Test func publishedBytesNeverChange() throws {
    try append(20)
    let before = log.store.state.segments.map { segment in
      (segment, Array(logFile(segment)[..<Int(segment.publishedEnd.position)]))
    }
    #expect(before.count > 1)
    disk.plan(FaultPlan(.shortWrite(28, bytes: 9), at: 1, operations: [.write]))
    var batch = sampleBatch(3)
    #expect(throws: LogError.self) { try log.appendBlocking(batch: &batch) }
    #expect(disk.faultFired)
    disk.removeFaults()
    try append(20)
    for (segment, bytes) in before {
      #expect(logFile(segment).starts(with: bytes), "\(segment.baseOffset)")
    }
  }

  /// I5: what is published is whole valid batches.
  @Test func publishedBytesAreWholeValidBatches() throws {
    for _ in 0..<30 {
      try append(isDurable: false)
      for segment in log.store.state.segments {
        let end = Int(try log.access.open(segment).end().position)
        let found = try batches(Array(logFile(segment)[..<end]))
        #expect(!found.isEmpty)
      }
    }
  }

  /// I6: an index entry is (last offset of a batch, its position), strictly ascending, below the
  /// end.
  @Test func indexEntriesNameBatchesAndAscend() throws {
    try append(80)
    var entryCount = 0
    for segment in log.store.state.segments {
      let bytes = disk.contents(of: segment.path(.index)) ?? []
      let entries = IndexContent<OffsetIndexEntry>(bytes.span, baseOffset: segment.baseOffset)
        .entries
      let known = try batches(logFile(segment)).map { [$0.header.lastOffset, Int64($0.position)] }
      for entry in entries { #expect(known.contains([entry.offset, Int64(entry.position)])) }
      for (entry, next) in zip(entries, entries.dropFirst()) {
        #expect(entry.offset < next.offset && entry.position < next.position)
      }
      entryCount += entries.count
    }
    #expect(entryCount > 10)
  }

  /// I7: below the recovery point everything is synced: bytes, names, and sealed indexes trimmed.
  @Test func recoveryPointCoversOnlyWhatIsSynced() throws {
    for _ in 0..<12 {
      try append(5, isDurable: false)
      try log.flushBlocking()
      let after = disk.crash(.loseAllUnsynced)
      let found = try Store.openBlocking("/data", config: Self.config(), disk: after)
      let again = try #require(found.logs.first)
      #expect(again.logEndOffset == log.recoveryPoint)
      #expect(again.recovery.damage.isEmpty && again.recovery.rebuiltIndexes.isEmpty)
      for segment in log.store.state.segments.dropLast() {
        let durable = disk.durableContents(of: segment.path(.index)) ?? []
        #expect(IndexContent<OffsetIndexEntry>(durable.span, baseOffset: 0).zeroTailBytes == 0)
        #expect(disk.durableContents(of: segment.path(.log)) == logFile(segment))
      }
    }
    #expect(log.store.state.segments.count > 3)
  }

  /// I8: after a failed sync nothing is written or acknowledged, though the next one would work.
  @Test func failedSyncIsFinal() throws {
    try append(3)
    let end = log.logEndOffset
    disk.plan(FaultPlan(.error(EIO), at: 1, operations: [.sync], pathSuffix: ".log"))
    var batch = sampleBatch(2)
    #expect(throws: LogError.self) { try log.appendBlocking(batch: &batch) }
    #expect(disk.faultFired)
    disk.removeFaults()
    for _ in 0..<3 {
      let writes = disk.counters.calls[.write]
      #expect(throws: LogError.self) { try log.appendBlocking(batch: &batch) }
      #expect(disk.counters.calls[.write] == writes)
    }
    #expect(log.recoveryPoint == end)
    #expect(throws: LogError.self) { try log.flushBlocking() }
    // No mark either, though one was due of what was flushed before.
    let operations = disk.operationCount
    log.pipeline.refreshMark(force: true)
    #expect(disk.operationCount == operations)
    let reader = LogReader(log)
    #expect(try reader.read(from: 0, maxBytes: 10_000)?.baseOffset == 0)
  }

  /// I9: an index decides nothing: with garbage in all of them each record is found as before.
  @Test func indexesAreNoEvidence() throws {
    try append(60)
    let segments = log.store.state.segments
    let last = log.logEndOffset
    try store.closeBlocking()
    var random = SeededGenerator(seed: 9)
    for segment in segments {
      for kind in [SegmentName.Kind.index, .timeindex] {
        let size = disk.contents(of: segment.path(kind))?.count ?? 0
        try disk.install(
          segment.path(kind), (0..<size).map { _ in UInt8.random(in: 0...255, using: &random) })
      }
    }
    let opened = try Store.openBlocking("/data", config: Self.config(), disk: disk)
    let again = try #require(opened.logs.first)
    #expect(again.logEndOffset == last)
    for offset in 0..<last {
      let record = try LogReader(again).record(at: offset)
      #expect(record?.offset == offset)
    }
    #expect(again.damagedRanges.isEmpty)
  }
}
