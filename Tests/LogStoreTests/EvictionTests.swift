import DiskIO
import Foundation
import StoreTesting
import Testing

@testable import LogStore

/// Bytes that were checked, left the page cache, rotted on the disk and are read from it again: a
/// reader that asks the kernel checks them anew, whatever it reads on its way to them (P14).
@Suite(.enabled(if: Eviction.isPossible, "pages cannot be evicted here"))
struct EvictionTests {
  /// A closed store on a real disk: 64 batches of 1 KiB and one of 40 KiB, all read once.
  private final class Sample {
    let root = NSTemporaryDirectory() + "mkstore-eviction-\(UUID().uuidString)"
    let log: Log
    private let store: Store
    let content: [LogModel.Batch]
    let path: String

    init() throws {
      var config = CrashStore.config(segmentBytes: 1 << 20, indexIntervalBytes: 4096)
      config.log.segmentIndexBytes = 4096
      store = try Store.openBlocking(root, config: config, logger: .silent)
      log = try store.createLogBlocking(try TopicPartition(topic: "t", partition: 0))
      for number in 0..<65 {
        var batch = SampleBatches.make(number, records: 1, valueBytes: number == 30 ? 40_960 : 950)
        try log.appendBlocking(batch: &batch)
      }
      let found = try log.readAround()
      content = found.batches
      path = log.store.state.segments[0].path(.log)
    }

    deinit {
      do {
        try store.closeBlocking()
        try FileManager.default.removeItem(atPath: root)
      } catch {
        Issue.record(error)
      }
    }

    func position(_ index: Int) -> Int { content[..<index].reduce(0) { $0 + $1.bytes.count } }

    /// Flips a bit of a batch on the disk and drops the file's pages.
    func rot(_ index: Int, byte: Int) throws {
      let file = try PosixDisk().open(path, .readWrite)
      let flipped = [content[index].bytes[byte] ^ 1]
      try file.write(flipped.span, at: position(index) + byte)
      try Eviction.evict(file)
      try #require(!file.isCached(at: position(index) + byte, count: 1))
    }
  }

  private func expectRefused(
    _ sample: Sample, _ reader: LogReader, _ index: Int, maxBytes: Int
  ) throws {
    let batch = sample.content[index]
    do throws(LogError) {
      let found = try reader.read(from: batch.baseOffset, maxBytes: maxBytes, limit: .logEnd)
      Issue.record("batch \(index), \(maxBytes) bytes: served \(found?.byteCount ?? 0)")
    } catch {
      guard case .corrupt(let range) = error.kind else { throw error }
      #expect(range.offsets == batch.baseOffset..<batch.nextOffset)
    }
  }

  /// The search for the batch reads headers just before it, or its own page.
  @Test(arguments: [1, 1 << 20, Int.max])
  func theSearchDoesNotHideWhatWasEvicted(maxBytes: Int) throws {
    for index in [3, 20, 55, 61, 62, 63, 64] {
      let sample = try Sample()
      try sample.rot(index, byte: 200)
      let reader = LogReader(sample.log, rechecksEvicted: true)
      try expectRefused(sample, reader, index, maxBytes: maxBytes)
    }
  }

  /// A first batch is given whole, also where the read asked for less: of which the kernel was
  /// asked.
  @Test(arguments: [true, false])
  func aFirstBatchLargerThanTheReadIsAskedAbout(isHot: Bool) throws {
    let sample = try Sample()
    let reader = LogReader(sample.log, rechecksEvicted: true)
    let batch = sample.content[30]
    let before = try reader.read(from: batch.baseOffset - 1, maxBytes: 1, limit: .logEnd)
    #expect(before?.nextOffset == batch.baseOffset)
    try sample.rot(30, byte: 30_000)
    // Its first page is there again, read by somebody else.
    let file = try PosixDisk().open(sample.path, .read)
    file.advise(.random, at: 0, count: 0)
    var bytes = [UInt8](repeating: 0, count: 100)
    var target = bytes.mutableSpan
    _ = try file.read(into: &target, at: sample.position(30))
    try #require(file.isCached(at: sample.position(30), count: 100))
    try #require(!file.isCached(at: sample.position(30) + 30_000, count: 1))
    if isHot {
      let hot = try reader.readHot(
        from: batch.baseOffset, maxBytes: 100, below: sample.log.logEndOffset)
      guard case .cold = hot else {
        Issue.record("served without a look at the disk")
        return
      }
    }
    try expectRefused(sample, reader, 30, maxBytes: 100)
    let behind = try reader.read(from: batch.nextOffset, maxBytes: 1, limit: .logEnd)
    #expect(behind?.baseOffset == batch.nextOffset)
  }

