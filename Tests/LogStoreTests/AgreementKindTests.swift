import DiskIO
import StoreTesting
import Testing

@testable import LogStore

/// Kinds of directories that random ones found, of which `verify` before an opening and after it
/// once told different things. Expected offsets are those of what was written before the harm.
@Suite struct AgreementKindTests {
  private static let log = CrashStore.directory

  private func verify(_ disk: SimulatedDisk) throws -> VerificationReport {
    var options = VerificationOptions()
    options.depth = .deep
    return try LogVerifier(disk, options).verify([CrashStore.path])
  }

  /// Verifies, recovers, closes and verifies.
  ///
  /// - Returns: The damage, the same each time, and what the run did.
  private func agree(
    _ disk: SimulatedDisk, appends: Bool = false
  ) throws -> (damage: [DamagedRange], run: RecoveryReport) {
    let before = try verify(disk)
    var config = CrashStore.config(segmentBytes: 500)
    config.surveyDepth = .deep
    let store = try CrashStore(disk, config, creates: false)
    let run = store.log.recovery
    #expect(run.damage == before.damage)
    if appends { _ = try store.tryAppend(SampleBatches.small[0]).get() }
    try store.manager.closeBlocking()
    let after = try verify(disk)
    #expect(Set(after.damage) == Set(before.damage))
    #expect(after.hasDamage == before.hasDamage && after.tornTails.isEmpty)
    let left = after.sideFileDamage.filter(\.isMendedByOpen)
    #expect(left.isEmpty, "\(left)")
    return (before.damage, run)
  }

  private func name(_ base: Int64, _ kind: SegmentName.Kind = .log) -> String {
    SegmentName(base, kind).fileName
  }

  /// A broker's log of segments at 0, 10 and 20, ten offsets each, with an entry in each index for
  /// the last one.
  private func broker(isClean: Bool = true) throws -> SimulatedDisk {
    let disk = SimulatedDisk(seed: 73)
    for base in [0, 10, 20] as [Int64] {
      let batches = try BatchSource.batches(from: base, count: 10, valueBytes: 20)
      let last = batches.count / 10 * 9
      try disk.install("\(Self.log)/\(name(base))", batches)
      var entry: [UInt8] = [0, 0, 0, 9]
      entry += (0..<4).map { UInt8(truncatingIfNeeded: last >> (24 - 8 * $0)) }
      try disk.install("\(Self.log)/\(name(base, .index))", entry)
    }
    if isClean { try disk.install("\(CrashStore.path)/\(CleanShutdownFile.name)", []) }
    return disk
  }

  private func edit(
    _ file: String, on disk: SimulatedDisk, _ change: (inout [UInt8]) -> Void
  ) throws {
    var bytes = try #require(disk.contents(of: "\(Self.log)/\(file)"))
    change(&bytes)
    try disk.install("\(Self.log)/\(file)", bytes)
  }

  private func stage(_ base: Int64, _ stage: String, on disk: SimulatedDisk) throws {
    let bytes = try #require(disk.contents(of: "\(Self.log)/\(name(base))"))
    try disk.remove("\(Self.log)/\(name(base))")
    try disk.install("\(Self.log)/\(name(base)).\(stage)", bytes)
  }

  /// It takes the place of a segment that is gone, and its name.
  @Test(arguments: [true, false]) func aDamagedReplacementIsToldByTheNameThatItGets(
    _ isClean: Bool
  ) throws {
    let disk = try broker(isClean: isClean)
    try edit(name(10), on: disk) { $0[170] ^= 1 }
    try stage(10, "swap", on: disk)
    let (damage, run) = try agree(disk)
    #expect(damage.map(\.file) == ["\(Self.log)/\(name(10))"])
    #expect(damage.map(\.offsets) == [11..<12], "\(damage)")
    #expect(run.rebuiltIndexes.contains("\(Self.log)/\(name(10, .index))"))
  }

  @Test func lastCopiesOfACleanerAreToldBesideDamageBeforeThem() throws {
    let disk = try broker()
    try stage(20, "cleaned", on: disk)
    try edit(name(10), on: disk) { $0[$0.count - 5] ^= 1 }
    #expect(try agree(disk).damage.map(\.offsets) == [20..<30, 19..<20])
  }

  /// A forged index tells of a segment far beyond the end.
  @Test(arguments: [true, false]) func anIndexFarBeyondTheEndIsToldTheSame(_ appends: Bool) throws {
    let disk = try broker()
    try edit(name(20), on: disk) { $0.removeLast(5) }
    try disk.install(
      "\(Self.log)/\(name(110, .index))", [0x68, 0x65, 0x6C, 0x6C, 0x6F, 0x2C, 0x20, 0x77])
    let damage = try agree(disk, appends: appends).damage
    #expect(damage.map(\.offsets) == [110..<(110 + 0x6865_6C6C + 1), 29..<110], "\(damage)")
  }

