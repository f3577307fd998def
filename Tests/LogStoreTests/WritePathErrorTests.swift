import DiskIO
import Glibc
import RecordFormat
import StoreTesting
import Testing

@testable import LogStore

/// Each refusal of the write path that no other test provokes: what is told, and that nothing
/// changed by it.
@Suite struct WritePathErrorTests {
  private func error<T>(_ body: () throws -> T) -> LogError? {
    do {
      _ = try body()
      return nil
    } catch let error as LogError {
      return error
    } catch {
      Issue.record(error)
      return nil
    }
  }

  private func write(_ batch: [UInt8], to log: Log) throws(LogError) -> AppendResult {
    var bytes = batch
    var span = bytes.mutableSpan
    return try log.writeBlocking(batch: &span)
  }

  private func builder() throws -> RecordBatchBuilder {
    var builder = RecordBatchBuilder()
    _ = try builder.append(timestamp: 1, key: nil, value: [1, 2, 3])
    return builder
  }

  // MARK: Appending

  @Test func anEmptyBuilderIsNoBatch() throws {
    let store = try CrashStore(SimulatedDisk(seed: 1), CrashStore.config())
    var empty = RecordBatchBuilder()
    guard
      case .invalidBatch(.header(.recordCount, _, _, _)) = error({
        try store.log.writeBlocking(&empty)
      })?.kind
    else {
      Issue.record("an empty builder was taken")
      return
    }
    #expect(store.log.logEndOffset == 0)
  }

  @Test func aBuilderThatIsRefusedKeepsItsRecords() throws {
    let disk = SimulatedDisk(seed: 2)
    let store = try CrashStore(disk, CrashStore.config())
    var full = try builder()
    disk.plan(FaultPlan(.error(ENOSPC), at: 1, operations: [.write], pathSuffix: ".log"))
    guard case .diskFull = error({ try store.log.appendBlocking(&full) })?.kind else {
      Issue.record("a full disk took a batch")
      return
    }
    let keptCount = full.recordCount
    #expect(disk.faultFired && keptCount == 1)
    let result = try store.log.appendBlocking(&full)
    let isEmpty = full.isEmpty
    #expect(result.baseOffset == 0 && isEmpty)
  }

  @Test func aBatchThatNoSegmentHoldsIsRefused() throws {
    let store = try CrashStore(SimulatedDisk(seed: 3), CrashStore.config(segmentBytes: 300))
    let batch = SampleBatches.make(1, records: 1, valueBytes: 400)
    guard case .recordTooLarge(batch.count, limit: 300) = store.tryAppend(batch).failureKind else {
      Issue.record("a batch of \(batch.count) bytes was taken")
      return
    }
    #expect(store.log.logEndOffset == 0)
  }

  @Test(arguments: [[600], [90, 90, 90, 90, 90, 90]])
  func recordsThatFitNoBatchAreRefused(_ sizes: [Int]) throws {
    var config = CrashStore.config(segmentBytes: 1 << 20)
    config.log.maxMessageBytes = 500
    let store = try CrashStore(SimulatedDisk(seed: 12), config)
    let records = sizes.map {
      Record(offset: 0, timestamp: 1, key: nil, value: [UInt8](repeating: 1, count: $0))
    }
    guard
      case .recordTooLarge(_, limit: 500) = error({
        try store.log.appendBlocking(records.map { NewRecord($0) })
      })?.kind
    else {
      Issue.record("\(sizes) were taken")
      return
    }
    #expect(store.log.logEndOffset == 0)
    // The next ones are taken.
    let fitting = Record(offset: 0, timestamp: 1, key: nil, value: [1])
    #expect(try store.log.appendBlocking([NewRecord(fitting)]).baseOffset == 0)
  }

