import DiskIO
import LogStore
import RecordFormat
import StoreTesting
import Testing

/// Verify beside a running writer, without its lock: it sees a moment between two appends.
struct VerifyLiveTests {
  @Test func aWriterAtWorkIsNotTakenForDamage() throws {
    let disk = SimulatedDisk()
    let store = try Store.openBlocking("/data", config: config(), disk: disk)
    let log = try store.createLogBlocking(TopicPartition(topic: "a", partition: 0))
    let isDone = Locked(false)
    let verified = Locked(0)
    let batch = try BatchSource.batch(baseOffset: 0, values: [[1, 2, 3], [4, 5]])
    let results = WorkerThreads.map(jobCount: 2, threadCount: 2) { job -> String? in
      do {
        if job == 0 {
          defer { isDone.withLock { $0 = true } }
          // Verify runs while these are appended, and starts again for each round.
          for round in 1...8 {
            for _ in 0..<100 {
              var bytes = batch
              _ = try log.appendBlocking(batch: &bytes)
            }
            guard verified.wait(timeoutNs: 60_000_000_000, until: { $0 >= round }) else {
              return "verify came to no end"
            }
          }
          return nil
        }
        while !isDone.withLock({ $0 }) {
          let report = try LogVerifier(disk).verify(["/data"])
          if report.hasDamage { return report.summary + "\(report.damage)\(report.sideFileDamage)" }
          verified.withLock { $0 += 1 }
          verified.broadcast()
        }
        return nil
      } catch {
        return "\(error)"
      }
    }
    #expect(results == [nil, nil])
    let records = Int(log.logEndOffset)
    try store.closeBlocking()
    let report = try LogVerifier(disk).verify(["/data"])
    #expect(report.recordCount == records && report.segmentCount > 1)
    #expect(report.summary == "ok: \(records) records, \(report.segmentCount) segments, no damage")
  }

  @Test func whatOurOwnLogsHoldAtAnyMomentIsNoDamage() throws {
    let disk = SimulatedDisk()
    let store = try Store.openBlocking("/data", config: config(), disk: disk)
    let log = try store.createLogBlocking(TopicPartition(topic: "a", partition: 0))
    for size in 1...40 {
      var bytes = try BatchSource.batch(
        baseOffset: 0, values: (0..<size % 7 + 1).map { [UInt8](repeating: 1, count: $0 * size) },
        timestamp: Int64(1000 * (size % 5)))
      _ = try log.appendBlocking(batch: &bytes)
      var options = VerificationOptions()
      options.depth = .deep
      for disk in [disk, disk.kill(), disk.crash(seed: UInt64(size))] {
        let report = try LogVerifier(disk, options).verify(["/data"])
        #expect(report.damage.isEmpty, "\(size): \(report.damage)")
        #expect(report.unreadable.isEmpty)
      }
    }
  }

  @Test func aBatchThatIsBeingWrittenIsWaitedFor() throws {
    let bytes = try BatchSource.batches(from: 0, count: 4, valueBytes: 100)
    let disk = SimulatedDisk()
    let path = "/data/a-0/\(SegmentName(0, .log).fileName)"
    for cut in [1, 16, 60, 100] {
      try disk.install(path, bytes)
      let growing = GrowingDisk(disk, firstSize: bytes.count - cut)
      let report = try LogVerifier(growing).verify(["/data/a-0"])
      #expect(report.tornTails.isEmpty && report.damage.isEmpty)
      #expect(report.recordCount == 4)
      #expect(report.byteCount == bytes.count)
    }
  }

  /// The writer deletes a log between two looks, and may make another one of its name.
  @Test(arguments: [false, true])
  func aLogThatIsDeletedMeanwhileIsNoDamage(isMadeAnew: Bool) throws {
    let disk = SimulatedDisk()
    let store = try Store.openBlocking("/data", config: config(), disk: disk)
    let names = try ["a", "b", "c"].map { try TopicPartition(topic: $0, partition: 0) }
    for name in names {
      var bytes = try BatchSource.batch(baseOffset: 0, values: [[1], [2]])
      _ = try store.createLogBlocking(name).appendBlocking(batch: &bytes)
    }
    let steps = Locked<[String]>([])
    let watched = WatchedDisk(disk) { operation, path in
      guard path == "/data/b-0" else { return }
      do {
        switch (operation, steps.withLock { $0.count }) {
        case (.list, 0): try store.deleteLogBlocking(names[1])
        case (.status, 1) where isMadeAnew: _ = try store.createLogBlocking(names[1])
        default: return
        }
        steps.withLock { $0.append("\(operation)") }
      } catch {
        Issue.record(error)
      }
    }
    let report = try LogVerifier(watched).verify(["/data"])
    #expect(steps.withLock { $0 } == (isMadeAnew ? ["list", "status"] : ["list"]))
    #expect(!report.hasDamage, "\(report.damage) \(report.sideFileDamage) \(report.unreadable)")
    let verified = isMadeAnew ? names : [names[0], names[2]]
    #expect(report.logs.map(\.path) == verified.map { "/data/\($0)" })
    let notes = report.notes.filter { $0.file == "/data/b-0" }.map(\.text)
    #expect(notes == (isMadeAnew ? [] : ["was removed while it was to be verified"]))
    #expect(report.recordCount == 4)
  }

  private func config() -> StoreConfig {
    var config = StoreConfig()
    config.createsStore = true
    config.startsFlusher = false
    config.log.segmentBytes = 4000
    config.log.indexIntervalBytes = 100
    return config
  }
}