  /// A segment followed it, so its end is no unfinished write.
  @Test func aTornEndBeforeALostSegmentIsDamage() throws {
    let disk = try broker(isClean: false)
    try disk.remove("\(Self.log)/\(name(20))")
    try edit(name(10), on: disk) { $0.removeLast(5) }
    let (damage, run) = try agree(disk)
    #expect(run.cuts.isEmpty)
    #expect(damage.map(\.offsets) == [20..<30, 19..<20], "\(damage)")
  }

  /// New records make the log one of ours in part; what is missing before them stays told.
  @Test func aLossStaysToldOnceMoreIsAppended() throws {
    let disk = try broker()
    try disk.remove("\(Self.log)/\(name(10))")
    #expect(try agree(disk, appends: true).damage.map(\.offsets) == [10..<20])
    #expect(try agree(disk, appends: true).damage.map(\.offsets) == [10..<20])
  }

  @Test func aLossIsNotToldOnceTheFileIsBack() throws {
    let disk = try broker()
    let bytes = try #require(disk.contents(of: "\(Self.log)/\(name(10))"))
    try disk.remove("\(Self.log)/\(name(10))")
    #expect(try agree(disk, appends: true).damage.count == 1)
    try disk.install("\(Self.log)/\(name(10))", bytes)
    #expect(try agree(disk).damage.isEmpty)
  }

  /// A killed session of ours, and then a broker that stopped in order: nothing is unfinished.
  @Test func aHoleInAnOwnLogAtACleanStopIsDamage() throws {
    let sample = try RecoverySample(closes: false)
    let disk = sample.disk.kill()
    try disk.install("\(CrashStore.path)/\(CleanShutdownFile.name)", [])
    try disk.remove(sample.path(sample.bases[1]))
    let damage = try agree(disk).damage
    #expect(damage.map(\.offsets) == [sample.bases[1]..<sample.bases[2]])
  }

  @Test(arguments: [SegmentName.Kind.index, .timeindex]) func anEmptyDirectoryGivesWayToTheIndex(
    _ kind: SegmentName.Kind
  ) throws {
    let sample = try RecoverySample()
    let path = sample.path(0, kind)
    let right = sample.disk.contents(of: path)
    try sample.disk.remove(path)
    try sample.disk.installDirectory(path)
    #expect(try !verify(sample.disk).hasDamage)
    let (_, run) = try agree(sample.disk)
    #expect(run.rebuiltIndexes == [path])
    #expect(sample.disk.contents(of: path) == right)
  }

  /// The epochs of an own log would be rebuilt, and then contradict the batch from then on.
  @Test func aWrongLeaderEpochIsToldTheSameWithoutTheCheckpoint() throws {
    let sample = try RecoverySample()
    try sample.disk.remove("\(Self.log)/\(LeaderEpochCheckpoint.name)")
    let place = sample.place(1)
    try sample.edit(sample.path(place.base), on: sample.disk) { $0[place.position + 15] ^= 8 }
    #expect(try agree(sample.disk).damage.map(\.bytes.count) == [4])
  }

  /// The log ends below its start: the damaged end tells of no offset up to there.
  @Test func aDamagedEndBelowTheLogsStartKeepsItsOffsets() throws {
    let disk = try broker()
    try edit(name(20), on: disk) { $0.removeLast(5) }
    try disk.install(
      "\(CrashStore.path)/log-start-offset-checkpoint", [UInt8]("0\n1\nt 0 100\n".utf8))
    let (damage, run) = try agree(disk)
    #expect(damage.map(\.offsets) == [29..<30], "\(damage)")
    #expect(run.logEndOffset == 100)
  }

  /// What the indexes hold for records before our own point is useless, however far the damage is
  /// told to go: up to a forged start that lies behind.
  @Test func aTimeIndexOfAnOverwrittenSegmentBelowAForgedStartIsRebuilt() throws {
    let sample = try RecoverySample(closes: false)
    let disk = sample.disk.kill()
    let base = try #require(sample.bases.last)
    let entries = try #require(disk.contents(of: sample.path(base, .timeindex)))
    #expect(entries.contains { $0 != 0 })
    try disk.install(sample.path(base), [UInt8](repeating: 0, count: 16_380))
    let line = "0\n1\nt 0 \(sample.end + 3)\n"
    try disk.install("\(CrashStore.path)/log-start-offset-checkpoint", [UInt8](line.utf8))
    let (damage, run) = try agree(disk, appends: true)
    #expect(damage.map(\.offsets) == [base..<base + 1])
    #expect(run.rebuiltIndexes.contains(sample.path(base, .timeindex)))
  }

