import DiskIO
import StoreTesting
import Testing

@testable import LogStore

/// Each row of the recovery table on a directory that calls for it: what is reported, what stands
/// on the disk afterwards, what is served. Of P1 the scan from the mark (R5) and the segments that
/// are not opened (R3); of P12 what is fenced (R7, R10) and kept aside (R6, R11).
@Suite struct RecoveryRowTests {
  private func open(_ disk: SimulatedDisk) throws -> CrashStore {
    try CrashStore(disk, CrashStore.config(segmentBytes: 500), creates: false)
  }

  private func expectUsable(_ store: CrashStore, from end: Int64) throws {
    let result = try store.tryAppend(SampleBatches.small[40]).get()
    #expect(result.baseOffset == end && result.isDurable)
    let again = try open(store.disk.crash(.loseAllUnsynced))
    #expect(try again.log.readAround().batches.last?.baseOffset == end)
  }

  // MARK: Clean stop

  @Test func r1OpensAsIs() throws {
    let sample = try RecoverySample()
    let before = sample.disk.paths.filter { $0.contains(".log") || $0.contains("index") }
      .map { ($0, sample.disk.contents(of: $0)) }
    let store = try open(sample.disk)
    #expect(store.log.recovery.rows == ["R1"] && !store.log.recovery.isEventful)
    for (path, bytes) in before { #expect(sample.disk.contents(of: path) == bytes, "\(path)") }
    #expect(try LogModel.content(of: store.log) == sample.content)
    try expectUsable(store, from: sample.end)
  }

  @Test(arguments: [SegmentName.Kind.index, .timeindex])
  func r2RebuildsAMissingIndex(_ kind: SegmentName.Kind) throws {
    let sample = try RecoverySample()
    let path = sample.path(sample.bases.last!, kind)
    let bytes = try #require(sample.disk.contents(of: path))
    try sample.disk.remove(path)
    let store = try open(sample.disk)
    #expect(store.log.recovery.rows.contains("R2"))
    #expect(!store.log.recovery.rebuiltIndexes.isEmpty)
    #expect(try LogModel.content(of: store.log) == sample.content)
    try store.manager.closeBlocking()
    #expect(sample.disk.contents(of: path) == bytes)
  }

  @Test func r2CallsAnInvalidBatchDamageAndCutsNothing() throws {
    // Also at the very end, and without a mark: after a clean stop nothing was unfinished.
    for hasMark in [true, false] {
      for index in [9, 11] {
        let sample = try RecoverySample()
        let (base, position) = sample.place(index)
        try sample.edit(sample.path(base), on: sample.disk) { $0[position + 70] ^= 1 }
        try sample.strip(sample.disk, mark: !hasMark)
        let size = sample.disk.contents(of: sample.path(base))?.count
        let store = try open(sample.disk)
        let damaged = sample.content[index]
        let found = try store.log.readAround()
        #expect(found.damaged == [damaged.baseOffset..<damaged.nextOffset], "\(index) \(hasMark)")
        #expect(found.batches == sample.content.filter { $0 != damaged })
        #expect(store.log.recovery.cuts.isEmpty)
        #expect(sample.disk.contents(of: sample.path(base))?.count == size)
        try expectUsable(store, from: sample.end)
      }
    }
  }

  @Test func aWhollyDamagedLastSegmentIsNeverOverwritten() throws {
    let sample = try RecoverySample()
    let base = try #require(sample.bases.last)
    let path = sample.path(base)
    try sample.edit(path, on: sample.disk) { bytes in
      for index in bytes.indices { bytes[index] ^= 0x5a }
    }
    try sample.strip(sample.disk, mark: true, points: true)
    let bytes = try #require(sample.disk.contents(of: path))
    let store = try open(sample.disk)
    #expect(store.log.logEndOffset > base)
    // The indexes tell of more records than the one that must have stood there.
    let told = store.log.recovery.damage
    #expect(told.map(\.bytes) == [0..<bytes.count, bytes.count..<bytes.count])
    #expect(told.last?.offsets?.lowerBound == store.log.logEndOffset)
    _ = try store.tryAppend(SampleBatches.small[40]).get()
    #expect(sample.disk.contents(of: path) == bytes)
    #expect(store.log.store.state.segments.map(\.baseOffset).last! > base)
  }

  // MARK: Unclean stop

  @Test func r3DoesNotEvenOpenWhatLiesBelowThePoint() throws {
    let sample = try RecoverySample(closes: false)
    let disk = sample.disk.kill()
    let store = try open(disk)
    #expect(store.log.recovery.rows == ["R5"])
    for base in sample.bases.dropLast() {
      for kind in [SegmentName.Kind.log, .index, .timeindex] {
        #expect(disk.counters.bytesReadByPath[sample.path(base, kind)] == nil)
      }
    }
    #expect(try LogModel.content(of: store.log) == sample.content)
  }

  @Test func r4RebuildsAnIndexBelowThePointWhenItIsNeeded() throws {
    let sample = try RecoverySample(closes: false)
    let disk = sample.disk.kill()
    let base = sample.bases[1]
    let bytes = try #require(disk.contents(of: sample.path(base, .index)))
    try disk.remove(sample.path(base, .index))
    let (damagedBase, position) = sample.place(1)
    #expect(damagedBase == 0)
    try sample.edit(sample.path(0), on: disk) { $0[position + 65] ^= 8 }
    let store = try open(disk)
    let found = try store.log.readAround()
    #expect(found.damaged == [sample.content[1].baseOffset..<sample.content[1].nextOffset])
    #expect(found.batches == sample.content.filter { $0 != sample.content[1] })
    _ = try LogReader(store.log).read(from: sample.bases[2] - 1, maxBytes: 1)
    #expect(disk.contents(of: sample.path(base, .index)) == bytes)
  }

  @Test func r5ScansFromTheMarkOn() throws {
    let sample = try RecoverySample(closes: false)
    // The unsynced slot is lost: what follows the synced one is valid and stays.
    let disk = sample.disk.kill()
    let mark = "\(CrashStore.directory)/\(DurableMark.fileName)"
    try sample.edit(mark, on: disk) { $0.removeSubrange(1_024...) }
    let store = try open(disk)
    #expect(store.log.recovery.rows == ["R5"] && store.log.recovery.bytesScanned > 0)
    #expect(try LogModel.content(of: store.log) == sample.content)
    try expectUsable(store, from: sample.end)
  }

  @Test func r6CutsATornTailAndKeepsItsBytes() throws {
    let sample = try RecoverySample(closes: false)
    let base = try #require(sample.bases.last)
    let torn = Array(SampleBatches.placed(SampleBatches.small[50], at: sample.end).dropLast(9))
    let disk = sample.disk.kill()
    let position = try #require(disk.contents(of: sample.path(base))?.count)
    try sample.edit(sample.path(base), on: disk) { $0 += torn }
    let store = try open(disk)
    let cut = try #require(store.log.recovery.cuts.first)
    #expect(store.log.recovery.rows == ["R6"] && store.log.recovery.cuts.count == 1)
    #expect(cut.file == sample.path(base) && cut.position == position && cut.bytes == torn.count)
    let kept = try #require(cut.keptAs)
    #expect(kept.hasPrefix("\(CrashStore.directory)/.bad/"))
    #expect(disk.durableContents(of: kept) == torn)
    #expect(disk.durableContents(of: sample.path(base))?.count == position)
    #expect(try LogModel.content(of: store.log) == sample.content)
    #expect(try RecoveryHistory.read(store.log.environment.directory).lines.count == 1)
    try expectUsable(store, from: sample.end)
  }

  @Test func r6SetsLaterSegmentsAside() throws {
    // Written, never synced: the first of two new segments tore, the second survived whole.
    let disk = SimulatedDisk(seed: 22)
    var model = LogModel()
    let config = CrashStore.config(segmentBytes: 500, durability: .operatingSystem)
    let store = try CrashStore(disk, config)
    try store.append(SampleBatches.small[0], &model)
    try store.flush(&model)
    for batch in SampleBatches.small[1..<10] { try store.append(batch, &model) }
    let segments = store.log.store.state.segments.map { $0.path(.log) }
    try #require(segments.count >= 3)
    let after = disk.crash(.keepAll)
    var bytes = try #require(after.contents(of: segments[1]))
    bytes[75] ^= 1
    try after.install(segments[1], bytes)
    let last = try #require(after.contents(of: segments[2]))
    let again = try CrashStore(after, config, creates: false)
    let content = try LogModel.content(of: again.log)
    #expect(model.fault(in: content, after: .powerCut) == nil)
    #expect(again.log.recovery.rows.contains("R6"))
    let kept = again.log.recovery.cuts.compactMap { after.contents(of: $0.keptAs ?? "") }
    #expect(kept.contains(last) && kept.contains(bytes))
    #expect(after.contents(of: segments[2]) == nil)
    #expect(!content.isEmpty)
  }

  @Test func r7FencesRotBelowThePointAndServesBothSides() throws {
    let sample = try RecoverySample(closes: false)
    let disk = sample.disk.kill()
    // The mark's unsynced slot is lost, so that recovery walks over the damage.
    let mark = "\(CrashStore.directory)/\(DurableMark.fileName)"
    let contents = try DurableMark.read(LogDirectory(disk: disk, path: CrashStore.directory))
    #expect(contents.newest?.recoveryPoint == sample.end)
    let (base, position) = sample.place(10)
    #expect(base == sample.bases.last)
    try sample.edit(sample.path(base), on: disk) { $0[position + 64] ^= 2 }
    try disk.remove(sample.path(base, .index))
    let size = disk.contents(of: sample.path(base))?.count
    _ = mark
    let store = try open(disk)
    let lost = sample.content[10].baseOffset..<sample.content[10].nextOffset
    #expect(store.log.recovery.rows.contains("R7"), "\(store.log.recovery.rows)")
    #expect(store.log.recovery.damage.map(\.offsets) == [lost])
    #expect(
      store.log.recovery.damage.map(\.bytes)
        == [position..<position + sample.content[10].bytes.count])
    let found = try store.log.readAround()
    #expect(found.damaged == [lost])
    #expect(found.batches == sample.content.filter { $0 != sample.content[10] })
    #expect(disk.contents(of: sample.path(base))?.count == size && store.log.recovery.cuts.isEmpty)
    try expectUsable(store, from: sample.end)
  }

