import DiskIO
import Glibc
import RecordFormat
import StoreTesting
import Testing

@testable import LogStore

/// What an opening, and everything that only looks, makes of a journal's entries (P8).
@Suite struct JournalReplayTests {
  private static let logCount = 3

  static func config(segmentBytes: Int = 1 << 20) -> StoreConfig {
    var config = CrashStore.config(segmentBytes: segmentBytes)
    config.journalLogsMin = 2
    config.journalBytesMax = 8 * (64 << 10)
    return config
  }

  /// A store whose logs have `rounds` batches each, the first one synced in their own files, the
  /// others only by the journal.
  private static func journaled(
    _ disk: SimulatedDisk, rounds: Int = 4
  ) throws -> (store: SharedStore, models: [LogModel]) {
    let store = try SharedStore(disk, config(), logCount: logCount)
    var models = [LogModel](repeating: LogModel(), count: logCount)
    for round in 0..<rounds {
      for index in 0..<logCount {
        try store.append(SampleBatches.small[round * logCount + index], to: index, &models)
      }
      store.step(&models)
    }
    #expect(store.groupCount == rounds - 1)
    #expect(store.logs.allSatisfy { $0.recoveryPoint < $0.durableEndOffset })
    #expect(models.allSatisfy { $0.durableCount == rounds })
    return (store, models)
  }

  private static func path(_ index: Int) -> String {
    "\(CrashStore.path)/t-\(index)/\(SegmentName(0, .log).fileName)"
  }

  private static func expectAll(
    _ disk: SimulatedDisk, _ models: [LogModel], _ place: String = ""
  ) throws {
    let store = try SharedStore(disk, config(), logCount: logCount, creates: false)
    for (index, log) in store.logs.enumerated() {
      let fault = models[index].fault(in: try LogModel.content(of: log), after: .powerCut)
      #expect(fault == nil, "\(place), log \(index)")
      #expect(log.recovery.damage.isEmpty, "\(place), log \(index)")
      #expect(log.recoveryPoint == log.logEndOffset)
    }
  }

  @Test func oneLogAloneNeedsNoJournal() throws {
    let disk = SimulatedDisk()
    let store = try CrashStore(disk, Self.config())
    var model = LogModel()
    for batch in SampleBatches.small[..<5] { try store.append(batch, &model) }
    #expect(try disk.list(CrashStore.path).allSatisfy { JournalLayout.index(of: $0.name) == nil })
  }

  @Test func afterAPowerCutTheJournalHasWhatTheLogsLack() throws {
    let disk = SimulatedDisk(seed: 1)
    let (store, models) = try Self.journaled(disk)
    let lost = disk.crash(.loseAllUnsynced)
    #expect(try lost.status(Self.path(0))!.size < store.logs[0].segmentInfo()[0].bytes)
    try Self.expectAll(lost, models)
  }

  @Test func aCleanStopLeavesAnEmptyRing() throws {
    let disk = SimulatedDisk(seed: 2)
    let (store, models) = try Self.journaled(disk)
    #expect(try !JournalContents(disk, directory: CrashStore.path).entries.isEmpty)
    let groups = store.groupCount
    try store.manager.closeBlocking()
    let after = disk.crash(.loseAllUnsynced)
    let contents = try JournalContents(after, directory: CrashStore.path)
    #expect(contents.entries.isEmpty && contents.damage.isEmpty && !contents.files.isEmpty)
    // The numbers go on, so that no old group is taken for a new one.
    let again = try SharedStore(after, Self.config(), logCount: Self.logCount, creates: false)
    #expect(again.manager.report.wasClean)
    var models2 = models
    for index in 0..<Self.logCount {
      try again.append(SampleBatches.small[40 + index], to: index, &models2)
    }
    again.step(&models2)
    #expect(again.groupCount > groups)
    try Self.expectAll(after.crash(.loseAllUnsynced), models2)
  }