  /// One of a broker's that is open at the log's end: nothing is appended into it.
  @Test func aProducerWithAnOpenTransactionIsRefused() throws {
    var state = ProducerState(endOffset: 4, expirationMs: Int64.max)
    state.restore(
      5,
      ProducerState.Producer(
        epoch: 0,
        batches: [
          ProducerState.Batch(lastSequence: 0, lastOffset: 3, offsetDelta: 0, timestamp: 1)
        ], timestamp: 1, transactionFirstOffset: 3, activeMs: 1))
    let batch = try ProducerFixture.batch(5, sequence: 1)
    let header = try BatchHeader(batch.span)
    guard case .invalidTransactionState(5, _) = error({ try state.judge(header, nowMs: 2) })?.kind
    else {
      Issue.record("a batch was let into an open transaction")
      return
    }
  }

  // MARK: A log that is only read

  @Test func aLogThatIsOnlyReadTakesNothingAndIsNotChanged() throws {
    let disk = SimulatedDisk(seed: 4)
    let store = try CrashStore(disk, CrashStore.config(durability: .operatingSystem))
    _ = try write(SampleBatches.small[0], to: store.log)
    let log = try Log.openReadOnlyBlocking(CrashStore.directory, disk: disk, logger: .silent)
    _ = try write(SampleBatches.small[1], to: store.log)
    _ = try log.refresh()
    #expect(log.logEndOffset == store.log.logEndOffset)
    let before = disk.operationCount
    var full = try builder()
    let refusals = [
      error { try write(SampleBatches.small[1], to: log) },
      error { try log.appendBlocking(&full) },
      error { try log.appendBlocking([]) },
    ]
    for refusal in refusals {
      guard case .readOnly = refusal?.kind else {
        Issue.record("\(String(describing: refusal))")
        continue
      }
    }
    let keptCount = full.recordCount
    #expect(keptCount == 1)
    // There is nothing for a flusher either.
    #expect(log.writing == nil)
    // Nothing of its own is unsynced.
    try log.flushBlocking()
    try log.close()
    #expect(disk.operationCount == before)
  }

  // MARK: Preparing

  @Test func preparingTellsWhyItCannot() throws {
    let disk = SimulatedDisk(seed: 5)
    let store = try CrashStore(disk, CrashStore.config(segmentBytes: 300))
    let log = store.log
    var model = LogModel()
    try store.append(SampleBatches.small[0], &model)
    // A new segment is due, and the disk is full.
    disk.plan(FaultPlan(.error(ENOSPC), at: 1, operations: [.allocate]))
    guard case .diskFull = error({ try log.appender.prepare(byteCount: 290) })?.kind else {
      Issue.record("a segment was made on a full disk")
      return
    }
    #expect(disk.faultFired && log.store.state.segments.count == 1)
    try log.appender.prepare(byteCount: 290)
    #expect(log.store.state.segments.count == 2)
    try store.append(SampleBatches.small[1], &model)
    // After a failed sync, and after the end.
    _ = try write(SampleBatches.small[2], to: log)
    disk.plan(FaultPlan(.error(EIO), at: 1, operations: [.sync]))
    guard case .poisoned = error({ try log.flushBlocking() })?.kind,
      case .poisoned = error({ try log.appender.prepare(byteCount: 290) })?.kind
    else {
      Issue.record("prepared after a failed sync")
      return
    }
    let other = try store.manager.createLogBlocking(try TopicPartition(topic: "u", partition: 0))
    _ = try write(SampleBatches.small[0], to: other)
    try other.close()
    guard case .closed = error({ try other.appender.prepare(byteCount: 100) })?.kind else {
      Issue.record("prepared after the end")
      return
    }
  }

  // MARK: The end

  @Test(arguments: [false, true])
  func aFlushAfterTheLogIsGoneIsRefused(isDeleted: Bool) throws {
    let disk = SimulatedDisk(seed: 6)
    let store = try CrashStore(disk, CrashStore.config())
    let log = store.log
    _ = try write(SampleBatches.small[0], to: log)
    if isDeleted {
      try store.manager.deleteLogBlocking(log.topicPartition)
    } else {
      log.giveUp()
      log.giveUp()
    }
    disk.setTracing(true)
    guard case .closed = error({ try log.waitUntilDurableBlocking(upTo: 1) })?.kind,
      case .alone = log.pipeline.beginJournaledFlush(bytesMax: 1 << 20)
    else {
      Issue.record("flushed after the end")
      return
    }
    #expect(log.appender.isReady(byteCount: 1) == false && log.recoveryPoint == 0)
    #expect(disk.trace.allSatisfy { $0.operation != .sync && $0.operation != .write })
  }