  @Test func r7ReportsRecordsThatWereSyncedAndAreGone() throws {
    let sample = try RecoverySample(closes: false)
    for missing in [1, 2] {
      let disk = sample.disk.kill()
      let (base, position) = sample.place(12 - missing)
      try sample.edit(sample.path(base), on: disk) { $0.removeSubrange(position...) }
      let store = try open(disk)
      let lost = sample.content[12 - missing].baseOffset..<sample.end
      #expect(store.log.recovery.damage.map(\.offsets) == [lost])
      let found = try store.log.readAround()
      #expect(found.batches == Array(sample.content.dropLast(missing)))
      #expect(found.damaged == [lost])
      try expectUsable(store, from: sample.end)
    }
  }

  @Test func r8KeepsAnEmptyLastSegment() throws {
    let sample = try RecoverySample()
    try sample.disk.install(sample.path(sample.end), [])
    try sample.strip(sample.disk, marker: true)
    let store = try open(sample.disk)
    #expect(store.log.recovery.rows.contains("R8"))
    #expect(store.log.logEndOffset == sample.end)
    _ = try store.tryAppend(SampleBatches.small[40]).get()
    #expect(store.log.store.state.segments.last?.baseOffset == sample.end)
    #expect(try LogModel.content(of: store.log).count == 13)
  }

