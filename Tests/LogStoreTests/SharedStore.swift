import DiskIO
import StoreTesting
import Testing

@testable import LogStore

/// A store of several logs on a simulated disk, flushed by steps: appends to all logs wait together
/// for one write of the journal.
final class SharedStore {
  let disk: SimulatedDisk
  let manager: Store
  let logs: [Log]
  /// Up to where each log's appends were acknowledged.
  private let acknowledged: Locked<[Int64]>
  /// Logs that told a waiting append of an error.
  private let failed = Locked<Set<Int>>([])

  init(_ disk: SimulatedDisk, _ config: StoreConfig, logCount: Int, creates: Bool = true) throws {
    self.disk = disk
    manager = try Store.openBlocking(
      CrashStore.path, config: config, disk: disk, logger: .silent)
    if let failed = manager.report.failed.first { throw failed.error }
    let manager = manager
    logs = try (0..<logCount).map { index in
      let name = try TopicPartition(topic: "t", partition: Int32(index))
      if let log = manager.log(name) { return log }
      guard creates else { throw LogError.notFound(path: "\(name)") }
      return try manager.createLogBlocking(name)
    }
    acknowledged = Locked([Int64](repeating: 0, count: logCount))
  }

  var failedLogs: Set<Int> { failed.withLock { $0 } }

  /// Syncs of the whole disk so far.
  var sharedSyncCount: Int { disk.counters.calls[.syncFileSystem, default: 0] }

  /// Groups that were written to the journal since the store was made.
  var groupCount: Int {
    Int(manager.context.flusher.journal?.state.withLock { $0.ring?.nextSequence ?? 1 } ?? 1) - 1
  }

  /// Appends a batch without waiting, as the server does.
  func append(_ batch: [UInt8], to index: Int, _ models: inout [LogModel]) throws {
    var bytes = batch
    do {
      var span = bytes.mutableSpan
      let result = try logs[index].writeBlocking(batch: &span)
      models[index].note(bytes, .written(result.baseOffset))
      let end = result.lastOffset + 1
      logs[index].onDurable(end) { [acknowledged, failed] outcome in
        switch outcome {
        case .success: acknowledged.withLock { $0[index] = max($0[index], end) }
        case .failure: failed.withLock { _ = $0.insert(index) }
        }
      }
    } catch {
      models[index].note(batch, .unknown)
      throw error
    }
  }

  /// What the flusher's thread does once; notes what was acknowledged.
  func step(_ models: inout [LogModel]) {
    manager.context.flusher.step(waiting: false)
    let ends = acknowledged.withLock { $0 }
    for index in models.indices { models[index].noteFlushed(below: ends[index]) }
  }

  /// Bytes of acknowledged segments that a power cut could take; 0 is right.
  func unsyncedAcknowledgedBytes() throws -> Int {
    try logs.filter { $0.recoveryPoint == $0.logEndOffset && !$0.health.isFailed }
      .flatMap { $0.store.state.segments }
      .reduce(0) { $0 + (try disk.unsyncedBytes(of: $1.path(.log))) }
  }
}