  /// Any sector of the journal may rot: while the logs' own files are there nothing is lost.
  @Test func aDamagedSectorOfTheJournalLosesNothingThatTheLogsHold() throws {
    let disk = SimulatedDisk(seed: 3)
    let (store, models) = try Self.journaled(disk)
    let file = "\(CrashStore.path)/\(JournalLayout.fileName(0))"
    let used = store.manager.context.flusher.journal!.state.withLock { $0.ring!.files[0].position }
    var reported = 0
    for sector in 0..<used / 512 {
      let kept = disk.kill()
      try kept.overwrite(file, at: sector * 512, [UInt8](repeating: 0x55, count: 512))
      let damage = try JournalContents(kept, directory: CrashStore.path).damage
      reported += damage.isEmpty ? 0 : 1
      try Self.expectAll(kept, models, "sector \(sector)")
    }
    // Heads of groups before the last.
    #expect(reported >= store.groupCount - 1)
  }

  /// A torn sector of the last group, which was never acknowledged, or of bytes that no one wrote.
  @Test func whatWasInFlightCountsOnlyUpToTheFirstGap() throws {
    let disk = SimulatedDisk(seed: 4)
    let (store, models) = try Self.journaled(disk)
    let ring = store.manager.context.flusher.journal!.state.withLock { $0.ring! }
    // As two groups in flight, of which only the second one reached the disk.
    let entry = JournalEntry(
      logName: "t-0", topicId: .zero, segmentBase: 0, position: 0, byteCount: 0, offsets: 0..<99,
      payloadStart: 4000, crc: 0, isVoid: true)
    let head = JournalGroupHead(
      ringId: ring.id, sequence: ring.nextSequence + 1, durableBelow: ring.durableBelow,
      liveFrom: 0, byteCount: 4096, entries: [entry])
    var block = [UInt8](repeating: 0, count: 4096)
    var span = block.mutableSpan
    head.encode(into: &span)
    let lost = disk.crash(.loseAllUnsynced)
    try lost.overwrite(
      "\(CrashStore.path)/\(JournalLayout.fileName(0))",
      at: ring.files[0].position + 4096, block)
    let contents = try JournalContents(lost, directory: CrashStore.path)
    #expect(contents.entries["t-0"]?.count == store.groupCount && contents.damage.isEmpty)
    #expect(contents.nextSequence > ring.nextSequence + 2)
    try Self.expectAll(lost, models)
  }

  // MARK: Other writers

  /// A broker cut the log at its own end and appended: our entries do not continue it.
  @Test(arguments: [false, true])
  func whatDoesNotContinueALogIsKeptAndReported(isFull: Bool) throws {
    let disk = SimulatedDisk(seed: 5)
    let (store, models) = try Self.journaled(disk)
    let first = store.logs[1].recoveryPoint
    let end = store.logs[1].durableEndOffset
    let lost = disk.crash(.loseAllUnsynced)
    let size = try lost.status(Self.path(1))!.size
    var others = SampleBatches.small[49]
    var span = others.mutableSpan
    assignOffset(&span, baseOffset: first, leaderEpoch: 7)
    try lost.overwrite(Self.path(1), at: size, others)
    let header = try BatchHeader(others.span)
    let epochs = [(Int32(0), Int64(0)), (7, first)].map {
      LeaderEpochCheckpoint.Entry(epoch: $0, startOffset: $1)
    }
    try LeaderEpochCheckpoint(epochs).write(lost, directory: "\(CrashStore.path)/t-1")

    let before = try LogVerifier(lost).verify(["\(CrashStore.path)/t-1"])
    #expect(before.damage.map(\.offsets) == [first..<end])
    if isFull {
      // Without room for the only copy of acknowledged records the log waits, and keeps them.
      lost.plan(FaultPlan(.error(ENOSPC), at: 1, isForEver: true, operations: [.create]))
      let refused = try Store.openBlocking(
        CrashStore.path, config: Self.config(), disk: lost, logger: .silent)
      #expect(refused.log(store.logs[1].topicPartition) == nil && lost.faultFired)
      lost.removeFaults()
      let entries = try JournalContents(lost, directory: CrashStore.path).entries
      #expect(entries["t-1"]?.isEmpty == false)
      for log in refused.logs { log.giveUp() }
      refused.context.lock?.release()
    }
    let again = try SharedStore(lost, Self.config(), logCount: Self.logCount, creates: false)
    let log = again.logs[1]
    #expect(log.recovery.damage.map(\.offsets) == [first..<end])
    #expect(log.recovery.damage == before.damage)
    let kept = try lost.list("\(CrashStore.path)/t-1/.bad").map(\.name)
    #expect(!kept.isEmpty)
    // The other program's records are served, and so are the ones before.
    let content = try LogModel.content(of: log)
    #expect(content.last?.bytes == others && content.last?.nextOffset == header.nextOffset)
    for index in [0, 2] {
      let fault = models[index].fault(
        in: try LogModel.content(of: again.logs[index]), after: .powerCut)
      #expect(fault == nil)
    }
  }