  @Test func r9RemovesAnEmptySegmentOfAStranger() throws {
    let sample = try RecoverySample()
    try sample.strip(sample.disk, mark: true, marker: true, points: true)
    // Between the second and the third: left by a broker's cleaner, say.
    let base = sample.bases[2] - 1
    for kind in [SegmentName.Kind.log, .index, .timeindex] {
      try sample.disk.install(sample.path(base, kind), [])
    }
    let second = try #require(sample.disk.contents(of: sample.path(sample.bases[1])))
    let cut = sample.content.filter { $0.nextOffset <= base }
    let kept = sample.content.filter { $0.nextOffset <= base || $0.baseOffset >= sample.bases[2] }
    let length = cut.filter { $0.baseOffset >= sample.bases[1] }.reduce(0) { $0 + $1.bytes.count }
    try sample.disk.install(sample.path(sample.bases[1]), Array(second[..<length]))
    let store = try open(sample.disk)
    #expect(store.log.recovery.rows.contains("R9"))
    #expect(sample.disk.contents(of: sample.path(base)) == nil)
    #expect(sample.disk.contents(of: sample.path(base, .index)) == nil)
    #expect(try store.log.readAround().batches == kept)
  }

  @Test func r10FencesAStrangersDamageThatValidBatchesFollow() throws {
    // In the last segment, and in one before it.
    for index in [5, 10] {
      let sample = try RecoverySample()
      try sample.strip(sample.disk, mark: true, marker: true, points: true)
      let (base, position) = sample.place(index)
      try sample.edit(sample.path(base), on: sample.disk) { $0[position + 62] ^= 4 }
      let store = try open(sample.disk)
      let damaged = sample.content[index]
      #expect(store.log.recovery.rows.contains("R10"))
      #expect(store.log.recovery.damage.map(\.offsets) == [damaged.baseOffset..<damaged.nextOffset])
      #expect(try store.log.readAround().batches == sample.content.filter { $0 != damaged })
      #expect(store.log.recovery.cuts.isEmpty)
      try expectUsable(store, from: sample.end)
    }
  }

