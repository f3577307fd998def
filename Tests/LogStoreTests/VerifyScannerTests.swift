import DiskIO
import LogStore
import RecordFormat
import StoreTesting
import Testing

/// The walk over a segment's batches, and how it finds on after damage.
struct VerifyScannerTests {
  /// What a walk gives, in a form that can be compared.
  struct Walk: Equatable {
    var batches: [Int] = []
    var skipped: [Range<Int>] = []
    var end = -1
  }

  @Test(arguments: [1, 61, 100, 152, 153, 600, 607, 1000, 4096, 13_813, 13_814, 1 << 20])
  func anyBufferSizeGivesTheSameWalk(_ chunkBytes: Int) throws {
    let log = try SmallLog("seg-0")
    let segment = log.manifest.segments[0]
    let bytes = try #require(log.files[log.logName(segment)])
    let starts = segment.batches.map(\.position)
    let found = try walk(bytes, chunkBytes: chunkBytes)
    #expect(found == Walk(batches: starts, skipped: [], end: bytes.count))
    // The same with a batch that the CRC refuses.
    var damaged = bytes
    let hit = segment.batches[17]
    damaged[hit.position + hit.size - 1] ^= 1
    let rest = starts.filter { $0 != hit.position }
    let skipped = hit.position..<hit.position + hit.size
    let around = try walk(damaged, chunkBytes: chunkBytes)
    #expect(around == Walk(batches: rest, skipped: [skipped], end: bytes.count))
  }

  @Test(arguments: [61, 1000, 1 << 20])
  func theBodySeesExactlyEachBatchAndMayRefuseIt(_ chunkBytes: Int) throws {
    let log = try SmallLog("seg-0")
    let segment = log.manifest.segments[0]
    let bytes = try #require(log.files[log.logName(segment)])
    let disk = SimulatedDisk()
    try disk.install("/a", bytes)
    var scanner = try scanner(disk, chunkBytes: chunkBytes)
    var seen: [UInt8] = []
    let refusal = BatchError.tooLarge(byteCount: 1, limit: 0)
    for batch in segment.batches.prefix(5) {
      let event = try scanner.next { (header, body) throws(BatchError) in
        if header.baseOffset == 6 && seen.count == 729 { throw refusal }
        for index in body.indices { seen.append(body[index]) }
      }
      if case .invalid(let fault, let position) = event {
        #expect(batch.baseOffset == 6 && position == batch.position)
        #expect(fault == .format(refusal))
        // It stays there until told to go on.
        #expect(scanner.position == position)
        let (skipped, header) = try scanner.resume()
        #expect(skipped == 729..<1154)
        #expect(header?.baseOffset == 10)
      }
    }
    #expect(seen == Array(bytes[0..<729] + bytes[1154..<1670]))
  }

  @Test func emptyFilesEndAtOnce() throws {
    #expect(try walk([], chunkBytes: 1000) == Walk(end: 0))
  }

  @Test func aShrinkingFileEndsWhereItEndsNow() throws {
    let disk = SimulatedDisk()
    let bytes = try BatchSource.batches(from: 0, count: 10, valueBytes: 50)
    try disk.install("/a", Array(bytes.prefix(bytes.count / 2)))
    let file = try disk.open("/a", .read)
    var scanner = SegmentScanner(
      file, endPosition: bytes.count, expectedOffset: 0, offsetLimit: 100)
    for _ in 0..<5 {
      guard case .batch = try scanner.next() else {
        Issue.record("five whole batches are there")
        return
      }
    }
    guard case .end(let position) = try scanner.next() else {
      Issue.record("the file ends behind them")
      return
    }
    #expect(position == bytes.count / 2)
    #expect(scanner.endPosition == bytes.count / 2)
  }

