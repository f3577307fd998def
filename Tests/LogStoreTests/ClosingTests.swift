import DiskIO
import Glibc
import StoreTesting
import Testing

@testable import LogStore

/// What closing a store leaves to those who still hold its logs, and what a full disk does to it.
@Suite struct ClosingTests {
  /// The next session cuts the indexes that a reader of the closed log had mapped.
  @Test(arguments: [false, true])
  func aReaderOfAClosedLogIsRefusedWhateverTheNextSessionCuts(_ mapsIndexes: Bool) throws {
    try withTemporaryDirectory { path in
      var config = CrashStore.config(segmentBytes: 1 << 20, indexIntervalBytes: 0)
      config.mapsIndexes = mapsIndexes
      let store = try Store.openBlocking(path, config: config, logger: .silent)
      let log = try store.createLogBlocking(try TopicPartition(topic: "t", partition: 0))
      for batch in SampleBatches.small {
        var bytes = batch
        _ = try log.appendBlocking(batch: &bytes)
      }
      let middle = log.logEndOffset / 2
      let reader = LogReader(log)
      #expect(try reader.read(from: middle, maxBytes: 1, limit: .logEnd) != nil)
      try store.closeBlocking()

      // Without the marks of a clean stop the indexes are rebuilt, without any entry.
      let disk = PosixDisk()
      try disk.remove("\(path)/\(CleanShutdownFile.name)")
      try disk.remove("\(log.path)/\(DurableMark.fileName)")
      config.log.indexIntervalBytes = 1 << 20
      let next = try Store.openBlocking(path, config: config, logger: .silent)
      let index = "\(log.path)/\(SegmentName(0, .index).fileName)"
      #expect(try disk.status(index)?.size == 0)

      for offset in [middle, 1, log.logEndOffset - 1] {
        #expect(isClosed { try reader.read(from: offset, maxBytes: 1, limit: .logEnd) })
        #expect(isClosed { try LogReader(log).read(from: offset, maxBytes: 1, limit: .logEnd) })
      }
      #expect(isClosed { try reader.readHot(from: middle, maxBytes: 1, below: log.logEndOffset) })
      #expect(isClosed { try log.offset(forTimestamp: 1) })
      var bytes = SampleBatches.small[0]
      #expect(isClosed { try log.appendBlocking(batch: &bytes) })
      #expect(next.logs[0].store.state.segments.count == 1)
      try next.closeBlocking()
    }
  }

  private func isClosed<T>(_ body: () throws -> T) -> Bool {
    do {
      _ = try body()
      return false
    } catch let error as LogError where error.code == .closed {
      return true
    } catch {
      Issue.record("\(error)")
      return false
    }
  }

  /// A store that nobody holds any more, though nobody closed it, stays locked while one of its
  /// logs can still be written to, and no longer.
  @Test func aLogKeepsItsStoreLocked() throws {
    let disk = SimulatedDisk(seed: 31)
    let config = CrashStore.config(segmentBytes: 400)
    var log: Log? = try CrashStore(disk, config).log
    for batch in SampleBatches.small[..<10] {
      var bytes = batch
      _ = try #require(log).appendBlocking(batch: &bytes)
    }
    #expect(throws: LogError.self) { try CrashStore(disk, config, creates: false) }
    let end = log?.logEndOffset
    log = nil
    let again = try CrashStore(disk, config, creates: false)
    #expect(again.log.logEndOffset == end)
  }

  /// Whichever write, allocation or name of a close meets a full disk: nothing is lost, no clean
  /// stop is claimed, and closing goes on once there is space.
  @Test func aFullDiskWhileClosingPasses() throws {
    let operations: Set<DiskError.Operation> = [
      .create, .write, .truncate, .allocate, .rename, .makeDirectory,
    ]
    let marker = "\(CrashStore.path)/\(CleanShutdownFile.name)"
    var refused = 0
    for occurrence in 1...200 {
      let disk = SimulatedDisk(seed: 32)
      let store = try CrashStore(disk, CrashStore.config(segmentBytes: 1_000))
      var model = LogModel()
      for batch in SampleBatches.small[..<12] { try store.append(batch, &model) }
      disk.plan(FaultPlan(.error(ENOSPC), at: occurrence, operations: operations))
      do {
        try store.manager.closeBlocking()
      } catch {
        guard case .diskFull = error.kind else {
          Issue.record("call \(occurrence): \(error)")
          break
        }
        refused += 1
        #expect(disk.contents(of: marker) == nil, "call \(occurrence)")
        #expect(throws: LogError.self) { try CrashStore(disk, CrashStore.config()) }
        #expect(model.fault(in: try LogModel.content(of: store.log), after: .killed) == nil)
        try store.manager.closeBlocking()
      }
      let hasFired = disk.faultFired
      disk.removeFaults()
      #expect(disk.contents(of: marker) != nil, "call \(occurrence)")
      let again = try CrashStore(disk.crash(.loseAllUnsynced), CrashStore.config(), creates: false)
      #expect(again.manager.report.wasClean && !again.log.recovery.isEventful)
      #expect(model.fault(in: try LogModel.content(of: again.log), after: .killed) == nil)
      if !hasFired { break }
    }
    #expect(refused > 5, "only \(refused) closings met the full disk")
  }
}