  /// A text, or the first segment once more, under a number within the segment that the mark names,
  /// below its point or behind it.
  @Test(arguments: [true, false], [true, false]) func aStrayBesideTheMarkedSegmentIsSetAside(
    _ isText: Bool, _ isBehindPoint: Bool
  ) throws {
    let disk = SimulatedDisk(seed: 23)
    var model = LogModel()
    let config = CrashStore.config(segmentBytes: 2000, durability: .operatingSystem)
    let store = try CrashStore(disk, config)
    for batch in SampleBatches.small[..<8] { try store.append(batch, &model) }
    try store.flush(&model)
    let point = store.log.logEndOffset
    for batch in SampleBatches.small[8..<12] { try store.append(batch, &model) }
    let content = try LogModel.content(of: store.log)
    let left = disk.kill()
    let first = try #require(left.contents(of: "\(Self.log)/\(name(0))"))
    let stray = name(point + (isBehindPoint ? 2 : -2))
    let bytes = isText ? [UInt8]("hello, world\n".utf8) : Array(first.prefix(477))
    try left.install("\(Self.log)/\(stray)", bytes)
    let (damage, run) = try agree(left)
    #expect(damage.isEmpty && run.cuts.map(\.file) == ["\(Self.log)/\(stray)"])
    #expect(run.cuts.allSatisfy { $0.isWholeFile && $0.bytes == bytes.count })
    let again = try CrashStore(left, config, creates: false)
    #expect(try LogModel.content(of: again.log) == content)
  }

  /// A batch whose base offset lies far ahead stands there twice, so that its neighbour bears it
  /// out; it ends behind the end of the log that the mark tells, also once the log was closed.
  @Test(arguments: [6, 21, 37]) func aBatchBeyondTheMarkedEndIsDamageAfterTheCloseToo(
    _ bit: Int
  ) throws {
    let disk = SimulatedDisk(seed: 29)
    var model = LogModel()
    let store = try CrashStore(disk, CrashStore.config(durability: .operatingSystem))
    for batch in SampleBatches.small[..<2] { try store.append(batch, &model) }
    try store.flush(&model)
    let end = store.log.logEndOffset
    let left = disk.kill()
    try edit(name(0), on: left) { bytes in
      bytes[7 - bit / 8] ^= 1 << UInt8(bit % 8)
      bytes.insert(contentsOf: bytes[..<SampleBatches.small[0].count], at: 0)
    }
    // The first time with the mark of the killed session, then with that of the close.
    for _ in 1...2 {
      let damage = try agree(left).damage
      #expect(damage.first?.offsets?.lowerBound == 0)
      #expect(damage.allSatisfy { $0.offsets.map { $0.upperBound <= end } ?? true }, "\(damage)")
    }
  }

