import DiskIO
import StoreTesting
import Testing

@testable import LogStore

/// Verify, without a lock, beside a writer that rolls: never damage, and nothing that is missing.
@Suite struct VerifyRollingTests {
  private struct Writer {
    let disk = SimulatedDisk(seed: 31)
    let store: Store
    let log: Log

    init() throws {
      var config = CrashStore.config(segmentBytes: 300)
      config.log.indexIntervalBytes = 50
      store = try Store.openBlocking("/data", config: config, disk: disk, logger: .silent)
      log = try store.createLogBlocking(TopicPartition(topic: "t", partition: 0))
    }

    var segmentCount: Int { log.store.state.segments.count }

    /// Appends until the log has rolled so often.
    func roll(_ times: Int = 1) throws {
      let wanted = segmentCount + times
      var number = 0
      while segmentCount < wanted {
        var batch = SampleBatches.small[number % SampleBatches.small.count]
        _ = try log.appendBlocking(batch: &batch)
        number += 1
      }
    }
  }

  /// What a verification of a sound log must not say; nil where it says nothing of the kind.
  private func complaint(_ report: VerificationReport) -> String? {
    let words = ["missing", "lost", "removed", "is no", "hold no record"]
    let notes = report.notes.filter { note in words.contains { note.text.contains($0) } }
    let isSound =
      report.damage.isEmpty && report.tornTails.isEmpty && report.sideFileDamage.isEmpty
      && report.unreadable.isEmpty && notes.isEmpty
    let files = "\(report.sideFileDamage) \(report.unreadable) \(notes)"
    return isSound ? nil : "\(report.damage) \(report.tornTails) \(files)"
  }

  private func verify(_ disk: any Disk) throws -> VerificationReport {
    var options = VerificationOptions()
    options.depth = .deep
    options.threadCount = 1
    return try LogVerifier(disk, options).verify(["/data"])
  }

  /// The writer runs on, and rolls some times in each verification.
  @Test func aWriterThatRollsIsNotTakenForDamage() throws {
    let rounds = 30
    let writer = try Writer()
    try writer.roll()
    let started = Locked(0)
    let isDone = Locked(false)
    let rolledDuring = Locked(0)
    let results = WorkerThreads.map(jobCount: 2, threadCount: 2) { job -> String? in
      do {
        if job == 0 {
          defer { isDone.withLock { $0 = true } }
          for round in 1...rounds {
            guard started.wait(timeoutNs: 60_000_000_000, until: { $0 >= round }) else {
              return "verify came to no end"
            }
            try writer.roll(3)
          }
          return nil
        }
        while !isDone.withLock({ $0 }) {
          let count = writer.segmentCount
          started.withLock { $0 += 1 }
          started.broadcast()
          if let complaint = complaint(try verify(writer.disk)) { return complaint }
          if writer.segmentCount > count { rolledDuring.withLock { $0 += 1 } }
        }
        return nil
      } catch {
        return "\(error)"
      }
    }
    #expect(results == [nil, nil])
    #expect(rolledDuring.withLock { $0 } > 0, "no roll during a verification")
    try writer.store.closeBlocking()
  }

  /// A roll, or some, before each single call of a verification.
  @Test(arguments: [1, 4]) func aRollAtAnyMomentIsNoDamage(_ times: Int) throws {
    var moment = 0
    var hasRolled = true
    while hasRolled {
      let writer = try Writer()
      try writer.roll(2)
      let calls = Locked(0)
      let wanted = moment
      let watched = WatchedDisk(writer.disk) { _, _ in
        let call = calls.withLock { count in
          count += 1
          return count
        }
        guard call == wanted + 1 else { return }
        do {
          try writer.roll(times)
        } catch {
          Issue.record(error)
        }
      }
      let complaint = complaint(try verify(watched))
      #expect(complaint == nil, "roll before call \(moment)")
      hasRolled = calls.withLock { $0 } > moment
      moment += 1
    }
    #expect(moment > 20, "a verification of \(moment) calls is none")
  }
}
