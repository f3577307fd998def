import DiskIO
import RecordFormat
import StoreTesting
import Testing

@testable import LogStore

/// A log of several segments on either disk, whose index files are harmed while it is open.
struct HarmedIndexLog {
  /// How indexes are reached, and on which disk.
  struct Way: CustomTestStringConvertible {
    var mapsIndexes: Bool
    var isSimulated: Bool
    var testDescription: String {
      "\(mapsIndexes ? "mapped" : "pread") on \(isSimulated ? "SimulatedDisk" : "PosixDisk")"
    }
    static let all = [true, false].flatMap { maps in
      [true, false].map { Way(mapsIndexes: maps, isSimulated: $0) }
    }
  }

  /// What happens to a file under the log.
  enum Harm: CaseIterable {
    case emptied, halved, unreadable, removed, swapped, directory

    /// Whether a bad sector can be had there.
    func isPossible(_ way: Way) -> Bool { self != .unreadable || way.isSimulated }
  }

  static let segmentBytes = 1_500
  let disk: any Disk
  let path: String
  let config: StoreConfig
  let heard = CapturedLog()
  private(set) var store: Store
  private(set) var log: Log
  /// Time of each record, by offset.
  private(set) var times: [Int64] = []

  /// Runs `body` with a fresh log; by default 40 records in four segments or more.
  static func with(
    _ way: Way, segmentBytes: Int = segmentBytes, count: Int = 40,
    _ body: (inout HarmedIndexLog) throws -> Void
  ) throws {
    if way.isSimulated {
      let disk = SimulatedDisk(seed: 71)
      var log = try HarmedIndexLog(disk, "/data", way, segmentBytes, count)
      try body(&log)
    } else {
      try withTemporaryDirectory { path in
        var log = try HarmedIndexLog(PosixDisk(), "\(path)/data", way, segmentBytes, count)
        try body(&log)
      }
    }
  }

  private init(
    _ disk: any Disk, _ path: String, _ way: Way, _ segmentBytes: Int, _ count: Int
  ) throws {
    self.disk = disk
    self.path = path
    var config = CrashStore.config(segmentBytes: segmentBytes, indexIntervalBytes: 100)
    config.mapsIndexes = way.mapsIndexes
    self.config = config
    store = try Store.openBlocking(path, config: config, disk: disk, logger: heard.logger)
    log = try store.createLogBlocking(TopicPartition(topic: "t", partition: 0))
    try append(count)
  }

  /// Appends records of rising times, each a batch of its own.
  mutating func append(_ count: Int) throws {
    for _ in 0..<count {
      let time = CrashStore.nowMs + Int64(times.count * 10)
      var batch = SampleBatches.sealed([(time, [UInt8](repeating: UInt8(times.count), count: 60))])
      let result = try log.appendBlocking(batch: &batch)
      #expect(result.isDurable && result.baseOffset == Int64(times.count))
      times.append(time)
    }
  }

  var bases: [Int64] { log.store.state.segments.map(\.baseOffset) }

  func file(_ base: Int64, _ kind: SegmentName.Kind) -> String {
    "\(log.path)/\(SegmentName(base, kind).fileName)"
  }

  func harm(_ path: String, _ harm: Harm) throws {
    let size = try #require(try disk.status(path)).size
    switch harm {
    case .emptied: try cut(path, to: 0)
    case .halved: try cut(path, to: size / 2)
    case .unreadable: try #require(disk as? SimulatedDisk).makeUnreadable(path)
    case .removed: try disk.remove(path)
    case .swapped:
      try disk.remove(path)
      let other = [UInt8](repeating: 7, count: size)
      try disk.open(path, .create).write(other.span, at: 0)
    case .directory:
      try disk.remove(path)
      try disk.makeDirectory(path)
    }
  }

  private func cut(_ path: String, to size: Int) throws {
    if let disk = disk as? SimulatedDisk {
      try disk.cut(path, to: size)
    } else {
      try disk.open(path, .readWrite).truncate(to: size)
    }
  }

  /// Stops the store and opens it again.
  mutating func reopen() throws {
    try store.closeBlocking()
    store = try Store.openBlocking(path, config: config, disk: disk, logger: heard.logger)
    log = try #require(store.log(TopicPartition(topic: "t", partition: 0)))
  }

  /// Fetches records of every part and looks each up by its offset and its time; what is wrong.
  func fault() throws -> String? {
    guard log.logEndOffset == Int64(times.count) else { return "ends at \(log.logEndOffset)" }
    guard log.damagedRanges.isEmpty else { return "damage: \(log.damagedRanges)" }
    let shared = LogReader(log)
    for (index, time) in times.enumerated().reversed() where index % 3 == 1 {
      let offset = Int64(index)
      let found = try LogReader(log).read(from: offset, maxBytes: 1, limit: .logEnd)
      guard found?.baseOffset == offset else { return "fetch of \(offset): \(found as Any)" }
      let record = try shared.record(at: offset, limit: .logEnd)
      guard record?.timestamp == time else { return "record \(offset): \(record as Any)" }
      let byTime = try log.offset(forTimestamp: time - 5)
      guard byTime?.offset == offset else { return "time of \(offset): \(byTime as Any)" }
    }
    return nil
  }
}
