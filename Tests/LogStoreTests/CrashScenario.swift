import DiskIO
import StoreTesting
import Testing

@testable import LogStore

/// A run of a store during which the power fails.
struct CrashScenario: Sendable, CustomTestStringConvertible {
  var name: String
  var config: StoreConfig
  /// What happens; ends with the first error.
  var run: @Sendable (SimulatedDisk, StoreConfig, inout LogModel) throws -> Void

  var testDescription: String { name }

  static let all: [CrashScenario] = [append, roll, weakRoll, checkpoint, cleanStop, largeBatches]

  /// A new store, a new log, a few durable appends.
  static let append = CrashScenario(name: "append", config: CrashStore.config()) {
    disk, config, model in
    let store = try CrashStore(disk, config)
    for batch in SampleBatches.small[..<4] { try store.append(batch, &model) }
  }

  /// Durable appends over several segments.
  static let roll = CrashScenario(name: "roll", config: CrashStore.config(segmentBytes: 500)) {
    disk, config, model in
    let store = try CrashStore(disk, config)
    for batch in SampleBatches.small[..<14] { try store.append(batch, &model) }
  }

  /// The same without a sync per append: several unsynced segments at a time.
  static let weakRoll = CrashScenario(
    name: "weakRoll", config: CrashStore.config(segmentBytes: 400, durability: .operatingSystem)
  ) { disk, config, model in
    let store = try CrashStore(disk, config)
    for (index, batch) in SampleBatches.small[..<16].enumerated() {
      try store.append(batch, &model)
      if index % 7 == 6 { try store.flush(&model) }
    }
  }

  /// Checkpoints and durable marks between appends.
  static let checkpoint = CrashScenario(name: "checkpoint", config: CrashStore.config()) {
    disk, config, model in
    let store = try CrashStore(disk, config)
    for batch in SampleBatches.small[..<3] { try store.append(batch, &model) }
    try store.manager.writeCheckpoints()
    for batch in SampleBatches.small[3..<12] {
      try store.append(batch, &model)
      store.log.pipeline.refreshMark(force: true)
    }
    try store.manager.writeCheckpoints()
    try store.append(SampleBatches.small[12], &model)
  }

  /// Two clean stops, and a session that appends nothing.
  static let cleanStop = CrashScenario(name: "cleanStop", config: CrashStore.config()) {
    disk, config, model in
    for session in 0..<4 {
      let store = try CrashStore(disk, config)
      if session != 2 {
        for batch in SampleBatches.small[session * 4..<session * 4 + 4] {
          try store.append(batch, &model)
        }
      }
      try store.manager.closeBlocking()
    }
  }

  /// Batches that cover several sectors, so that they tear.
  static let largeBatches = CrashScenario(
    name: "largeBatches", config: CrashStore.config(segmentBytes: 4000)
  ) { disk, config, model in
    let store = try CrashStore(disk, config)
    for batch in SampleBatches.large { try store.append(batch, &model) }
  }
}