  /// I8: the first cause stays.
  @Test func theFirstFailedSyncIsTheOneThatIsTold() throws {
    let store = try CrashStore(SimulatedDisk(seed: 7), CrashStore.config())
    store.log.health.fail(DiskError(.sync, "first", code: EIO))
    store.log.health.fail(DiskError(.sync, "second", code: EIO))
    guard case .poisoned(_, let cause) = store.tryAppend(SampleBatches.small[0]).failureKind else {
      Issue.record("an append after a failed sync went through")
      return
    }
    #expect(cause.path == "first")
  }

  // MARK: Flushing together

  private func group(_ disk: SimulatedDisk, on path: String = CrashStore.path) throws -> GroupSync {
    GroupSync(
      try #require(try disk.sharedSync(of: path)), logCountMin: 2, othersBytesMax: 1 << 20,
      traffic: SyncTraffic(), logger: .silent, metrics: StoreMetrics())
  }

  /// A log that fails while its bytes go to the journal has acknowledged nothing by it.
  @Test func aWriteOfTheJournalAcknowledgesNothingOfALogThatFailedMeanwhile() throws {
    let disk = SimulatedDisk(seed: 8)
    let store = try CrashStore(disk, CrashStore.config())
    let log = store.log
    var model = LogModel()
    try store.append(SampleBatches.small[0], &model)
    _ = try write(SampleBatches.small[1], to: log)
    guard case .begun(let flush) = log.pipeline.beginJournaledFlush(bytesMax: 1 << 20) else {
      Issue.record("no flush by the journal began")
      return
    }
    let before = log.durableEndOffset
    log.health.fail(DiskError(.sync, log.path, code: EIO))
    flush.end(isDurable: true)
    #expect(log.durableEndOffset == before)
  }

  /// Its descriptor has told its error and will not tell it again.
  @Test func aGroupSyncThatFailedIsNotUsedAgain() throws {
    let disk = SimulatedDisk(seed: 10)
    try disk.installDirectory(CrashStore.path)
    let group = try group(disk)
    #expect(group.mayRun(ownBytes: 0) && group.run(logCount: 2))
    disk.plan(FaultPlan(.error(EIO), at: 1, operations: [.syncFileSystem]))
    #expect(!group.run(logCount: 2))
    let calls = disk.counters.calls[.syncFileSystem, default: 0]
    #expect(!group.isUsable && !group.mayRun(ownBytes: 0) && !group.run(logCount: 2))
    #expect(disk.counters.calls[.syncFileSystem, default: 0] == calls)
  }

  // MARK: The mark

  /// A durable mark would write a record of a segment whose indexes are being trimmed.
  @Test func aMarkThatARollHasOvertakenIsLeftToTheNextFlush() throws {
    let disk = SimulatedDisk(seed: 11)
    let store = try CrashStore(disk, CrashStore.config(segmentBytes: 400))
    let path = store.log.environment.directory.path(DurableMark.fileName)
    var model = LogModel()
    try store.append(SampleBatches.small[0], &model)
    for batch in SampleBatches.small[1..<8] { _ = try write(batch, to: store.log) }
    #expect(store.log.store.state.segments.count > 1)
    let before = disk.contents(of: path)
    store.log.pipeline.refreshMark(force: true)
    #expect(disk.contents(of: path) == before)
    try store.log.flushBlocking()
    store.log.pipeline.refreshMark(force: true)
    let mark = try DurableMark.read(store.log.environment.directory)
    #expect(mark.durable?.recoveryPoint == store.log.logEndOffset)
  }
}
