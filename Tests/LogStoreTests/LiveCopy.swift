import DiskIO
import StoreTesting

@testable import LogStore

/// A log that rolls while its files are copied one by one: what each file held between any two
/// steps of the writer, so that every order of copying is a choice among those.
struct LiveCopy {
  /// What the writer does meanwhile.
  enum Writer: String, CaseIterable {
    /// One session that goes on.
    case session
    /// The same, of two idempotent producers.
    case producers
    /// A session for each batch, closed in order: the mark is clean whenever it is copied.
    case sessions
  }

  static let stepCount = 8
  static let config = CrashStore.config(segmentBytes: 500, indexIntervalBytes: 100)
  static let producerIds: [Int64] = [1 << 52, 1 << 52 + 1]

  /// Content by path: at the start and after each step.
  private(set) var moments: [[String: [UInt8]]] = []
  /// What the log held in the end.
  private(set) var content: [LogModel.Batch] = []

  init(_ writer: Writer) throws {
    let disk = SimulatedDisk(seed: 77)
    var store = try CrashStore(disk, Self.config)
    var number = 0
    for step in 0...Self.stepCount {
      for _ in 0..<(step == 0 ? 4 : 1 + step % 2) {
        var batch = try Self.batch(number, writer)
        _ = try store.log.appendBlocking(batch: &batch)
        number += 1
      }
      if writer == .sessions { try store.manager.closeBlocking() }
      moments.append(Self.files(of: disk))
      if writer == .sessions { store = try CrashStore(disk, Self.config) }
    }
    content = try LogModel.content(of: store.log)
  }

  static func batch(_ number: Int, _ writer: Writer) throws -> [UInt8] {
    guard writer == .producers else { return SampleBatches.small[number] }
    let producer = number % producerIds.count
    return try ProducerFixture.batch(
      producerIds[producer], sequence: Int32(number / producerIds.count) * 3, count: 3)
  }

  private static func files(of disk: SimulatedDisk) -> [String: [UInt8]] {
    var files: [String: [UInt8]] = [:]
    for path in disk.paths where !path.hasSuffix("/.lock") { files[path] = disk.contents(of: path) }
    return files
  }

  /// Every path that there ever was.
  var paths: [String] { Set(moments.flatMap(\.keys)).sorted() }

  /// The files in groups that are copied at one moment each: each `.log`, the mark, what else is in
  /// the log's directory, what is in the store's.
  var groups: [[String]] {
    let logs = paths.filter { $0.hasSuffix(".log") }
    let mark = "\(CrashStore.directory)/\(DurableMark.fileName)"
    let others = paths.filter { !logs.contains($0) && $0 != mark }
    let isInLog = { (path: String) in path.hasPrefix(CrashStore.directory + "/") }
    return logs.prefix(3).map { [$0] } + [Array(logs.dropFirst(3))]
      + [[mark], others.filter(isInLog) + others.filter { !isInLog($0) }]
  }

  /// The files of the copy in which group `order[n]` was copied after `n` steps; one that was not
  /// there then is missing.
  func copy(_ groups: [[String]], _ order: [Int]) -> [String: [UInt8]] {
    var files: [String: [UInt8]] = [:]
    for (moment, group) in order.enumerated() {
      for path in groups[group] { files[path] = moments[min(moment, Self.stepCount)][path] }
    }
    return files
  }

  /// All orders of so many.
  static func permutations(_ count: Int) -> [[Int]] {
    guard count > 0 else { return [[]] }
    return permutations(count - 1).flatMap { shorter in
      (0...shorter.count).map { place in
        var order = shorter
        order.insert(count - 1, at: place)
        return order
      }
    }
  }
}