  @Test func aBatchWithinADamagedBatchIsNotTakenForOne() throws {
    let inner = try BatchSource.batch(baseOffset: 3, values: [[1, 2, 3]])
    var outer = try BatchSource.batch(baseOffset: 2, values: [inner])
    outer[outer.count - 1] ^= 1
    let before = try BatchSource.batches(from: 0, count: 2, valueBytes: 10)
    let after = try BatchSource.batches(from: 3, count: 2, valueBytes: 10)
    let followed = try walk(before + outer + after, chunkBytes: 4096)
    let start = before.count
    #expect(followed.skipped == [start..<start + outer.count])
    #expect(followed.batches.count == 4)
    let last = try walk(before + outer, chunkBytes: 4096)
    #expect(last.skipped == [start..<start + outer.count])
    #expect(last.batches.count == 2)
  }

  /// The same where the length is what is wrong, whatever it says: the CRC tells where it ends.
  @Test(arguments: [-1, 0, 49, 130, 131, 5_000, 1 << 24] as [Int32])
  func aBatchWithinABatchOfWrongLengthIsNotTakenForOne(_ length: Int32) throws {
    let inner = try BatchSource.batch(baseOffset: 2, values: [[1, 2, 3]])
    let padding = [UInt8](repeating: 0, count: 77)
    var outer = try BatchSource.batch(
      baseOffset: 2, values: [padding + inner + inner + padding])
    for byte in 0..<4 {
      outer[BatchLayout.batchLength + byte] = UInt8(
        truncatingIfNeeded: length >> Int32(24 - 8 * byte))
    }
    let before = try BatchSource.batches(from: 0, count: 2, valueBytes: 10)
    let after = try BatchSource.batches(from: 3, count: 2, valueBytes: 10)
    let skipped = [before.count..<before.count + outer.count]
    let followed = try walk(before + outer + after, chunkBytes: 4096)
    #expect(followed.skipped == skipped && followed.batches.count == 4)
    let last = try walk(before + outer, chunkBytes: 4096)
    #expect(last.skipped == skipped && last.batches.count == 2)
  }