  /// Another way of reading met the damage first: what was checked before counts no more.
  @Test func damageThatALookUpByTimeFoundIsNotServed() throws {
    let sample = try Sample()
    let segment = sample.log.store.state.segments[0]
    let file = try PosixDisk().open(sample.path, .readWrite)
    let batch = sample.content[40]
    let place = sample.position(40)..<sample.position(41)
    let flipped = [batch.bytes[100] ^ 1]
    try file.write(flipped.span, at: place.lowerBound + 100)
    try #require(segment.verified.contains(place))
    try sample.log.access.open(segment).fence(
      place, batch.baseOffset..<batch.nextOffset, "found by a look-up")
    #expect(!segment.verified.contains(place))
    #expect(segment.verified.contains(0..<place.lowerBound))
    let reader = LogReader(sample.log)
    let before = try reader.read(
      from: sample.content[38].baseOffset, maxBytes: 1 << 20, limit: .logEnd)
    #expect(before?.nextOffset == batch.baseOffset)
    try expectRefused(sample, reader, 40, maxBytes: 1 << 20)
  }

  /// Another process looks at the rotten batch and leaves: `serve`, which takes cached bytes for
  /// checked ones, must not find its pages.
  @Test(arguments: Looker.allCases)
  fileprivate func whoFindsDamageLeavesNoPagesOfIt(_ looker: Looker) throws {
    for index in [3, 30, 64] {
      let sample = try Sample()
      try sample.rot(index, byte: 200)
      try looker.look(sample.path)
      let file = try PosixDisk().open(sample.path, .read)
      #expect(!file.isCached(at: sample.position(index) + 200, count: 1), "batch \(index)")
      // The server's reader took all of it for checked before.
      let reader = LogReader(sample.log, rechecksEvicted: true)
      try expectRefused(sample, reader, index, maxBytes: 1 << 20)
    }
  }

  @Test func forgottenRangesStayForgotten() {
    let ranges = VerifiedRanges()
    ranges.insert(0..<100)
    ranges.insert(200..<250)
    ranges.remove(40..<60)
    #expect(ranges.contains(0..<40) && ranges.contains(60..<100) && ranges.contains(200..<250))
    #expect(!ranges.contains(39..<41) && !ranges.contains(50..<51) && !ranges.contains(59..<61))
    ranges.remove(90..<210)
    #expect(ranges.contains(60..<90) && ranges.contains(210..<250))
    #expect(!ranges.contains(90..<91) && !ranges.contains(209..<210))
    ranges.remove(0..<250)
    #expect(ranges.verifiedEnd(from: 0) == 0 && ranges.verifiedEnd(from: 249) == 249)
    ranges.appended(250..<260)
    #expect(ranges.contains(250..<260) && !ranges.contains(249..<251))
  }
}

/// Readers that are not the server.
private enum Looker: CaseIterable {
  case verify, deepVerify, fetch, record, recoverDryRun

  func look(_ segment: String) throws {
    let directory = PathText.parent(segment)
    switch self {
    case .verify, .deepVerify:
      var options = VerificationOptions()
      if self == .deepVerify { options.depth = .deep }
      let report = try LogVerifier(PosixDisk(), options).verify([directory])
      #expect(report.damage.count == 1)
    case .fetch, .record:
      let log = try Log.openReadOnlyBlocking(directory, logger: .silent)
      let reader = LogReader(log)
      var isMet = false
      for offset in 0..<log.logEndOffset {
        do throws(LogError) {
          if self == .fetch {
            _ = try reader.read(from: offset, maxBytes: 1, limit: .logEnd)
          } else {
            _ = try reader.record(at: offset, limit: .logEnd)
          }
        } catch {
          isMet = true
        }
      }
      #expect(isMet || log.damagedRanges.count == 1)
    case .recoverDryRun:
      // What opening for reading does not look at, it does not bring in.
      _ = try Log.openReadOnlyBlocking(directory, logger: .silent)
    }
  }
}

/// Whether the kernel drops pages of a file in the temporary directory when it is told to.
private enum Eviction {
  static let isPossible: Bool = {
    do {
      let path = NSTemporaryDirectory() + "mkstore-eviction-\(UUID().uuidString)"
      let disk = PosixDisk()
      let file = try disk.open(path, .create)
      defer { unlinkQuietly(disk, path) }
      let bytes = [UInt8](repeating: 1, count: 8192)
      try file.write(bytes.span, at: 0)
      try evict(file)
      return !file.isCached(at: 0, count: 8192)
    } catch {
      return false
    }
  }()

  static func evict(_ file: any DiskFile) throws {
    try file.sync()
    file.advise(.dontNeed, at: 0, count: 0)
  }

  private static func unlinkQuietly(_ disk: PosixDisk, _ path: String) {
    do { try disk.remove(path) } catch { return }
  }
}