  /// A topic that was deleted, or one of its name that was made since, gets nothing of the old one.
  @Test(arguments: [false, true]) func aDeletedLogDoesNotComeBack(isMadeAgain: Bool) throws {
    let disk = SimulatedDisk(seed: 6)
    let (store, models) = try Self.journaled(disk)
    let name = store.logs[1].topicPartition
    try store.manager.deleteLogBlocking(name)
    if isMadeAgain { _ = try store.manager.createLogBlocking(name) }
    for mode in [CrashMode.loseAllUnsynced, .keepAll] {
      let after = disk.crash(mode)
      let again = try Store.openBlocking(
        CrashStore.path, config: Self.config(), disk: after, logger: .silent)
      #expect(again.log(name)?.logEndOffset == (isMadeAgain ? 0 : nil))
      for index in [0, 2] {
        let log = try #require(again.log(store.logs[index].topicPartition))
        #expect(models[index].fault(in: try LogModel.content(of: log), after: .powerCut) == nil)
      }
    }
  }

  /// What was truncated stays so, also where new records took its offsets.
  @Test(arguments: [false, true]) func whatWasTruncatedDoesNotComeBack(isGrown: Bool) throws {
    let disk = SimulatedDisk(seed: 7)
    let (store, _) = try Self.journaled(disk)
    let log = store.logs[1]
    let cut = try store.manager.truncateLogBlocking(log.topicPartition, from: log.recoveryPoint)
    var last: [UInt8] = []
    if isGrown {
      last = SampleBatches.small[30]
      _ = try cut.log.appendBlocking(batch: &last)
    }
    let after = disk.crash(.loseAllUnsynced)
    let again = try SharedStore(after, Self.config(), logCount: Self.logCount, creates: false)
    #expect(again.logs[1].logEndOffset == cut.log.logEndOffset)
    #expect(again.logs[1].recovery.damage.isEmpty)
    if isGrown {
      let content = try LogModel.content(of: again.logs[1])
      #expect(content.last?.bytes == last)
    }
  }

  // MARK: Failures

  /// A log whose own sync fails has its entries kept in a file of its own, from which its reopening
  /// takes them; the others go on.
  @Test(arguments: [false, true]) func aFailedLogKeepsWhatTheJournalHasOfIt(isCrash: Bool) throws {
    let disk = SimulatedDisk(seed: 8)
    let (store, models) = try Self.journaled(disk)
    disk.plan(
      FaultPlan(
        .error(EIO), at: 1, isForEver: true, operations: [.writeOut, .sync],
        pathSuffix: "t-1/00000000000000000000.log"))
    let journal = try #require(store.manager.context.flusher.journal)
    journal.syncAll()
    #expect(disk.faultFired && store.logs.map(\.health.isFailed) == [false, true, false])
    disk.removeFaults()
    let kept = "\(CrashStore.path)/t-1/\(KeptEntries.fileName)"
    #expect(try disk.status(kept) != nil)
    #expect(journal.state.withLock { $0.ring!.isEmpty })
    if isCrash {
      try Self.expectAll(disk.crash(.loseAllUnsynced), models)
    } else {
      let log = try store.manager.reopenLogBlocking(store.logs[1].topicPartition)
      #expect(models[1].fault(in: try LogModel.content(of: log), after: .powerCut) == nil)
      #expect(try disk.status(kept) == nil)
      try Self.expectAll(disk.crash(.loseAllUnsynced), models)
    }
  }

