import DiskIO
import Glibc
import StoreTesting
import Testing

@testable import LogStore

/// Every single call fails once, or from then on, in every way a disk has.
@Suite struct FaultTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var name: String
    var fault: FaultPlan.Fault
    var isForEver: Bool
    var testDescription: String { "\(name)\(isForEver ? " for ever" : "")" }
  }

  static let cases: [Case] = [false, true].flatMap { isForEver in
    [
      Case(name: "EIO", fault: .error(EIO), isForEver: isForEver),
      Case(name: "ENOSPC", fault: .error(ENOSPC), isForEver: isForEver),
      Case(name: "EMFILE", fault: .error(EMFILE), isForEver: isForEver),
      Case(name: "short", fault: .shortWrite(EIO, bytes: nil), isForEver: isForEver),
      Case(name: "short, full", fault: .shortWrite(ENOSPC, bytes: 30), isForEver: isForEver),
    ]
  }

  @Test(arguments: cases)
  func nothingAcknowledgedIsLostWhicheverCallFails(_ failure: Case) throws {
    var operation = 1
    var fired = 0
    while operation < 2_000 {
      let disk = SimulatedDisk(seed: 11)
      disk.plan(
        FaultPlan(
          failure.fault, at: operation, isForEver: failure.isForEver,
          operations: DiskError.Operation.all))
      var driver = FaultDriver(disk)
      driver.run()
      let place = "\(failure.testDescription) at call \(operation)"
      if let fault = driver.fault { Issue.record("\(place): \(fault)") }
      if !disk.faultFired { break }
      fired += 1
      disk.removeFaults()
      try driver.checkRecovery(place)
      operation += 1
    }
    #expect(fired > 150, "\(failure.testDescription): only \(fired) calls failed")
    #expect(operation < 2_000)
  }

  @Test func appendAfterFailedSyncIsRefused() throws {
    // I8, P11: every sync of an append, of the bytes, of the mark and of the names.
    let syncs: [(operation: DiskError.Operation, suffix: String?)] = [
      (.sync, ".log"), (.sync, DurableMark.fileName), (.syncDirectory, nil),
    ]
    for (operation, suffix) in syncs {
      for occurrence in 1... {
        let disk = SimulatedDisk(seed: 12)
        let store = try CrashStore(disk, CrashStore.config(segmentBytes: 400))
        disk.plan(
          FaultPlan(.error(EIO), at: occurrence, operations: [operation], pathSuffix: suffix))
        var model = LogModel()
        var failed = false
        for batch in SampleBatches.small[..<10] {
          do {
            try store.append(batch, &model)
            #expect(!failed, "an append after the failed \(operation) \(occurrence) went through")
          } catch let error as LogError {
            guard case .poisoned(_, let cause) = error.kind else {
              Issue.record("\(operation) \(occurrence): \(error)")
              break
            }
            #expect(cause.operation == operation && cause.code == EIO)
            failed = true
          }
        }
        #expect(failed == disk.faultFired)
        guard failed else { break }
        if store.log.recoveryPoint < store.log.logEndOffset {
          #expect(throws: LogError.self) { try store.log.flushBlocking() }
        }
        // Reads go on; a new opening writes again.
        _ = try LogModel.content(of: store.log)
        #expect(throws: LogError.self) { try store.manager.closeBlocking() }
        #expect(disk.contents(of: "/data/\(CleanShutdownFile.name)") == nil)
        disk.removeFaults()
        let again = try CrashStore(disk, CrashStore.config(segmentBytes: 400), creates: false)
        model.settle(on: try LogModel.content(of: again.log))
        try again.append(SampleBatches.small[20], &model)
      }
    }
  }

  /// P7.
  @Test func aFullDiskRefusesAppendsUntilThereIsSpace() throws {
    let disk = SimulatedDisk(seed: 13)
    let config = CrashStore.config(segmentBytes: 3_000)
    let store = try CrashStore(disk, config)
    var model = LogModel()
    try store.append(SampleBatches.small[0], &model)
    for round in 0..<6 {
      // A little more room each time, so that each of the needed blocks is once the last.
      disk.capacityBytes = (disk.capacityBytes ?? 60_000) + round * 4_096
      var refused = 0
      for batch in SampleBatches.large.shuffled(seed: UInt64(round)) + SampleBatches.large {
        switch store.tryAppend(batch) {
        case .success(let result): model.note(batch, .durable(result.baseOffset))
        case .failure(let error) where error.code == .diskFull: refused += 1
        case .failure(let error): throw error
        }
      }
      #expect(refused > 0, "the disk was never full")
      let content = try LogModel.content(of: store.log)
      #expect(model.fault(in: content, after: .killed) == nil)
    }
    // Restart on the full disk: after a kill, after a power cut, after a stop.
    for full in [disk.kill(), disk.crash(.loseAllUnsynced), disk.crash(seed: 1)] {
      try fill(full)
      let again = try CrashStore(full, config, creates: false)
      let content = try LogModel.content(of: again.log)
      #expect(model.fault(in: content, after: .powerCut) == nil)
      #expect(content.count == model.durableCount)
      try fill(full)  // What recovery gave back.
      guard case .failure(let error) = again.tryAppend(SampleBatches.large[0]),
        error.code == .diskFull
      else {
        Issue.record("a full disk took a batch")
        continue
      }
      full.capacityBytes = nil
      let result = try again.tryAppend(SampleBatches.large[0]).get()
      #expect(result.isDurable && result.baseOffset == content.last?.nextOffset)
    }
  }

  private func fill(_ disk: SimulatedDisk) throws {
    disk.capacityBytes = 1 << 30
    disk.capacityBytes = (1 << 30) - Int(try disk.space("/").availableBytes)
  }

  @Test func bytesOfAFailedWriteNeverComeBack() throws {
    // A write that fails behind a whole batch inside its value; a smaller batch then takes its
    // place and ends exactly where that batch begins.
    let disk = SimulatedDisk(seed: 14)
    let config = CrashStore.config(segmentBytes: 100_000)
    let store = try CrashStore(disk, config)
    var model = LogModel()
    let small = SampleBatches.small[3]
    let planted = SampleBatches.placed(SampleBatches.small[9], at: 1_000)
    let rest = [UInt8](repeating: 7, count: 400)
    let unshifted = SampleBatches.sealed([(timestamp: 1, value: planted + rest)])
    let start = unshifted.count - 1 - rest.count - planted.count
    let padding = [UInt8](repeating: 7, count: small.count - start)
    let large = SampleBatches.sealed([(timestamp: 1, value: padding + planted + rest)])
    #expect(Array(large[small.count...].prefix(planted.count)) == planted)
    disk.plan(
      FaultPlan(
        .shortWrite(ENOSPC, bytes: small.count + planted.count), at: 1, operations: [.write],
        pathSuffix: ".log"))
    #expect(throws: LogError.self) { try store.append(large, &model) }
    #expect(disk.faultFired)
    try store.append(small, &model)
    for after in [disk.kill(), disk.crash(.loseAllUnsynced), disk.crash(.keepAll)] {
      let again = try CrashStore(after, config, creates: false)
      let content = try LogModel.content(of: again.log)
      #expect(content.count == 1 && model.fault(in: content, after: .killed) == nil)
    }
  }
}

extension Array {
  fileprivate func shuffled(seed: UInt64) -> [Element] {
    var generator = SeededGenerator(seed: seed)
    return shuffled(using: &generator)
  }
}
