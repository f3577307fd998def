import DiskIO
import Foundation
import StoreTesting
import Testing

@testable import LogStore

/// A store's directory is renamed, or another is put in its place, while the store is open: what is
/// acknowledged stands in the directory that was opened, wherever that is now.
@Suite struct MovedDirectoryTests {
  enum Place: CaseIterable { case empty, copied }

  @Test(arguments: Place.allCases)
  func nothingIsAcknowledgedInHalfALog(_ place: Place) throws {
    let root = NSTemporaryDirectory() + "mkstore-moved-\(UUID().uuidString)"
    let moved = root + "-moved"
    defer { for path in [root, moved] { remove(path) } }
    var config = CrashStore.config(segmentBytes: 1000)
    config.log.segmentIndexBytes = 4096
    let store = try Store.openBlocking(root, config: config, logger: .silent)
    let log = try store.createLogBlocking(try TopicPartition(topic: "t", partition: 0))
    var acknowledged: [Int64] = []
    var isRefused = false
    for (number, sample) in SampleBatches.small.enumerated() {
      if number == 2 {
        try PosixDisk().rename(root, to: moved)
        if place == .copied { try FileManager.default.copyItem(atPath: moved, toPath: root) }
      }
      var batch = sample
      do throws(LogError) {
        acknowledged.append(try log.appendBlocking(batch: &batch).baseOffset)
      } catch {
        isRefused = true
        break
      }
    }
    // The first roll after the move makes a name by its path.
    #expect(isRefused && acknowledged.count > 2)
    let found = try Log.openReadOnlyBlocking("\(moved)/t-0", logger: .silent).readAround()
    #expect(found.batches.map(\.baseOffset).starts(with: acknowledged) && found.damaged.isEmpty)
  }

  /// Of logs that share the journal only the one that nobody will find again is refused.
  @Test func aRemovedLogOfAGroupIsRefusedAlone() throws {
    let root = NSTemporaryDirectory() + "mkstore-removed-\(UUID().uuidString)"
    defer { remove(root) }
    var config = CrashStore.config(segmentBytes: 1 << 20)
    config.journalLogsMin = 2
    config.journalBytesMax = 4 << 20
    let store = try Store.openBlocking(root, config: config, logger: .silent)
    let logs = try (0..<4).map {
      try store.createLogBlocking(try TopicPartition(topic: "t", partition: Int32($0)))
    }
    for round in 0..<3 {
      if round == 2 { try FileManager.default.removeItem(atPath: logs[1].path) }
      for (index, log) in logs.enumerated() {
        var batch = SampleBatches.small[round * 4 + index]
        var span = batch.mutableSpan
        let result = try log.writeBlocking(batch: &span)
        log.onDurable(result.lastOffset + 1) { _ in }
      }
      store.context.flusher.step(waiting: false)
    }
    #expect(logs.map(\.health.isFailed) == [false, true, false, false])
    #expect(logs.map { $0.durableEndOffset == $0.logEndOffset } == [true, false, true, true])
    #expect(store.context.flusher.journal?.state.withLock { $0.ring?.nextSequence ?? 0 } ?? 0 > 1)
  }

  private func remove(_ path: String) {
    do {
      try FileManager.default.removeItem(atPath: path)
    } catch {
      // It was never made.
    }
  }
}
