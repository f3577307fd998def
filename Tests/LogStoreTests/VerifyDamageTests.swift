import DiskIO
import Glibc
import LogStore
import RecordFormat
import StoreTesting
import Testing

/// Every kind of damage to a small log of four segments is found, told apart and exactly placed.
struct VerifyDamageTests {
  private let log: SmallLog
  private let options: VerificationOptions

  init() throws {
    log = try SmallLog("delrec-0")
    var options = VerificationOptions()
    options.threadCount = 1
    self.options = options
  }

  /// All bits of the fields that no CRC covers, and some of the bytes after them.
  @Test(arguments: 0..<8)
  func everyFlippedBitIsFoundInItsBatch(_ bit: Int) throws {
    for segment in log.manifest.segments {
      for (index, batch) in segment.batches.enumerated() {
        for byte in batch.position..<batch.position + batch.size {
          guard byte - batch.position < BatchLayout.attributes || byte % 32 == 4 * bit else {
            continue
          }
          let isLast = index == segment.batches.count - 1
          try checkFlip(segment, batch, isLastOfSegment: isLast, byte: byte, bit: bit)
        }
      }
    }
  }

  /// An epoch that rose and falls again is told where it stands, not where the next one does.
  @Test func aLeaderEpochBetweenEqualOnesIsToldWithItsPlace() throws {
    let segment = try #require(log.manifest.segments.first { $0.batches.count > 2 })
    let name = log.logName(segment)
    let batch = segment.batches[1]
    var bytes = try #require(log.files[name])
    bytes[batch.position + BatchLayout.partitionLeaderEpoch + 3] ^= 0x40
    let report = try verify(try log.disk(replacing: [name: bytes], isClean: true))
    let field = batch.position + BatchLayout.partitionLeaderEpoch
    #expect(report.damage.map(\.bytes) == [field..<field + 4])
    #expect(report.damage.map(\.offsets) == [batch.baseOffset..<batch.baseOffset])
  }

