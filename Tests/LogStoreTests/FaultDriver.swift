import DiskIO
import StoreTesting
import Testing

@testable import LogStore

/// Uses a store as an application would on a disk that fails: tries again, opens anew, gives up.
struct FaultDriver {
  static let config: StoreConfig = CrashStore.config(segmentBytes: 500)
  private static let batchCount = 10

  private let disk: SimulatedDisk
  private var model = LogModel()
  private var store: CrashStore?
  /// What should not have happened; nil as long as all went as it may.
  private(set) var fault: String?
  /// Names that a failed sync of a directory lost for good, so that no crash may be tried.
  private var isDirectoryLost = false

  init(_ disk: SimulatedDisk) { self.disk = disk }

  /// Appends batches over two sessions; after an error once more, after another one in a new
  /// session.
  mutating func run() {
    var openings = 0
    var next = 0
    var hasStopped = false
    while next < Self.batchCount, openings < 5, fault == nil {
      if store == nil {
        openings += 1
        open()
        continue
      }
      if next == 5, !hasStopped {
        hasStopped = true
        stop()
        continue
      }
      if append(SampleBatches.small[next]) { next += 1 }
    }
    stop()
  }

  private mutating func open() {
    do {
      let opened = try CrashStore(disk, Self.config)
      try check(opened)
      store = opened
    } catch {
      note(error)
    }
  }

  /// Compares what stands there with the model, and goes on from it.
  private mutating func check(_ opened: CrashStore) throws {
    let content = try LogModel.content(of: opened.log)
    fault = model.fault(in: content, after: .killed)
    if !opened.log.damagedRanges.isEmpty { fault = "damage: \(opened.log.damagedRanges)" }
    model.settle(on: content)
  }

  private mutating func append(_ batch: [UInt8]) -> Bool {
    guard let store else { return false }
    do {
      try store.append(batch, &model)
      return true
    } catch let error as LogError where error.code == .poisoned {
      note(error)
      // Refused from now on.
      switch store.tryAppend(batch) {
      case .success: fault = "an append after a failed sync went through"
      case .failure(let error) where error.code == .poisoned: break
      case .failure(let error): fault = "an append after a failed sync: \(error)"
      }
    } catch {
      note(error)
      // Nothing was appended: the log is usable as it is, once the disk is.
      do {
        try store.append(batch, &model)
        return true
      } catch {
        note(error)
      }
    }
    stop()
    return false
  }

  private mutating func stop() {
    guard let store else { return }
    do {
      try store.manager.closeBlocking()
    } catch {
      note(error)
    }
    self.store = nil
  }

  private mutating func note(_ error: any Error) {
    switch error {
    case let error as DiskError: note(error)
    case let error as LogError: note(error)
    default: fault = "an error of another kind: \(error)"
    }
  }

  private mutating func note(_ error: LogError) {
    switch error.kind {
    case .disk(let cause), .diskFull(let cause), .poisoned(_, let cause): note(cause)
    // The topic's settings could not be read; its message says what the disk refused.
    case .notFound, .alreadyExists, .settingsUnreadable: break
    default: fault = "an error of another kind: \(error)"
    }
  }

  private mutating func note(_ cause: DiskError) {
    if cause.operation == .syncDirectory { isDirectoryLost = true }
  }

  /// After the faults are gone: a kill, and power cuts, and what stands there then.
  func checkRecovery(_ place: String) throws {
    guard model.attemptCount > 0 else { return }
    var disks: [(String, LogModel.Event, SimulatedDisk)] = [("kill", .killed, disk.kill())]
    if !isDirectoryLost {
      disks.append(("power cut", .powerCut, disk.crash(.loseAllUnsynced)))
      disks.append(("power cut, random", .powerCut, disk.crash(seed: 5)))
    }
    for (name, event, after) in disks {
      let opened: CrashStore
      do {
        opened = try CrashStore(after, Self.config, creates: false)
      } catch {
        #expect(model.durableCount == 0, "\(place), \(name): \(error)")
        continue
      }
      let content = try LogModel.content(of: opened.log)
      if let fault = model.fault(in: content, after: event) {
        Issue.record("\(place), \(name): \(fault)")
      }
    }
  }
}
