import DiskIO
import MkstoreBytes
import RecordFormat
import StoreTesting
import Testing

@testable import LogStore

/// A sector of a `.log` that the disk does not give is damage of the batches that it touches, with
/// that as the cause: nothing is cut for it, and the rest of the log is read around it.
@Suite struct UnreadableSectorTests {
  /// Every sector of every segment, alone and with those after it, at every kind of stop.
  @Test(arguments: UnreadableLog.Stop.allCases)
  func everyCommandTellsTheSameOfEverySector(_ stop: UnreadableLog.Stop) throws {
    let log = try UnreadableLog(stop)
    #expect(log.segments.count > 2)
    for (segment, bytes) in log.faults {
      let place: Comment = "\(stop): \(segment.path) \(bytes)"
      let disk = try log.disk(segment, without: bytes)
      let before = try verify(disk)
      let found = try #require(before.damage.first, place)
      try check(found, log, segment, bytes, place)
      // Where nothing else tells the log's end, its indexes tell of more than the bytes do.
      let (_, lost) = try log.lost(segment, bytes)
      let others = before.damage.dropFirst()
      #expect(others.isEmpty || log.isEndUnknown(segment, lost), place)
      #expect(others.allSatisfy { $0.offsets == found.offsets!.upperBound..<log.end }, place)
      #expect(before.unreadable.isEmpty, place)
      #expect(before.hasDamage && before.tornTails.isEmpty, place)

      var config = UnreadableLog.config(stop)
      config.surveyDepth = .deep
      let store = try CrashStore(disk, config, creates: false)
      #expect(store.log.recovery.damage == before.damage, place)
      #expect(store.log.recovery.cuts.isEmpty, place)
      #expect(before.plans.first?.report.rebuiltIndexes == store.log.recovery.rebuiltIndexes, place)
      try store.manager.closeBlocking()
      #expect(try verify(disk).damage == before.damage, place)
      for other in log.segments { #expect(disk.contents(of: other.path) == other.bytes, place) }
      #expect(disk.counters.unreadableReads > 0, place)
    }
  }

  /// An ordinary opening, for writing: it reads around the sector, and goes on at the log's end.
  @Test(arguments: UnreadableLog.Stop.allCases)
  func theRestIsReadAndWritten(_ stop: UnreadableLog.Stop) throws {
    let log = try UnreadableLog(stop)
    for (segment, bytes) in log.faults {
      let place: Comment = "\(stop): \(segment.path) \(bytes)"
      let disk = try log.disk(segment, without: bytes)
      let store = try CrashStore(disk, UnreadableLog.config(stop), creates: false)
      let (_, lost) = try log.lost(segment, bytes)
      let (read, damage) = try Self.readAround(store.log)
      let whole = (0..<log.end).filter { !lost.contains($0) }
      #expect(read == whole, place)
      let found = try #require(damage.first, place)
      #expect(damage.count == 1, place)
      try check(found, log, segment, bytes, place)

      var next = SampleBatches.sealed([(CrashStore.nowMs, [7])])
      let appended = try store.log.appendBlocking(batch: &next).baseOffset
      #expect(appended >= min(log.end, lost.lowerBound + 1), place)
      if !log.isEndUnknown(segment, lost) { #expect(appended == log.end, place) }
      #expect(try LogReader(store.log).record(at: appended, limit: .logEnd)?.value == [7], place)
      try store.manager.closeBlocking()
      #expect(disk.counters.unreadableReads > 0, place)
      for other in log.segments {
        let now = try #require(disk.contents(of: other.path))
        #expect(now.starts(with: other.bytes), place)
      }
    }
  }

  /// The same of a log that is opened for reading.
  @Test func aReaderReadsAroundIt() throws {
    let log = try UnreadableLog(.closed)
    for (segment, bytes) in log.faults {
      let place: Comment = "\(segment.path) \(bytes)"
      let disk = try log.disk(segment, without: bytes)
      let opened = try Log.openReadOnlyBlocking(CrashStore.directory, disk: disk)
      let (_, lost) = try log.lost(segment, bytes)
      let (read, damage) = try Self.readAround(opened)
      #expect(read == (0..<log.end).filter { !lost.contains($0) }, place)
      #expect(damage.compactMap(\.offsets) == [lost], place)
    }
  }

  /// A sector that goes bad while the log is open, and that was read before.
  @Test func checkedBytesThatTheDiskLosesAreDamage() throws {
    let log = try UnreadableLog(.closed)
    for (segment, bytes) in log.faults {
      let place: Comment = "\(segment.path) \(bytes)"
      let disk = try log.disk(segment, without: 0..<0)
      let store = try CrashStore(disk, UnreadableLog.config(.closed), creates: false)
      #expect(try Self.readAround(store.log).read.count == Int(log.end), place)
      try disk.makeUnreadable(segment.path, bytes)
      let (_, lost) = try log.lost(segment, bytes)
      let (read, damage) = try Self.readAround(store.log)
      #expect(read == (0..<log.end).filter { !lost.contains($0) }, place)
      #expect(damage.compactMap(\.offsets) == [lost], place)
    }
  }

  /// What is cut off for another reason is kept aside as far as it can be read.
  @Test func aCutEndIsKeptAsFarAsItCanBeRead() throws {
    let log = try UnreadableLog(.killed)
    let segment = try #require(log.segments.last)
    let disk = try log.disk(segment, without: 0..<0)
    let end = segment.bytes.count
    // The beginning of a batch that was being written.
    let torn = SampleBatches.sealed([(CrashStore.nowMs, [UInt8](repeating: 5, count: 5000))])
    var bytes = segment.bytes + torn[..<3000]
    bytes[end..<end + 8] = [0, 0, 0, 0, 0, 0, 0, UInt8(log.end)]
    try disk.install(segment.path, bytes)
    let bad = (end / 512 + 2) * 512..<(end / 512 + 4) * 512
    try disk.makeUnreadable(segment.path, bad)
    let before = try verify(disk)
    #expect(before.damage.isEmpty && before.tornTails.map(\.bytes) == [end..<end + 3000])
    let store = try CrashStore(disk, UnreadableLog.config(.killed), creates: false)
    let cut = try #require(store.log.recovery.cuts.first)
    let path = try #require(cut.keptAs)
    let kept = try #require(disk.contents(of: path))
    let expected = (end..<end + 3000).map { bad.contains($0) ? ReadAroundFile.filler : bytes[$0] }
    #expect(kept == expected)
    #expect(
      store.log.recovery.notes.contains {
        $0.contains("cannot read the 1024 bytes at position \(bad.lowerBound) of \(segment.path)")
      }, "\(store.log.recovery.notes)")
    #expect(try Self.readAround(store.log).read == Array(0..<log.end))
  }

  /// A file without a single readable byte is one without access: never lost offsets.
  @Test func aFileThatCannotBeReadAtAllIsNoDamage() throws {
    let log = try UnreadableLog(.closed)
    for segment in log.segments {
      let disk = try log.disk(segment, without: 0..<segment.bytes.count)
      let report = try verify(disk)
      #expect(report.damage.isEmpty && !report.hasDamage, "\(segment.path)")
      #expect(report.unreadable.map(\.path) == [segment.path])
      #expect(report.summary.hasPrefix("incomplete:"))
    }
  }

  // MARK: Reading around

  /// Exactly the bad sectors are found, wherever a read begins and ends.
  @Test func everyOtherByteIsGiven() throws {
    let bytes = (0..<5000).map { UInt8($0 % 250) }
    let bad = [512..<1024, 1536..<2560, 4608..<5000]
    for start in stride(from: 0, to: 5000, by: 171) {
      for count in [1, 61, 512, 1000, 5000] {
        let disk = SimulatedDisk()
        try disk.install("/a", bytes)
        for range in bad { try disk.makeUnreadable("/a", range) }
        let file = ReadAroundFile.around(try disk.open("/a", .read))
        var buffer = [UInt8](repeating: 1, count: count)
        var target = buffer.mutableSpan
        let got = try file.read(into: &target, at: start)
        #expect(got == min(count, 5000 - start))
        for index in 0..<got {
          let isBad = bad.contains { $0.contains(start + index) }
          let expected = isBad ? ReadAroundFile.filler : bytes[start + index]
          if buffer[index] != expected { Issue.record("\(start) \(count): byte \(index)") }
        }
      }
    }
  }

  /// However many sectors are bad, few reads fail for it.
  @Test func theCostIsBounded() throws {
    let disk = SimulatedDisk()
    let size = 8 << 20
    try disk.install("/a", [UInt8](repeating: 0, count: size))
    for sector in stride(from: 1, to: size / 512, by: 2) {
      try disk.makeUnreadable("/a", sector * 512..<(sector + 1) * 512)
    }
    let file = ReadAroundFile.around(try disk.open("/a", .read))
    var buffer = [UInt8](repeating: 0, count: 1 << 20)
    for position in stride(from: 0, to: size, by: buffer.count) {
      var target = buffer.mutableSpan
      #expect(try file.read(into: &target, at: position) == buffer.count)
    }
    #expect(disk.counters.unreadableReads > 100)
    #expect(disk.counters.unreadableReads < ReadAroundFile.failedReadsMax + 100)
  }

  // MARK: Helpers

  private func check(
    _ found: DamagedRange, _ log: UnreadableLog, _ segment: UnreadableLog.Segment,
    _ bytes: Range<Int>, _ place: Comment
  ) throws {
    let (position, lost) = try log.lost(segment, bytes)
    #expect(found.file == segment.path && found.bytes == position, place)
    let first = max(position.lowerBound, bytes.lowerBound)
    #expect(found.reason.contains("cannot read position \(first)"), "\(place): \(found.reason)")
    #expect(found.reason.contains("EIO"), place)
    let offsets = try #require(found.offsets)
    #expect(offsets.lowerBound == lost.lowerBound, place)
    if log.isEndUnknown(segment, lost) {
      #expect(lost.contains(offsets.upperBound - 1), place)
    } else {
      #expect(offsets == lost, place)
    }
  }

  private func verify(_ disk: SimulatedDisk) throws -> VerificationReport {
    var options = VerificationOptions()
    options.depth = .deep
    options.threadCount = 1
    return try LogVerifier(disk, options).verify([CrashStore.path])
  }

  /// All offsets that can be read, and the damage that was told on the way.
  private static func readAround(_ log: Log) throws -> (read: [Int64], damage: [DamagedRange]) {
    let reader = LogReader(log)
    var (read, damage): ([Int64], [DamagedRange]) = ([], [])
    var offset = log.logStartOffset
    while offset < log.logEndOffset {
      do throws(LogError) {
        let next = try reader.forEachRecord(from: offset, maxBytes: 2000, limit: .logEnd) {
          (record) throws(LogError) in
          read.append(record.offset)
          return true
        }
        if next == offset { break }
        offset = next
      } catch {
        guard case .corrupt(let range) = error.kind, let offsets = range.offsets else {
          throw error
        }
        damage.append(range)
        offset = max(offset + 1, offsets.upperBound)
      }
    }
    return (read, damage)
  }
}
