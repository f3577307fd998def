import DiskIO
import StoreTesting
import Testing

@testable import LogStore

/// A survey of a whole log looks at several segments at a time; its plan is that of one thread.
@Suite struct ParallelSurveyTests {
  private func plan(
    _ disk: SimulatedDisk, threadCount: Int, _ prepare: LogSurvey.Preparation? = nil
  ) throws -> RecoveryPlan {
    let directory = LogDirectory(disk: disk, path: CrashStore.directory)
    let frame = try LogFrame.read(
      directory, LogHints(isCleanStop: false, recoveryPoint: nil, logStartOffset: nil),
      isForWriting: true)
    var options = SurveyOptions(depth: .deep)
    options.isForWriting = true
    options.threadCount = threadCount
    let open: LogSurvey.Preparation = { (place) throws(DiskError) in
      try disk.open(place.logPath, .readWrite)
    }
    return try LogSurvey(frame, options).run(prepare ?? open)
  }

  /// A log of many segments, all of them to be prepared, as in a stranger's directory.
  private func sample() throws -> RecoverySample {
    let sample = try RecoverySample(batches: 40, closes: false)
    try sample.strip(sample.disk, mark: true)
    try #require(sample.bases.count >= 8)
    return sample
  }

  private func path(_ sample: RecoverySample, _ index: Int) -> String {
    sample.path(sample.bases[index])
  }

  @Test func eachFaultGivesThePlanOfOneThread() throws {
    let last = try sample().bases.count - 1
    var cuts = 0
    for damaged in [[], [0], [3], [last], [2, 5], [2, last]] {
      for cutsEnd in [false, true] {
        let sample = try sample()
        for index in damaged {
          try sample.edit(path(sample, index), on: sample.disk) { bytes in
            if cutsEnd { bytes.removeLast(9) } else { bytes[70] ^= 1 }
          }
        }
        let one = try plan(sample.disk, threadCount: 1)
        let four = try plan(sample.disk, threadCount: 4)
        #expect(one.report == four.report, "\(damaged) \(cutsEnd)")
        #expect(one.counts == four.counts && one.notes == four.notes, "\(damaged) \(cutsEnd)")
        #expect(one.actions.count == four.actions.count, "\(damaged) \(cutsEnd)")
        #expect(one.damage.isEmpty == damaged.isEmpty || !one.tornTails.isEmpty)
        cuts += one.tornTails.count
      }
    }
    #expect(cuts > 0)
  }

  /// What comes after a cut is not looked at, or as good as that: no error of it counts.
  @Test func anErrorAfterACutKeepsNoLogFromOpening() throws {
    // A log of ours that was killed: its end is cut where it is torn.
    let sample = try RecoverySample(batches: 40, closes: false)
    let disk = sample.disk.kill()
    let mark = "\(CrashStore.directory)/\(DurableMark.fileName)"
    // Only the first session's slot speaks, so the whole log lies after the point.
    try sample.edit(mark, on: disk) { bytes in
      for index in 512..<bytes.count { bytes[index] = 0 }
    }
    let whole = try plan(disk, threadCount: 1)
    let point = whole.frame.point.offset
    let torn = try #require(sample.bases.firstIndex { $0 > point })
    try #require(torn + 1 < sample.bases.count)
    try sample.edit(path(sample, torn), on: disk) { $0[70] ^= 1 }
    let broken = path(sample, torn + 1)
    for threadCount in [1, 4] {
      let found = try plan(disk, threadCount: threadCount) { (place) throws(DiskError) in
        if place.logPath == broken { throw DiskError(.open, broken, code: 5) }
        return try disk.open(place.logPath, .readWrite)
      }
      #expect(found.tornTails.map(\.file) == [path(sample, torn)])
    }
    // The first error in the order of the segments is the one that is told.
    let error = #expect(throws: DiskError.self) {
      try plan(disk, threadCount: 4) { (place) throws(DiskError) in
        throw DiskError(.open, place.logPath, code: 5)
      }
    }
    #expect(error?.path == path(sample, whole.frame.firstWalked))
  }

  /// Two segments are waited for at the same time; each waits for the other.
  @Test func segmentsAreLookedAtAtTheSameTime() throws {
    let sample = try sample()
    let (disk, arrived) = (sample.disk, Locked(0))
    _ = try plan(disk, threadCount: 2) { (place) throws(DiskError) in
      arrived.withLock { $0 += 1 }
      arrived.broadcast()
      let isAccompanied = arrived.wait(timeoutNs: 60_000_000_000) { $0 >= 2 }
      #expect(isAccompanied)
      return try disk.open(place.logPath, .readWrite)
    }
  }
}