  @Test func r11CutsAStrangersTornTail() throws {
    let sample = try RecoverySample()
    try sample.strip(sample.disk, mark: true, marker: true, points: true)
    let (base, position) = sample.place(11)
    try sample.edit(sample.path(base), on: sample.disk) { $0.removeLast(5) }
    let torn = try #require(sample.disk.contents(of: sample.path(base)))[position...]
    let store = try open(sample.disk)
    #expect(store.log.recovery.rows.contains("R11"))
    let cut = try #require(store.log.recovery.cuts.first)
    #expect(cut.position == position && cut.bytes == torn.count)
    #expect(sample.disk.contents(of: cut.keptAs ?? "") == Array(torn))
    #expect(try store.log.readAround().batches == Array(sample.content.dropLast()))
    try expectUsable(store, from: sample.content[11].baseOffset)
  }

  @Test func aStrangersBatchesBehindACleanMarkAreNotOurs() throws {
    // A broker took over after our clean stop, appended, and was killed: R10, R11, never R6.
    let sample = try RecoverySample()
    try sample.strip(sample.disk, marker: true)
    let base = try #require(sample.bases.last)
    var offset = sample.end
    var more: [LogModel.Batch] = []
    for batch in SampleBatches.small[30..<33] {
      let placed = SampleBatches.placed(batch, at: offset)
      try LogModel.split(placed, into: &more)
      offset = more.last!.nextOffset
    }
    let start = try #require(sample.disk.contents(of: sample.path(base))?.count)
    try sample.edit(sample.path(base), on: sample.disk) { bytes in
      for batch in more { bytes += batch.bytes }
      bytes[start + 80] ^= 1
    }
    let store = try open(sample.disk)
    #expect(store.log.recovery.rows.contains("R10"))
    #expect(try store.log.readAround().batches == sample.content + more.dropFirst())
    #expect(store.log.recovery.damage.map(\.offsets) == [sample.end..<more[1].baseOffset])
  }

  @Test(arguments: [100, 4_096])
  func aStrangersRewriteBelowACleanMarkIsReadFromTheStart(_ intervalBytes: Int) throws {
    // A broker truncated the log below our mark and went on: the mark's position is no batch's
    // start any more, and nothing that is valid may be fenced for that.
    let sample = try RecoverySample(intervalBytes: intervalBytes)
    try sample.strip(sample.disk, marker: true, points: true)
    let base = try #require(sample.bases.last)
    let kept =
      sample.content.filter { $0.nextOffset <= base } + [
        sample.content.first { $0.baseOffset == base }!
      ]
    var content = kept
    for batch in SampleBatches.large[..<3] {
      let placed = SampleBatches.placed(batch, at: content.last!.nextOffset)
      try LogModel.split(placed, into: &content)
    }
    while content.last!.nextOffset < sample.end {
      let placed = SampleBatches.placed(SampleBatches.small[33], at: content.last!.nextOffset)
      try LogModel.split(placed, into: &content)
    }
    try sample.edit(sample.path(base), on: sample.disk) { bytes in
      bytes = content.filter { $0.baseOffset >= base }.flatMap(\.bytes)
    }
    let store = try open(sample.disk)
    #expect(try store.log.readAround().batches == content)
    #expect(store.log.damagedRanges.isEmpty && store.log.recovery.cuts.isEmpty)
  }
}