  @Test func aWrongOffsetIsToldFromAGapByTheBatchesBehindIt() throws {
    let first = try BatchSource.batch(baseOffset: 0, values: [[1]])
    let far = try BatchSource.batch(baseOffset: 40, values: [[2]])
    let next = try BatchSource.batch(baseOffset: 2, values: [[3]])
    let gap = try BatchSource.batch(baseOffset: 41, values: [[4]])
    let size = first.count
    // 0, 40, 41: compaction left a gap.
    #expect(try walk(first + far + gap, chunkBytes: 4096).skipped == [])
    // 0, 40, 2: the second says 40 and is 1.
    #expect(try walk(first + far + next, chunkBytes: 4096).skipped == [size..<2 * size])
    // 0, 40, 5, 7: gaps, and the second is the one that does not fit.
    let five = try BatchSource.batch(baseOffset: 5, values: [[3]])
    let seven = try BatchSource.batch(baseOffset: 7, values: [[3]])
    #expect(try walk(first + far + five + seven, chunkBytes: 4096).skipped == [size..<2 * size])
    // 0, 40, 5, 42: the third is the one that does not fit.
    let fortyTwo = try BatchSource.batch(baseOffset: 42, values: [[3]])
    #expect(
      try walk(first + far + five + fortyTwo, chunkBytes: 4096).skipped == [2 * size..<3 * size])
  }

  @Test func bytesMadeToLookLikeHeadersCostNoMoreThanTheBound() throws {
    // Headers of which each claims all the rest of the file, so that checking every one of them
    // would be quadratic.
    let count = 40_000
    let header = Array(try BatchSource.batch(baseOffset: 1, values: [[]]).prefix(61))
    let real = try BatchSource.batches(from: 5, count: 20, valueBytes: 100)
    let size = count * header.count + real.count
    var bytes: [UInt8] = []
    bytes.reserveCapacity(size)
    for index in 0..<count {
      var fake = header
      let length = Int32(size - index * header.count - BatchLayout.lengthOverhead)
      for byte in 0..<4 {
        fake[BatchLayout.batchLength + byte] = UInt8(
          truncatingIfNeeded: length >> Int32(24 - 8 * byte))
      }
      bytes += fake
    }
    // The first length leads nowhere, so that the search must go byte by byte.
    bytes[BatchLayout.batchLength + 3] ^= 1
    bytes += real
    let disk = SimulatedDisk()
    try disk.install("/a", bytes)
    let file = try disk.open("/a", .read)
    var resync = BatchResync(file, endPosition: size, chunkBytes: 1 << 16)
    let found = try #require(try resync.find(after: 0, expectedOffset: 1))
    let bound = BatchResync.workBase + (BatchResync.workFactor + 1) * size
    #expect(resync.workBytes <= bound)
    #expect(resync.workBytes > BatchResync.workBase, "the bound was never met")
    #expect(disk.counters.bytesRead <= 2 * bound)
    // Nearly all of what is really there is found.
    #expect(found.header.baseOffset >= 5 && found.header.baseOffset < 8)
  }

  @Test func afterGarbageOfAnySizeTheNextBatchIsFound() throws {
    let before = try BatchSource.batches(from: 0, count: 3, valueBytes: 40)
    let after = try BatchSource.batches(from: 10, count: 3, valueBytes: 40)
    let seed = Seed.fromEnvironment()
    var random = seed.generator
    for round in 0..<300 {
      let count = Int.random(in: 1...200, using: &random) * (round % 10 == 0 ? 100 : 1)
      let garbage = (0..<count).map { _ in
        // Many zeros and twos, which magic bytes and lengths are made of.
        UInt8(
          [0, 0, 2, Int.random(in: 0...255, using: &random)].randomElement(using: &random) ?? 0)
      }
      let found = try walk(before + garbage + after, chunkBytes: 512)
      #expect(found.skipped == [before.count..<before.count + count], "\(seed) round \(round)")
      #expect(found.batches.count == 6, "\(seed) round \(round)")
    }
  }

  /// A few bytes make a header of format 0; that its length leads to the file's end, over good
  /// batches, proves nothing.
  @Test(arguments: [0, 1] as [UInt8])
  func garbageLikeAnOldHeaderHidesNoBatch(magic: UInt8) throws {
    let before = try BatchSource.batches(from: 0, count: 3, valueBytes: 40)
    let after = try BatchSource.batches(from: 10, count: 3, valueBytes: 40)
    var garbage = [UInt8](repeating: 0, count: 200)
    garbage[4] = 2
    let length = garbage.count + after.count - BatchLayout.lengthOverhead
    garbage[BatchLayout.batchLength + 2] = UInt8(length >> 8)
    garbage[BatchLayout.batchLength + 3] = UInt8(length & 0xff)
    garbage[BatchLayout.magic] = magic
    let found = try walk(before + garbage + after, chunkBytes: 512)
    #expect(found.skipped == [before.count..<before.count + garbage.count])
    #expect(found.batches.count == 6)
  }

  /// Found by SEED=3627564140794967403: zeros and twos make a header of format 2 whose length leads
  /// to the file's end. One field tells that it is none.
  @Test(arguments: ["offset", "attributes", "records"])
  func garbageLikeAHeaderOfFormat2HidesNoBatch(_ wrong: String) throws {
    let before = try BatchSource.batches(from: 0, count: 3, valueBytes: 40)
    let after = try BatchSource.batches(from: 10, count: 3, valueBytes: 40)
    var garbage = [UInt8](repeating: 0, count: 200)
    garbage[BatchLayout.baseOffset + (wrong == "offset" ? 0 : 7)] = 5
    let length = garbage.count + after.count - BatchLayout.lengthOverhead
    garbage[BatchLayout.batchLength + 2] = UInt8(length >> 8)
    garbage[BatchLayout.batchLength + 3] = UInt8(length & 0xff)
    garbage[BatchLayout.magic] = 2
    if wrong == "attributes" { garbage[BatchLayout.attributes] = 2 }
    if wrong == "records" {
      garbage[BatchLayout.lastOffsetDelta + 1] = 2
      garbage[BatchLayout.recordCount + 1] = 2
    }
    let found = try walk(before + garbage + after, chunkBytes: 512)
    #expect(found.skipped == [before.count..<before.count + garbage.count])
    #expect(found.batches.count == 6)
  }

  /// Found by SEED=7868951521287381228: a wrong length that leads to a later batch passed over a
  /// good one.
  @Test func aLengthThatSkipsAGoodBatchIsNotBelieved() throws {
    let batches = try BatchSource.batches(from: 0, count: 1, valueBytes: 40)
    let middle = try BatchSource.batches(from: 10, count: 1, valueBytes: 40)
    let last = try BatchSource.batches(from: 20, count: 1, valueBytes: 40)
    var bytes = batches
    // The first batch's length says that it ends behind the second.
    let length = batches.count + middle.count - 12
    bytes[BatchLayout.batchLength + 2] = UInt8(length >> 8)
    bytes[BatchLayout.batchLength + 3] = UInt8(length & 0xff)
    let found = try walk(bytes + middle + last, chunkBytes: 512)
    #expect(found.skipped == [0..<batches.count])
    #expect(found.batches.count == 2)
  }

  @Test func anyBytesAreWalkedWithoutHarm() throws {
    let log = try SmallLog("delrec-0")
    let original = log.manifest.segments.flatMap { log.files[log.logName($0)] ?? [] }
    let seed = Seed.fromEnvironment()
    var random = seed.generator
    for round in 0..<300 {
      var bytes = original
      for _ in 0..<Int.random(in: 1...40, using: &random) {
        let at = Int.random(in: 0..<bytes.count, using: &random)
        switch Int.random(in: 0..<4, using: &random) {
        case 0: bytes[at] = UInt8.random(in: 0...255, using: &random)
        case 1:
          bytes.removeSubrange(at..<min(bytes.count, at + Int.random(in: 1...99, using: &random)))
        case 2: bytes.insert(contentsOf: bytes.prefix(at % 400), at: at)
        default: for byte in at..<min(bytes.count, at + 8) { bytes[byte] = 0xFF }
        }
        if bytes.isEmpty { bytes = original }
      }
      let found = try walk(bytes, chunkBytes: 1 + round * 7, offsetLimit: 1 << 20)
      let covered = found.skipped.reduce(0) { $0 + $1.count }
      #expect(found.end == bytes.count && covered <= bytes.count, "\(seed) round \(round)")
    }
  }

  @Test func theOffsetLimitDoesNotOverflow() {
    #expect(SegmentScanner.offsetLimit(after: 7) == Int64.max)
    #expect(SegmentScanner.offsetLimit(after: 7, before: 20) == 20)
    #expect(SegmentScanner.offsetLimit(after: Int64.max) == Int64.max)
  }

  private func scanner(
    _ disk: SimulatedDisk, chunkBytes: Int, offsetLimit: Int64 = 1000
  ) throws -> SegmentScanner {
    var options = SegmentScanner.Options()
    options.chunkBytes = chunkBytes
    let file = try disk.open("/a", .read)
    return SegmentScanner(
      file, endPosition: try file.size(), expectedOffset: 0, offsetLimit: offsetLimit,
      options: options)
  }

  private func walk(
    _ bytes: [UInt8], chunkBytes: Int, offsetLimit: Int64 = 1000
  ) throws -> Walk {
    let disk = SimulatedDisk()
    try disk.install("/a", bytes)
    var scanner = try scanner(disk, chunkBytes: chunkBytes, offsetLimit: offsetLimit)
    var result = Walk()
    while true {
      switch try scanner.next() {
      case .batch(_, let position): result.batches.append(position)
      case .invalid: result.skipped.append(try scanner.resume().skipped)
      case .end(let position):
        result.end = position
        return result
      }
    }
  }
}
