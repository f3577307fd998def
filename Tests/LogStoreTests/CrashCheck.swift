import DiskIO
import StoreTesting
import Testing

@testable import LogStore

/// What must hold after every power cut.
struct CrashCheck {
  let config: StoreConfig
  /// How many outcomes were looked at.
  private(set) var states = 0
  private(set) var failures = 0
  /// Every so many outcomes the recovered store is also verified, appended to and crashed again.
  var deepInterval = 8

  init(_ config: StoreConfig) { self.config = config }

  /// Opens the store after a cut and compares it with the model.
  mutating func callAsFunction(
    _ disk: SimulatedDisk, _ model: LogModel, after event: LogModel.Event, _ place: String
  ) {
    states += 1
    guard failures < 5 else { return }
    do {
      if let fault = try fault(disk, model, event, isDeep: states % deepInterval == 0) {
        fail(fault, place)
      }
    } catch {
      fail("\(error)", place)
    }
  }

  private mutating func fail(_ what: String, _ place: String) {
    failures += 1
    Issue.record("\(place): \(what)")
  }

  private func fault(
    _ disk: SimulatedDisk, _ model: LogModel, _ event: LogModel.Event, isDeep: Bool
  ) throws -> String? {
    let store: CrashStore
    do {
      store = try CrashStore(disk, config, creates: false)
    } catch let error as LogError where error.code == .notFound {
      return model.durableCount == 0 ? nil : "the log is gone"
    }
    let log = store.log
    let content = try LogModel.content(of: log)
    if let fault = model.fault(in: content, after: event) { return fault }
    let end = content.last?.nextOffset ?? 0
    // I1, with nothing unsynced behind the recovery point.
    guard log.logEndOffset == end, log.recoveryPoint == end, log.logStartOffset == 0 else {
      return "offsets \(log.logStartOffset), \(log.recoveryPoint), \(log.logEndOffset), not \(end)"
    }
    guard log.damagedRanges.isEmpty, log.recovery.damage.isEmpty else {
      return "damage after a power cut: \(log.recovery.damage) \(log.damagedRanges)"
    }
    return isDeep ? try deepFault(store, content) : nil
  }

  /// Verify, a second opening, and an append that must survive everything from here on.
  private func deepFault(_ store: CrashStore, _ content: [LogModel.Batch]) throws -> String? {
    var options = VerificationOptions()
    options.threadCount = 1
    let report = try LogVerifier(store.disk, options).verify([CrashStore.directory])
    guard !report.hasDamage, report.tornTails.isEmpty else {
      return "verify: \(report.summary) \(report.damage) \(report.sideFileDamage)"
    }
    let again = try CrashStore(store.disk.kill(), config, creates: false)
    guard try LogModel.content(of: again.log, maxBytes: 150) == content else {
      return "a second opening gives something else"
    }
    guard again.log.recovery.cuts.isEmpty else { return "a second opening cuts again" }
    var model = LogModel()
    model.settle(on: content)
    try store.append(SampleBatches.small[63], &model)
    if config.log.durability != .flushed { try store.flush(&model) }
    for mode in [CrashMode.loseAllUnsynced, .keepAll, .random(seed: UInt64(states))] {
      let after = try CrashStore(store.disk.crash(mode), config, creates: false)
      if let fault = model.fault(in: try LogModel.content(of: after.log), after: .powerCut) {
        return "after recovery, one append and a second cut (\(mode)): \(fault)"
      }
    }
    return nil
  }
}
