import DiskIO
import Foundation
import StoreTesting

@testable import LogStore

/// A store as a session of this engine or a broker left it, for tests that harm it.
struct SoundStore {
  /// What it is, for messages.
  let name: String
  let disk: SimulatedDisk

  /// Stores of ours, three times, so that as many of them are tried, and every directory of Kafka's
  /// that is at hand, by folder.
  static func all() throws -> [[SoundStore]] {
    let own = try own()
    let folders = Dictionary(grouping: try vectors()) { $0.name.prefix { $0 != "/" } }
    return [own, own, own] + folders.sorted { $0.key < $1.key }.map(\.value)
  }

  // MARK: Of ours

  private static func own() throws -> [SoundStore] {
    let closed = try RecoverySample()
    let killed = try RecoverySample(closes: false)
    let again = closed.disk.kill()
    let store = try CrashStore(again, CrashStore.config(segmentBytes: 500), creates: false)
    for batch in SampleBatches.small[20..<26] { _ = try store.tryAppend(batch).get() }
    try store.log.store.raiseStart(to: 10)
    try store.manager.writeCheckpoints()
    var stores = [
      SoundStore(name: "own, closed", disk: closed.disk),
      SoundStore(name: "own, killed", disk: killed.disk.kill()),
      SoundStore(name: "own, second session killed", disk: again.kill()),
      SoundStore(name: "own, with producers", disk: try withProducers()),
    ]
    let unsynced = try unsyncedDisk()
    stores.append(SoundStore(name: "own, unsynced, killed", disk: unsynced.kill()))
    for seed in 1...4 as ClosedRange<UInt64> {
      stores.append(SoundStore(name: "own, power cut \(seed)", disk: unsynced.crash(seed: seed)))
    }
    return stores
  }

  /// Of a session whose last records were never acknowledged.
  private static func unsyncedDisk() throws -> SimulatedDisk {
    let disk = SimulatedDisk(seed: 23)
    var model = LogModel()
    let config = CrashStore.config(segmentBytes: 500, durability: .operatingSystem)
    let store = try CrashStore(disk, config)
    for batch in SampleBatches.small[..<8] { try store.append(batch, &model) }
    try store.flush(&model)
    for batch in SampleBatches.small[8..<14] { try store.append(batch, &model) }
    return disk
  }

  private static func withProducers() throws -> SimulatedDisk {
    let disk = SimulatedDisk(seed: 24)
    let (store, log) = try ProducerFixture.open(disk, segmentBytes: 500)
    for sequence in 0..<8 as Range<Int32> {
      for producer in 1...3 as ClosedRange<Int64> {
        var batch = try ProducerFixture.batch(producer, sequence: sequence)
        _ = try log.appendBlocking(batch: &batch)
      }
    }
    try store.closeBlocking()
    return disk
  }

  // MARK: Of brokers

  /// Every log directory in the folders of vectors, whatever Kafka's own recovery was to do in it.
  private static func vectors() throws -> [SoundStore] {
    let folders =
      [SharedVectors.logdir, SharedVectors.fixtures + "/kafka"]
      + (SharedVectors.shared.map { shared in
        ["kafka", "compaction", "coordinator"].map { "\(shared)/vectors/\($0)" }
      } ?? [])
    var seen: Set<String> = []
    return try folders.flatMap { try logs(below: $0) }.filter { seen.insert($0.key).inserted }
      .map { try broker($0.path, name: $0.key) }
  }

  private static func logs(below folder: String) throws -> [(key: String, path: String)] {
    let root = PathText.parent(folder)
    let all = try FileManager.default.subpathsOfDirectory(atPath: folder).sorted()
    let logs = Set(
      all.filter { SegmentName(PathText.lastComponent($0))?.kind == .log }.map(PathText.parent))
    return logs.sorted().map { below in
      let path = "\(folder)/\(below)"
      return (String(path.dropFirst(root.count + 1)), path)
    }
  }

  /// A store with one log, and the checkpoints of a broker that stopped in order.
  private static func broker(_ path: String, name: String) throws -> SoundStore {
    let disk = SimulatedDisk(seed: 25)
    let store = MutatedDirectory.store
    let log = PathText.lastComponent(path)
    let files = try SharedVectors.names(in: path)
    for file in files {
      try disk.install("\(store)/\(log)/\(file)", SharedVectors.bytes("\(path)/\(file)"))
    }
    let segments = files.compactMap { SegmentName($0) }
    let first = segments.filter { $0.kind == .log }.map(\.baseOffset).min() ?? 0
    let last = segments.filter { $0.stage == nil }.map(\.baseOffset).max() ?? 0
    if case .log(let topicPartition) = LogDirectoryName(log) {
      for (name, offset) in [(OffsetCheckpoint.Name.recoveryPoint, last), (.logStart, first)] {
        let checkpoint = OffsetCheckpoint([topicPartition: offset])
        try checkpoint.write(disk, directory: store, name)
      }
    }
    try disk.install("\(store)/\(CleanShutdownFile.name)", [])
    return SoundStore(name: name, disk: disk.kill())
  }
}