  /// A copy of the segment that the mark names, under a number behind the log's end or within it:
  /// damage at the segment's end loses what the mark tells, before the mark goes on and afterwards,
  /// whether the opening looked at all segments or at the end alone.
  @Test(arguments: [-1, 98] as [Int64], [SurveyOptions.Depth.ends, .deep])
  func aStrangeSegmentBehindTheMarkedOneBoundsNoDamage(
    _ distance: Int64, _ depth: SurveyOptions.Depth
  ) throws {
    let disk = SimulatedDisk(seed: 31)
    var model = LogModel()
    let store = try CrashStore(
      disk, CrashStore.config(segmentBytes: 2000, durability: .operatingSystem))
    for batch in SampleBatches.small[..<6] { try store.append(batch, &model) }
    try store.flush(&model)
    let end = store.log.logEndOffset
    let left = disk.kill()
    let content = try #require(left.contents(of: "\(Self.log)/\(name(0))"))
    let lastCount = SampleBatches.small[5].count
    try left.install("\(Self.log)/\(name(end + distance))", content)
    try edit(name(0), on: left) { $0[content.count - lastCount / 3] ^= 1 }
    let before = try verify(left).damage.filter { $0.file.hasSuffix(name(0)) }
    #expect(before.count == 1)
    if distance > 0 { #expect(before.map(\.offsets) == [end - 3..<end]) }
    for _ in 1...3 {
      var config = CrashStore.config(segmentBytes: 2000)
      config.surveyDepth = depth
      try CrashStore(left, config, creates: false).manager.closeBlocking()
      let after = try verify(left).damage.filter { $0.file.hasSuffix(name(0)) }
      #expect(after == before)
    }
  }

  /// A batch before the mark's place whose length leads behind it, but not behind the file's end:
  /// what is wrong with it is told in the same words once the mark has moved on.
  @Test func aLengthThatLeadsBehindThePointIsToldInTheSameWords() throws {
    let disk = SimulatedDisk(seed: 37)
    var model = LogModel()
    let store = try CrashStore(disk, CrashStore.config(durability: .operatingSystem))
    for batch in SampleBatches.small[..<4] { try store.append(batch, &model) }
    try store.flush(&model)
    for batch in SampleBatches.small[4..<12] { try store.append(batch, &model) }
    let left = disk.kill()
    let position = SampleBatches.small[..<3].reduce(0) { $0 + $1.count }
    try edit(name(0), on: left) { $0[position + 11] += 100 }
    for _ in 1...2 {
      let damage = try agree(left).damage
      #expect(damage.map(\.bytes.lowerBound) == [position])
      #expect(damage.first?.reason.hasPrefix("crc is") == true, "\(damage)")
    }
  }

  /// Bytes are put in before the mark's place, so that it lies within a batch: what is behind it is
  /// cut off, and no header that reaches behind it tells how many offsets were lost.
  @Test func aHeaderThatReachesBehindThePointTellsNoEnd() throws {
    let disk = SimulatedDisk(seed: 41)
    var model = LogModel()
    let store = try CrashStore(disk, CrashStore.config(durability: .operatingSystem))
    for batch in SampleBatches.small[..<5] { try store.append(batch, &model) }
    try store.flush(&model)
    let left = disk.kill()
    let lastCount = SampleBatches.small[4].count
    try edit(name(0), on: left) { bytes in
      bytes.insert(contentsOf: [UInt8](repeating: 7, count: lastCount - 58), at: 0)
    }
    try left.install(
      "\(CrashStore.path)/log-start-offset-checkpoint", [UInt8]("0\n1\nt 0 100\n".utf8))
    for _ in 1...2 { #expect(try agree(left).damage.isEmpty == false) }
  }

  /// Batches are missing before the last one and before the one before it, in a copy of a killed
  /// store: nothing bears out the last one's offset, so it bears out none either, and what one
  /// opening cuts off leaves nothing for the next one.
  @Test func aGapIsNotBorneOutByABatchBehindAnotherGap() throws {
    let disk = SimulatedDisk(seed: 43)
    var model = LogModel()
    let store = try CrashStore(disk, CrashStore.config(durability: .operatingSystem))
    for batch in SampleBatches.small[..<6] { try store.append(batch, &model) }
    try store.flush(&model)
    let left = disk.kill()
    let starts = (0...6).map { SampleBatches.small[..<$0].reduce(0) { $0 + $1.count } }
    try edit(name(0), on: left) { bytes in
      bytes = Array(
        bytes[starts[0]..<starts[2]] + bytes[starts[3]..<starts[4]] + bytes[starts[5]...])
    }
    let mark = "\(Self.log)/\(DurableMark.fileName)"
    let content = try #require(left.contents(of: mark))
    try left.remove(mark)
    try left.install(mark, content)
    for _ in 1...3 { _ = try agree(left) }
  }

  /// One bit makes a batch in the last copy of a segment reach over the segments behind it: what
  /// is there is not lost.
  @Test func theLastCopyLosesNothingThatStandsBehindIt() throws {
    let disk = try broker(isClean: false)
    let path = "\(Self.log)/\(name(0))"
    var bytes = try #require(disk.contents(of: path))
    bytes[bytes.count / 10 * 9 + 6] ^= 0x10
    try disk.remove(path)
    try disk.install("\(path).cleaned", bytes)
    for _ in 1...2 {
      let lost = try agree(disk).damage.compactMap(\.offsets)
      #expect(lost.allSatisfy { $0.upperBound <= 10 } && !lost.isEmpty, "\(lost)")
    }
  }

  /// The index of aborted transactions cannot be made anew: it stays, with what it belongs to, also
  /// where the log's start hides what is lost.
  @Test(arguments: [0, 25] as [Int64]) func anEmptiedSegmentWithAbortedTransactionsStays(
    _ start: Int64
  ) throws {
    let disk = try broker()
    let numbers: [UInt8] = [7, 10, 14, 15]
    let entry: [UInt8] = [0, 0] + numbers.flatMap { [0, 0, 0, 0, 0, 0, 0, $0] as [UInt8] }
    let path = "\(Self.log)/\(name(10, .txnindex))"
    try disk.install(path, entry)
    try edit(name(10), on: disk) { $0 = [] }
    try disk.install(
      "\(CrashStore.path)/log-start-offset-checkpoint", [UInt8]("0\n1\nt 0 \(start)\n".utf8))
    for appends in [false, true] {
      let (damage, run) = try agree(disk, appends: appends)
      #expect(damage.map(\.offsets) == (start == 0 ? [10..<20] : []))
      #expect(run.sideFileDamage.map(\.file) == [path] && run.removedFiles.isEmpty)
      #expect(disk.contents(of: path) == entry)
      #expect(disk.contents(of: "\(Self.log)/\(name(10))") == [])
    }
  }
}
