import DiskIO
import Glibc
import StoreTesting
import Testing

@testable import LogStore

/// A clean stop tells Kafka that each log that knows producers has a snapshot at its end.
struct ClosingSnapshotTests {
  private static let marker = "/data/\(CleanShutdownFile.name)"

  private func path(_ offset: Int64, _ topic: String = "a") -> String {
    "/data/\(topic)-0/\(SegmentName(offset, .snapshot).fileName)"
  }

  private func snapshot(_ disk: SimulatedDisk, _ offset: Int64) throws -> ProducerSnapshot {
    try ProducerSnapshot(try #require(disk.contents(of: path(offset))), path: path(offset))
  }

  /// A killed store whose log holds three batches of producer 7, and no snapshot.
  private func killed() throws -> SimulatedDisk {
    let disk = SimulatedDisk(seed: 1)
    let (_, log) = try ProducerFixture.open(disk, segmentBytes: 1 << 20)
    for sequence: Int32 in 0..<3 {
      var batch = try ProducerFixture.batch(7, sequence: sequence)
      #expect(try !log.appendBlocking(batch: &batch).isDuplicate)
    }
    let killed = disk.kill()
    #expect(killed.contents(of: path(3)) == nil)
    return killed
  }

  /// Opens and closes, and appends nothing.
  private func reopen(_ disk: SimulatedDisk) throws {
    let (store, _) = try ProducerFixture.open(disk, segmentBytes: 1 << 20)
    try store.closeBlocking()
  }

  @Test func aLogOfAKilledSessionThatNobodyAppendedToGetsOne() throws {
    let disk = try killed()
    try reopen(disk)
    let found = try snapshot(disk, 3)
    #expect(found.producers.map(\.producerId) == [7])
    #expect(found.producers.map(\.lastSequence) == [2] && found.producers[0].lastOffset == 2)
    #expect(disk.contents(of: Self.marker) != nil)
  }

  /// Kafka's own snapshot at the log's end, written again from the batches alone.
  @Test func anAdoptedLogGetsTheOneThatKafkaWrote() throws {
    var count = 0
    for directory in try ProducerVectorTests.directories {
      let end = try #require(directory.offsets(.snapshot).last)
      let kafka = try ProducerSnapshot(
        SharedVectors.bytes(directory.path(end, .snapshot)), path: "snapshot")
      // What batches said that were deleted or cleaned away since, no scan can know.
      if directory.offsets(.log)[0] > 0 || directory.path.contains("compacted") { continue }
      for keepsOlder in [true, false] {
        let disk = SimulatedDisk(seed: 1)
        for name in directory.names
        where name.kind != .snapshot || (keepsOlder && name.baseOffset < end) {
          try disk.install(
            "/data/a-0/\(name.fileName)",
            SharedVectors.bytes("\(directory.path)/\(name.fileName)"))
        }
        // Without Kafka's mark of a clean stop: its broker was killed.
        let (store, log) = try ProducerFixture.open(disk, segmentBytes: 1 << 20)
        guard log.logEndOffset == end else {
          try store.closeBlocking()
          continue
        }
        try store.closeBlocking()
        #expect(
          try snapshot(disk, end).producers
            == kafka.producers.sorted { $0.producerId < $1.producerId },
          "\(directory.testDescription)")
        #expect(disk.contents(of: Self.marker) != nil)
        count += 1
      }
    }
    #expect(count >= 12, "\(count)")
  }

  /// Kafka reads from an older snapshot on, whose producers may be others.
  @Test func aLogWhoseProducersAllExpiredGetsAnEmptyOne() throws {
    let disk = try killed()
    try reopen(disk)
    var config = ProducerFixture.config(segmentBytes: 1 << 20)
    config.nowMs = { ProducerFixture.nowMs + 100 * 86_400_000 }
    let store = try Store.openBlocking("/data", config: config, disk: disk, logger: .silent)
    var plain = sampleBatch(1)
    try store.logs[0].appendBlocking(batch: &plain)
    try store.closeBlocking()
    #expect(try snapshot(disk, 4).producers.isEmpty)
    #expect(disk.contents(of: Self.marker) != nil)
  }

  /// Each byte of a log that needs no snapshot is left unread, however often a store is closed.
  @Test func closingCostsNothingWhereTheSnapshotIsThere() throws {
    let disk = try killed()
    try reopen(disk)
    let (store, _) = try ProducerFixture.open(disk, segmentBytes: 1 << 20)
    let (read, written) = (disk.counters.bytesRead, disk.counters.bytesWritten)
    let before = disk.contents(of: path(3))
    try store.logs[0].close()
    #expect(disk.counters.bytesRead == read && disk.counters.bytesWritten == written)
    try store.closeBlocking()
    #expect(disk.contents(of: path(3)) == before)
    #expect(disk.contents(of: Self.marker) != nil)
  }

