import DiskIO
import LogStore
import RecordFormat
import StoreTesting
import Testing

/// A real power cut under many logs that share a journal: a store on a real ext4, whose power is
/// cut while several threads append; after mounting it again everything acknowledged is there.
@Suite(
  .serialized,
  .enabled(
    if: LoopDisk.obstacle == nil,
    "no real power cuts here: \(LoopDisk.obstacle ?? "")"))
struct SharedSyncPowerCutTests {
  private static let logCount = 12
  private static let cuts = 3

  @Test func recordsAcknowledgedTogetherSurviveAPowerCut() throws {
    let seed = Seed.fromEnvironment()
    var random = SeededGenerator(seed: seed.value)
    let disk = try LoopDisk(megabytes: 256)
    let path = disk.mountPoint + "/data"
    var models = [LogModel](repeating: LogModel(), count: Self.logCount)
    var journaled = 0
    for cut in 0..<Self.cuts {
      let acknowledgements = Int.random(in: 200...2_000, using: &random)
      journaled += try appendUntilCut(disk, path, acknowledgements, cut, &models)
      try disk.remount()
      try check(path, &models, "\(seed), cut \(cut)")
    }
    try disk.unmount()
    #expect(journaled == Self.cuts, "only \(journaled) lives had a journal")
    print("\(Self.cuts) power cuts with a journal, none acknowledged lost")
  }

  /// What one log's thread did, and up to where it was told that its records are durable.
  private final class Writer: Sendable {
    let state = Locked((acknowledged: Int64(0), count: 0, isFailed: false))
  }

  /// Appends until the power is cut, and lets go of everything.
  ///
  /// - Returns: 1 if the logs had a journal, else 0.
  private func appendUntilCut(
    _ disk: LoopDisk, _ path: String, _ acknowledgements: Int, _ cut: Int,
    _ models: inout [LogModel]
  ) throws -> Int {
    let manager = try open(path, PosixDisk())
    let hasJournal = Locked(false)
    let logs = try (0..<Self.logCount).map { index in
      let name = try TopicPartition(topic: "cut", partition: Int32(index))
      return try manager.log(name) ?? manager.createLogBlocking(name)
    }
    let writers = logs.map { _ in Writer() }
    let (before, mountPoint) = (models, disk.mountPoint)
    let results = WorkerThreads.map(jobCount: logs.count + 1, threadCount: logs.count + 1) {
      index in
      if index == logs.count {
        // The last thread cuts, once enough was acknowledged.
        _ = writers[0].state.wait { $0.isFailed || $0.count * logs.count >= acknowledgements }
        return Result { () throws -> LogModel in
          let journal = try PosixDisk().status(path + "/mkstore.journal-0")
          hasJournal.withLock { $0 = journal != nil }
          try LoopDisk.cutPower(of: mountPoint)
          return LogModel()
        }
      }
      var model = before[index]
      append(to: logs[index], writers[index], cut * 1000 + index, &model)
      return .success(model)
    }
    for (index, result) in results.dropLast().enumerated() { models[index] = try result.get() }
    _ = try results.last?.get()
    // No flush can succeed any more; what was told before counts.
    #expect(throws: LogError.self) { try manager.closeBlocking() }
    for (index, writer) in writers.enumerated() {
      models[index].noteFlushed(below: writer.state.withLock { $0.acknowledged })
    }
    return hasJournal.withLock { $0 } ? 1 : 0
  }

  /// Appends, a few batches ahead of their acknowledgements, until that fails.
  private func append(to log: Log, _ writer: Writer, _ number: Int, _ model: inout LogModel) {
    var random = SeededGenerator(seed: UInt64(number))
    var pending = 0
    while true {
      var builder = RecordBatchBuilder()
      var bytes: [UInt8] = []
      do {
        _ = try builder.append(
          timestamp: 1, key: nil, value: random.bytes(.random(in: 1...9_000, using: &random)))
        let sealed = try builder.finish()
        for index in sealed.indices { bytes.append(sealed[index]) }
        let count = writer.state.withLock { $0.count }
        var span = bytes.mutableSpan
        let result = try log.writeBlocking(batch: &span)
        model.note(bytes, .written(result.baseOffset))
        pending += 1
        log.onDurable(result.lastOffset + 1) { outcome in
          writer.state.withLock { state in
            switch outcome {
            case .success:
              state.acknowledged = max(state.acknowledged, result.lastOffset + 1)
              state.count += 1
            case .failure: state.isFailed = true
            }
          }
          writer.state.broadcast()
        }
        if pending % 4 == 0 { _ = writer.state.wait { $0.isFailed || $0.count > count } }
      } catch {
        model.note(bytes, .unknown)
        return
      }
      if writer.state.withLock({ $0.isFailed }) { return }
    }
  }

  /// Opens the store, which recovers, and compares.
  private func check(_ path: String, _ models: inout [LogModel], _ place: String) throws {
    let manager = try open(path, PosixDisk())
    for index in models.indices {
      let name = try TopicPartition(topic: "cut", partition: Int32(index))
      let log = try #require(manager.log(name), "\(place)")
      let content = try LogModel.content(of: log)
      let fault = models[index].fault(in: content, after: .powerCut)
      #expect(fault == nil, "\(place), log \(index)")
      #expect(!content.isEmpty)
      models[index].settle(on: content)
    }
    try manager.closeBlocking()
  }

  private func open(_ path: String, _ disk: any Disk) throws -> Store {
    var config = StoreConfig()
    config.createsStore = true
    config.sharedSyncMin = 2
    config.sharedSyncOthersBytesMax = Int.max / 2
    config.journalBytesMax = 16 << 20
    config.log.segmentBytes = 400_000
    return try Store.openBlocking(path, config: config, disk: disk)
  }
}