  /// A log that cannot be opened does not keep the others from using the ring again.
  @Test func aLogThatDoesNotOpenKeepsItsEntriesInAFile() throws {
    let disk = SimulatedDisk(seed: 9)
    let (_, models) = try Self.journaled(disk)
    let lost = disk.crash(.loseAllUnsynced)
    lost.plan(
      FaultPlan(
        .error(EACCES), at: 1, isForEver: true, operations: [.open],
        pathSuffix: "t-1/00000000000000000000.log"))
    let store = try Store.openBlocking(
      CrashStore.path, config: Self.config(), disk: lost, logger: .silent)
    #expect(store.report.failed.count == 1 && store.logs.count == 2)
    #expect(try lost.status("\(CrashStore.path)/t-1/\(KeptEntries.fileName)") != nil)
    let contents = try JournalContents(lost, directory: CrashStore.path)
    #expect(contents.entries.isEmpty)
    lost.removeFaults()
    try Self.expectAll(lost.crash(.loseAllUnsynced), models)
  }

  /// A write that fails ends the use of the journal; its files go once the logs are synced, and
  /// nothing is lost before or after.
  @Test func aFailedJournalIsRetired() throws {
    let disk = SimulatedDisk(seed: 10)
    var (store, models) = try Self.journaled(disk)
    let journal = try #require(store.manager.context.flusher.journal)
    disk.plan(FaultPlan(.error(EIO), at: 1, operations: [.write], pathSuffix: "mkstore.journal-0"))
    for index in 0..<Self.logCount {
      try store.append(SampleBatches.small[40 + index], to: index, &models)
    }
    store.step(&models)
    #expect(disk.faultFired && models.allSatisfy { $0.durableCount == 5 })
    #expect(!journal.isUsable)
    try Self.expectAll(disk.crash(.loseAllUnsynced), models)
    journal.step(waiting: false)
    #expect(try disk.list(CrashStore.path).allSatisfy { JournalLayout.index(of: $0.name) == nil })
    try Self.expectAll(disk.crash(.loseAllUnsynced), models)
  }

  /// On a full disk the files that exist are enough, and a journal that does not exist yet is
  /// missed by no one.
  @Test func aFullDiskTakesNothingFromTheRing() throws {
    let disk = SimulatedDisk(seed: 11)
    var (store, models) = try Self.journaled(disk)
    for index in 0..<Self.logCount {
      try store.append(SampleBatches.small[30 + index], to: index, &models)
    }
    disk.plan(FaultPlan(.error(ENOSPC), at: 1, isForEver: true, operations: [.create, .allocate]))
    let before = store.groupCount
    store.step(&models)
    #expect(store.groupCount == before + 1 && models.allSatisfy { $0.durableCount == 5 })
    try Self.expectAll(disk.crash(.loseAllUnsynced), models)
  }

  /// While a read-only opening and `verify` look, the writer goes on.
  @Test func aViewChangesNothing() throws {
    let disk = SimulatedDisk(seed: 12)
    let (_, models) = try Self.journaled(disk)
    let lost = disk.crash(.loseAllUnsynced)
    let before = lost.contents(of: Self.path(0))
    let log = try Log.openReadOnlyBlocking("\(CrashStore.path)/t-0", disk: lost, logger: .silent)
    #expect(models[0].fault(in: try LogModel.content(of: log), after: .powerCut) == nil)
    let report = try LogVerifier(lost).verify([CrashStore.path])
    #expect(report.damage.isEmpty && report.sideFileDamage.isEmpty)
    #expect(report.logs.allSatisfy { $0.endOffset > 0 })
    #expect(lost.contents(of: Self.path(0)) == before)
  }
}

extension SimulatedDisk {
  /// Changes bytes of a file, durably.
  fileprivate func overwrite(_ path: String, at position: Int, _ bytes: [UInt8]) throws {
    var content = try #require(contents(of: path))
    let missing = position + bytes.count - content.count
    if missing > 0 { content += [UInt8](repeating: 0, count: missing) }
    content.replaceSubrange(position..<position + bytes.count, with: bytes)
    try install(path, content)
  }
}