  /// After its own clean stop Kafka takes a log without any snapshot for one without producers: no
  /// scan of a large adopted log is owed for leaving it as it was.
  @Test func anAdoptedLogThatKafkaTakesForEmptyIsNotRead() throws {
    let directory = try #require(
      ProducerVectorTests.directories.first { $0.path.contains("codec-lz4") })
    let disk = SimulatedDisk(seed: 1)
    for name in directory.names where name.kind != .snapshot {
      try disk.install(
        "/data/a-0/\(name.fileName)", SharedVectors.bytes("\(directory.path)/\(name.fileName)"))
    }
    try disk.install(Self.marker, [])
    let (store, log) = try ProducerFixture.open(disk, segmentBytes: 1 << 20)
    let read = disk.counters.bytesRead
    try log.close()
    #expect(disk.counters.bytesRead == read)
    try store.closeBlocking()
    #expect(disk.contents(of: Self.marker) != nil)
    #expect(disk.contents(of: path(log.logEndOffset)) == nil)
  }

  // MARK: Where it cannot be written

  @Test(arguments: [DiskError.Operation.create, .write, .sync, .rename, .syncDirectory])
  func withoutTheSnapshotThereIsNoMarker(_ operation: DiskError.Operation) throws {
    let suffix = operation == .syncDirectory ? "/a-0" : ".snapshot.tmp"
    let disk = try killed()
    let (store, _) = try ProducerFixture.open(disk, segmentBytes: 1 << 20)
    let before = disk.faultsFired
    disk.plan(
      FaultPlan(.error(EIO), at: 1, isForEver: true, operations: [operation], pathSuffix: suffix))
    if operation == .syncDirectory {
      #expect(throws: LogError.self) { try store.closeBlocking() }
    } else {
      try store.closeBlocking()
    }
    #expect(disk.faultsFired > before)
    disk.removeFaults()
    #expect(disk.contents(of: Self.marker) == nil)
    // The next clean stop makes up for it.
    try reopen(disk)
    #expect(try snapshot(disk, 3).producers.map(\.lastSequence) == [2])
    #expect(disk.contents(of: Self.marker) != nil)
  }

  /// Something else has the snapshot's name.
  @Test func aDirectoryInTheSnapshotsPlaceLeavesNoMarker() throws {
    let disk = try killed()
    let (store, _) = try ProducerFixture.open(disk, segmentBytes: 1 << 20)
    try disk.installDirectory(path(3))
    try store.closeBlocking()
    #expect(disk.contents(of: Self.marker) == nil)
  }

  @Test func anEmptyFileInTheSnapshotsPlaceIsReplaced() throws {
    let disk = try killed()
    let (store, _) = try ProducerFixture.open(disk, segmentBytes: 1 << 20)
    try disk.install(path(3), [])
    try store.closeBlocking()
    #expect(try snapshot(disk, 3).producers.map(\.lastSequence) == [2])
    #expect(disk.contents(of: Self.marker) != nil)
  }

  /// What cannot be read cannot be told to Kafka; the other logs close in order.
  @Test func aLogThatCannotBeReadLeavesNoMarker() throws {
    let disk = try killed()
    let (store, _) = try ProducerFixture.open(disk, segmentBytes: 1 << 20)
    let before = disk.faultsFired
    disk.plan(
      FaultPlan(.error(EIO), at: 1, isForEver: true, operations: [.read], pathSuffix: ".log"))
    try store.closeBlocking()
    #expect(disk.faultsFired > before)
    disk.removeFaults()
    #expect(disk.contents(of: Self.marker) == nil)
    try reopen(disk)
    #expect(disk.contents(of: Self.marker) != nil)
  }

  @Test func aFullDiskPassesAndTheNextCloseWritesIt() throws {
    let disk = try killed()
    let (store, _) = try ProducerFixture.open(disk, segmentBytes: 1 << 20)
    let before = disk.faultsFired
    disk.plan(
      FaultPlan(
        .error(ENOSPC), at: 1, isForEver: true, operations: [.write],
        pathSuffix: ".snapshot.tmp"))
    for _ in 0..<2 {
      do throws(LogError) {
        try store.closeBlocking()
        Issue.record("closed")
      } catch {
        guard case .diskFull = error.kind else { throw error }
      }
      #expect(disk.contents(of: Self.marker) == nil)
    }
    #expect(disk.faultsFired > before)
    disk.removeFaults()
    try store.closeBlocking()
    #expect(try snapshot(disk, 3).producers.map(\.lastSequence) == [2])
    #expect(disk.contents(of: Self.marker) != nil)
  }
}