  private func checkFlip(
    _ segment: LogdirManifest.Segment, _ batch: LogdirManifest.Batch, isLastOfSegment: Bool,
    byte: Int, bit: Int
  ) throws {
    let name = log.logName(segment)
    var bytes = try #require(log.files[name])
    bytes[byte] ^= 1 << UInt8(bit)
    let report = try verify(try log.disk(replacing: [name: bytes], isClean: true))
    let place = "\(name) byte \(byte) (\(byte - batch.position) of its batch), bit \(bit)"
    let isLastSegment = segment.baseOffset == log.manifest.segments.last?.baseOffset
    #expect(report.tornTails.isEmpty, "\(place)")
    #expect(report.hasDamage || report.logs[0].missingOffsetCount > 0, "\(place)")
    switch byte - batch.position {
    case BatchLayout.partitionLeaderEpoch..<BatchLayout.magic:
      // No record is lost; what tells the truth is the epoch file or the batches around.
      #expect(report.damage.allSatisfy { $0.offsets?.isEmpty == true }, "\(place)")
    case 0..<8 where isLastSegment && isLastOfSegment && report.damage.isEmpty:
      // A gap before the last batch of a log is as legal as any, unless its indexes say otherwise.
      break
    default:
      let isEnd = isLastSegment && isLastOfSegment
      // At the log's end the snapshot behind it tells of what the batch itself does not.
      #expect(report.damage.count == 1 || isEnd, "\(place)")
      #expect(report.damage.first?.file == "\(log.path)/\(name)")
      #expect(
        report.damage.first?.bytes == batch.position..<batch.position + batch.size, "\(place)")
      let lost = batch.baseOffset..<batch.lastOffset + 1
      let told = report.damage.compactMap(\.offsets)
      let all = (told.first?.lowerBound ?? 0)..<(told.last?.upperBound ?? 0)
      #expect(all == lost && (isEnd || told.count == 1), "\(place)")
    }
  }

  @Test func aCutLastSegmentIsAnUnfinishedWriteOnlyWithoutACleanMark() throws {
    let segment = try #require(log.manifest.segments.last)
    let name = log.logName(segment)
    let bytes = try #require(log.files[name])
    for count in 1..<bytes.count {
      let cut = [name: Optional(Array(bytes.prefix(count)))]
      let unclean = try verify(try log.disk(replacing: cut, isClean: false))
      #expect(unclean.tornTails.map(\.bytes) == [0..<count])
      #expect(unclean.tornTails.map(\.offset) == [segment.baseOffset])
      // It was whole once: the time index has it, and a snapshot was taken behind it.
      #expect(unclean.damage.map(\.offsets) == [segment.baseOffset..<80])
      #expect(unclean.damage.map(\.bytes) == [0..<0])
      // Entries for what is cut off go with it.
      #expect(unclean.sideFileDamage.allSatisfy { $0.isMendedByOpen })
      let alone = try log.disk(replacing: cut, isClean: false)
      for path in alone.paths where path.contains("00000000000000000080.snapshot") {
        try alone.remove(path)
      }
      for kind in [SegmentName.Kind.index, .timeindex] {
        try alone.remove("\(log.path)/\(SegmentName(segment.baseOffset, kind).fileName)")
      }
      let untold = try verify(alone)
      #expect(!untold.hasDamage, "\(count): \(untold.sideFileDamage)")
      let clean = try verify(try log.disk(replacing: cut, isClean: true))
      #expect(clean.tornTails.isEmpty)
      #expect(clean.damage.map(\.bytes).first == 0..<count && clean.damage.count <= 2)
      #expect(clean.damage.first?.offsets?.lowerBound == segment.baseOffset)
      #expect(clean.damage.last?.offsets?.upperBound == 80)
    }
  }

  @Test func aCutSegmentBeforeTheLastIsDamage() throws {
    let segment = log.manifest.segments[1]
    let name = log.logName(segment)
    let bytes = try #require(log.files[name])
    for count in 0..<bytes.count {
      let cut = [name: Optional(Array(bytes.prefix(count)))]
      let report = try verify(try log.disk(replacing: cut, isClean: false))
      #expect(report.tornTails.isEmpty)
      // At the end of a batch only the indexes know that more was there: they tell the hole.
      #expect(report.hasDamage, "\(count)")
      guard let batch = segment.batches.first(where: { $0.position + $0.size > count }) else {
        continue
      }
      #expect(report.damage.count == 1)
      if let damage = report.damage.first {
        #expect(damage.bytes == batch.position..<count)
        #expect(damage.offsets == batch.baseOffset..<log.manifest.segments[2].baseOffset)
      }
    }
  }

  @Test func whatWasSyncedIsNoUnfinishedWrite() throws {
    let name = log.logName(try #require(log.manifest.segments.last))
    let bytes = try #require(log.files[name])
    let disk = try log.disk(replacing: [name: Array(bytes.dropLast())], isClean: false)
    let points = "0\n1\ndelrec 0 80\n"
    try disk.install("/store/recovery-point-offset-checkpoint", [UInt8](points.utf8))
    let report = try verify(disk)
    #expect(report.tornTails.isEmpty)
    #expect(report.damage.map(\.bytes) == [0..<bytes.count - 1])
    #expect(report.damage.map(\.offsets) == [76..<80])
    // Nothing at all where 76 to 79 were synced.
    try disk.install("\(log.path)/\(name)", [])
    let empty = try verify(disk)
    #expect(empty.damage.map(\.offsets) == [76..<80])
  }

  @Test func zerosInTheMiddleLoseExactlyTheBatchesTheyTouch() throws {
    let segment = log.manifest.segments[1]
    let name = log.logName(segment)
    let original = try #require(log.files[name])
    let seed = Seed.fromEnvironment()
    var random = seed.generator
    for _ in 0..<200 {
      let start = Int.random(in: 0..<original.count, using: &random)
      let end = Int.random(in: start..<original.count, using: &random) + 1
      var bytes = original
      for byte in start..<end { bytes[byte] = 0 }
      guard bytes != original else { continue }
      let report = try verify(try log.disk(replacing: [name: bytes], isClean: false))
      let touched = segment.batches.filter {
        let range = $0.position..<$0.position + $0.size
        return range.contains { bytes[$0] != original[$0] }
      }
      let lost = report.damage.reduce(0) { $0 + $1.bytes.count }
      #expect(lost == touched.reduce(0) { $0 + $1.size }, "\(seed) \(start)..<\(end)")
      #expect(report.batchCount == 20 - touched.count, "\(seed) \(start)..<\(end)")
    }
  }

  @Test func everyFlippedBitOfAnIndexIsFound() throws {
    for (name, bytes) in log.files where name.hasSuffix("index") {
      for bit in 0..<bytes.count * 8 {
        var flipped = bytes
        flipped[bit / 8] ^= 1 << UInt8(bit % 8)
        let report = try verify(try log.disk(replacing: [name: flipped], isClean: true))
        #expect(report.damage.isEmpty)
        if name.hasSuffix("timeindex"), report.sideFileDamage.isEmpty {
          // Brokers before 3.6 name the record within the batch: as true as the batch's last.
          #expect(isWithinSameBatch(name, bytes, flipped), "\(name) bit \(bit)")
          continue
        }
        #expect(report.sideFileDamage.map(\.file) == ["\(log.path)/\(name)"], "\(name) bit \(bit)")
        #expect(report.sideFileDamage.allSatisfy { $0.isMendedByOpen })
      }
    }
  }

  /// Whether two time indexes differ only in which offset of a batch an entry names.
  private func isWithinSameBatch(_ name: String, _ one: [UInt8], _ other: [UInt8]) -> Bool {
    let batches = log.manifest.segments.flatMap(\.batches)
    let batch = { (offset: Int64) in
      batches.firstIndex { $0.baseOffset <= offset && offset <= $0.lastOffset }
    }
    let baseOffset = SegmentName(name)?.baseOffset ?? 0
    let before = IndexContent<TimeIndexEntry>(one.span, baseOffset: baseOffset).entries
    let after = IndexContent<TimeIndexEntry>(other.span, baseOffset: baseOffset).entries
    return before.map(\.timestamp) == after.map(\.timestamp)
      && zip(before, after).allSatisfy { batch($0.offset) == batch($1.offset) }
  }

  @Test func missingAndUntrimmedIndexesAreNotes() throws {
    for (name, bytes) in log.files where name.hasSuffix("index") {
      let missing = try verify(try log.disk(replacing: [name: Optional.none], isClean: true))
      #expect(!missing.hasDamage && missing.summary.hasSuffix("no damage"))
      #expect(missing.notes.count { $0.file == "\(log.path)/\(name)" } == 1)
      let entryBytes = name.hasSuffix("timeindex") ? 12 : 8
      let padded = bytes + [UInt8](repeating: 0, count: 10 * entryBytes + 1)
      let untrimmed = try verify(try log.disk(replacing: [name: padded], isClean: true))
      #expect(!untrimmed.hasDamage)
      #expect(untrimmed.notes.contains { $0.file.hasSuffix(name) && $0.text.contains("prealloc") })
      let stray = try verify(try log.disk(replacing: [name: bytes + [1]], isClean: true))
      #expect(stray.sideFileDamage.map(\.file) == ["\(log.path)/\(name)"])
    }
  }

  @Test func wrongSideFilesAreNamed() throws {
    let disk = try log.disk(isClean: true)
    try disk.install("\(log.path)/leader-epoch-checkpoint", [UInt8]("0\n1\n3 33\n".utf8))
    try disk.install("\(log.path)/partition.metadata", [UInt8]("version: 7\n".utf8))
    try disk.install("\(log.path)/00000000000000000080.snapshot", [0, 1, 2])
    try disk.install("/store/recovery-point-offset-checkpoint", [UInt8]("0\n5\n".utf8))
    try disk.install("/store/meta.properties", [UInt8]("version=9\n".utf8))
    let report = try LogVerifier(disk, options).verify(["/store"])
    #expect(
      Set(report.sideFileDamage.map(\.file)) == [
        "\(log.path)/leader-epoch-checkpoint", "\(log.path)/partition.metadata",
        "\(log.path)/00000000000000000080.snapshot",
        "/store/recovery-point-offset-checkpoint", "/store/meta.properties",
      ])
    #expect(report.damage.isEmpty)
    #expect(
      report.summary == "damage: \(report.recordCount) records, 4 segments, 3 wrong side files, "
        + "2 side files to be repaired")
  }

  @Test func whatIsNotOursIsOnlyNoted() throws {
    let disk = try log.disk(isClean: true)
    let foreign = [
      "/store/notes.txt", "/store/lost+found/x", "\(log.path)/x", "\(log.path)/y.tmp",
      "\(log.path)/00000000000000000004.log.deleted", "\(log.path)/00000000000000000090.index",
      "/store/t-0.0123456789abcdef0123456789abcdef-delete/00000000000000000000.log",
    ]
    for path in foreign { try disk.install(path, [1]) }
    let report = try LogVerifier(disk, options).verify(["/store"])
    #expect(report.summary.hasPrefix("ok:"))
    #expect(report.segmentCount == 4)
    #expect(report.notes.count == foreign.count)
  }

  @Test func verifyingNeverWrites() throws {
    let disk = try log.disk(isClean: true)
    _ = try LogVerifier(disk, options).verify(["/store"])
    #expect(disk.operationCount == 0)
    #expect(disk.counters.openFiles == 0)
  }

  /// Each file refuses all calls from one of them on. An index is opened, sized and read once to
  /// check it; what is asked of it later is a hint that may be missing.
  @Test func aDiskThatRefusesToReadIsAFinding() throws {
    var hits = 0
    for name in try log.disk(isClean: true).list(log.path).map(\.name) {
      let isIndex = name.hasSuffix("index")
      for operation in 1...(isIndex ? 3 : 1_000) {
        let disk = try log.disk(isClean: true)
        disk.plan(
          FaultPlan(
            .error(EIO), at: operation, isForEver: true, operations: [.read, .open, .size],
            pathSuffix: "/\(name)"))
        let report = try LogVerifier(disk, options).verify(["/store"])
        if !disk.faultFired { break }
        hits += 1
        // An index is made from its log where it cannot be read.
        if !report.sideFileDamage.isEmpty && !report.hasDamage { continue }
        #expect(Set(report.unreadable.map(\.code)) == [5], "\(name), operation \(operation)")
        // No access is no damage.
        #expect(!report.hasDamage && report.summary.hasPrefix("incomplete:"))
      }
    }
    #expect(hits > 20)
  }

  private func verify(_ disk: SimulatedDisk) throws -> VerificationReport {
    try LogVerifier(disk, options).verify([log.path])
  }
}
