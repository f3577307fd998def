import DiskIO
import MkstoreBytes
import StoreTesting
import Testing

@testable import LogStore

/// `mkstore.mark` torn, stale, rotten or gone: the log is the same; only the scan is longer.
@Suite struct RecoveryMarkTests {
  private static let markPath = "\(CrashStore.directory)/\(DurableMark.fileName)"

  /// A killed store, what its log held, and every content its mark had.
  private func killed() throws -> (SimulatedDisk, [LogModel.Batch], marks: [[UInt8]]) {
    let disk = SimulatedDisk(seed: 41)
    var model = LogModel()
    var marks: [[UInt8]] = []
    let config = CrashStore.config(segmentBytes: 500)
    for session in 0..<2 {
      let store = try CrashStore(disk, config)
      for index in 0..<8 {
        try store.append(SampleBatches.small[session * 8 + index], &model)
        marks.append(try #require(disk.contents(of: Self.markPath)))
        if index % 3 == 2 { store.log.pipeline.refreshMark(force: true) }
      }
      if session == 0 {
        try store.manager.closeBlocking()
      } else {
        return (disk.kill(), try LogModel.content(of: store.log), marks)
      }
    }
    preconditionFailure("no session")
  }

  /// Opens a copy with another mark (nil: none); expects the content, and nothing eventful.
  private func expectSame(
    _ disk: SimulatedDisk, _ mark: [UInt8]?, _ content: [LogModel.Batch], _ place: String
  ) throws {
    // The same or another run of the system, in turn by the mark's bytes: the one trusts the slot
    // that was never synced, the other does not.
    let sum = mark?.reduce(0) { $0 + Int($1.nonzeroBitCount) } ?? 0
    for copy in [sum % 2 == 0 ? disk.kill() : disk.crash(.keepAll)] {
      if let mark { try copy.install(Self.markPath, mark) } else { try copy.remove(Self.markPath) }
      let store = try CrashStore(copy, CrashStore.config(segmentBytes: 500), creates: false)
      #expect(try LogModel.content(of: store.log) == content, "\(place)")
      #expect(store.log.logEndOffset == content.last?.nextOffset, "\(place)")
      #expect(store.log.recovery.cuts.isEmpty && store.log.damagedRanges.isEmpty, "\(place)")
    }
  }

  @Test func everyFlippedBitOfTheMarkIsHarmless() throws {
    let (disk, content, marks) = try killed()
    let mark = try #require(marks.last)
    #expect(mark.count > 2 * DurableMark.slotBytes)
    for slot in 0..<3 {
      for byte in 0..<100 where slot * DurableMark.slotBytes + byte < mark.count {
        for bit in 0..<8 {
          var flipped = mark
          flipped[slot * DurableMark.slotBytes + byte] ^= 1 << UInt8(bit)
          try expectSame(disk, flipped, content, "slot \(slot), byte \(byte), bit \(bit)")
        }
      }
    }
  }

  @Test func everyTornSlotIsPassedOver() throws {
    let (disk, content, marks) = try killed()
    let (older, mark) = (marks[marks.count - 4], marks[marks.count - 1])
    for slot in 0..<3 {
      for end in stride(from: 0, through: 96, by: 4) {
        var torn = mark
        let start = slot * DurableMark.slotBytes
        for byte in start + end..<min(start + 96, torn.count) { torn[byte] = older[byte] }
        try expectSame(disk, torn, content, "slot \(slot) torn at \(end)")
        for byte in start + end..<min(start + 96, torn.count) { torn[byte] = 0 }
        try expectSame(disk, torn, content, "slot \(slot) zero from \(end)")
      }
    }
  }

  @Test func aStaleMarkOnlyMakesTheScanLonger() throws {
    let (disk, content, marks) = try killed()
    // Within the session every state that the mark had is true still; of the one before only that
    // all below it is synced.
    for (index, mark) in marks.enumerated() {
      try expectSame(disk, mark, content, "mark \(index)")
      try expectSame(disk, Array(mark.prefix(1_024)), content, "mark \(index), synced slots")
    }
  }

  @Test func aLostMarkLosesNothing() throws {
    let (disk, content, marks) = try killed()
    try expectSame(disk, nil, content, "no mark")
    for count in [0, 1, 79, 95, 96, 511, 512, 607, 608, 1_023, 1_024] {
      try expectSame(disk, Array(marks[marks.count - 1].prefix(count)), content, "\(count) bytes")
    }
    try expectSame(
      disk, [UInt8](repeating: 0xff, count: 1_536), content, "a mark of something else")
  }

  @Test func slotsTakeTurnsAndTheNewestValidOneSpeaks() throws {
    let disk = SimulatedDisk(seed: 42)
    try disk.installDirectory("/log")
    let directory = LogDirectory(disk: disk, path: "/log")
    let (mark, isNew) = try DurableMark.open(directory)
    let nothing = try DurableMark.read(directory)
    #expect(isNew && nothing == DurableMark.Contents())
    var record = MarkRecord(
      sequence: 0, bootIdentifier: 1, recoveryPoint: 0, segmentBaseOffset: 0, position: 0,
      largest: TimestampOffset(timestamp: -1, offset: 0), offsetEntries: 0, timeEntries: 0,
      isClean: false)
    for point in 1...6 {
      record.recoveryPoint = Int64(point)
      if point % 2 == 0 { try mark.noteFlushed(record) } else { try mark.noteDurable(record) }
      let contents = try DurableMark.read(directory)
      #expect(contents.newest?.recoveryPoint == Int64(point))
      #expect(contents.durable?.recoveryPoint == Int64(point % 2 == 0 ? point - 1 : point))
      // What is synced survives; what is not may be torn but never speaks then.
      for seed in 0..<20 {
        let after = disk.crash(seed: UInt64(seed))
        guard after.contents(of: "/log/\(DurableMark.fileName)") != nil else { continue }
        let found = try DurableMark.read(LogDirectory(disk: after, path: "/log"))
        let newest = try #require(found.newest)
        #expect(newest.recoveryPoint <= Int64(point))
        #expect(newest.recoveryPoint >= Int64(point % 2 == 0 ? point - 1 : point))
      }
    }
  }

  /// The flags word as docs/format.md has it; the mode says nothing about recovery.
  @Test(arguments: [
    (Durability?.none, UInt32(0)), (.flushed, 1 << 3), (.operatingSystem, 3 << 3),
    (.interval(milliseconds: 500), 500 << 5 | 2 << 3),
  ])
  func theMarkTellsWhatAnAcknowledgementMeant(_ mode: Durability?, _ flags: UInt32) throws {
    let disk = SimulatedDisk(seed: 43)
    try disk.installDirectory("/log")
    let directory = LogDirectory(disk: disk, path: "/log")
    let (mark, _) = try DurableMark.open(directory)
    try mark.noteDurable(
      MarkRecord(
        sequence: 0, bootIdentifier: 1, recoveryPoint: 7, segmentBaseOffset: 0, position: 9,
        largest: TimestampOffset(timestamp: -1, offset: 0), offsetEntries: 0, timeEntries: 0,
        isClean: true, durability: mode))
    let bytes = try #require(disk.contents(of: "/log/\(DurableMark.fileName)"))
    #expect(bytes.span.loadBigEndian(UInt32.self, at: 64) == flags | 1)
    let found = try DurableMark.read(directory).newest
    #expect(found?.durability == mode && found?.isClean == true && found?.recoveryPoint == 7)
  }

  /// No log counts so far as half of the numbers: such a one was made up, and the next session
  /// counts from the start, or no later slot would be newer.
  @Test(arguments: [UInt64.max / 2, .max / 2 + 1, .max])
  func aMadeUpSequenceEndsWithTheNextSession(_ sequence: UInt64) throws {
    let sample = try RecoverySample()
    let directory = LogDirectory(disk: sample.disk, path: CrashStore.directory)
    var record = try #require(try DurableMark.read(directory).newest)
    record.sequence = sequence
    try sample.edit(Self.markPath, on: sample.disk) { bytes in
      bytes = [UInt8](repeating: 0, count: bytes.count)
      var span = bytes.mutableSpan
      record.encode(into: &span)
    }
    let store = try CrashStore(
      sample.disk, CrashStore.config(segmentBytes: 500), creates: false)
    #expect(store.log.recovery.wasClean)
    let result = try store.tryAppend(SampleBatches.small[20]).get()
    let disk = sample.disk.kill()
    let newest = try #require(
      try DurableMark.read(LogDirectory(disk: disk, path: CrashStore.directory)).newest)
    #expect(newest.recoveryPoint == result.lastOffset + 1)
    #expect(sequence > .max / 2 ? newest.sequence < 100 : newest.sequence > sequence)
    let opened = try CrashStore(disk, CrashStore.config(segmentBytes: 500), creates: false)
    #expect(try LogModel.content(of: opened.log).dropLast() == sample.content[...])
  }
}
