import LogStore
import StoreTesting

/// A durable work queue on two logs: `jobs` has what is to be done, `done` the offsets of finished
/// jobs. What waits is found again from the two.
actor WorkQueue {
  private let jobs: Log
  private let done: Log
  private var waiting: [Int64]

  init(_ store: Store) async throws {
    jobs = try await store.log("jobs", .createIfMissing)
    done = try await store.log("done", .createIfMissing)
    let finished = Set(try await Self.values(of: done).values)
    waiting = try await Self.values(of: jobs).keys.filter { !finished.contains("\($0)") }.sorted()
  }

  /// Adds a job. Once it returns, no power cut takes the job away.
  func add(_ job: String) async throws -> Int64 {
    let added = try await jobs.append([NewRecord(value: job)])
    waiting.append(added.baseOffset)
    return added.baseOffset
  }

  /// Hands out a job, each to one worker.
  func take() -> Int64? { waiting.isEmpty ? nil : waiting.removeFirst() }

  /// Notes that a job is finished. Once it returns, the job is never handed out again.
  func finish(_ job: Int64) async throws {
    try await done.append([NewRecord(value: "\(job)")])
  }

  /// Every job by its offset, and the offsets of those that are finished.
  func content() async throws -> (jobs: [Int64: String], finished: Set<Int64>) {
    let finished = try await Self.values(of: done).values
    return (try await Self.values(of: jobs), Set(finished.compactMap { Int64($0) }))
  }

  private static func values(of log: Log) async throws -> [Int64: String] {
    var values: [Int64: String] = [:]
    for try await record in log.records(through: .currentEnd) {
      values[record.offset] = record.text
    }
    return values
  }
}

/// What the queue promised before the power failed.
actor Promises {
  private(set) var added: [Int64: String] = [:]
  private(set) var finished: Set<Int64> = []

  func note(added job: Int64, _ text: String) { added[job] = text }
  func note(finished job: Int64) { finished.insert(job) }
}

/// A promise that a power cut broke.
struct BrokenPromise: Error {
  var what: String
}

/// Drives the work queue through a power cut at each change of the disk.
///
///     swift run MkstorePowerCuts
@main struct PowerCuts {
  static func main() async throws {
    let tried = try await run(StoreConfig())
    guard tried.cuts > 50 else { throw BrokenPromise(what: "only \(tried.cuts) power cuts") }
    print("every promise was kept, through more than 50 power cuts")

    // Appends that do not wait for the disk promise too much, and the loop notices.
    var config = StoreConfig()
    config.log.durability = .operatingSystem
    do {
      _ = try await run(config)
    } catch is BrokenPromise {
      print("without waiting for the disk, a promise was broken")
    }
  }

  static func run(_ config: StoreConfig) async throws -> (cuts: Int, outcomes: Int) {
    let loop = PowerCutLoop(exhaustiveMax: 2, samples: 3, damaged: 1)
    return try await loop.run(
      on: { try await emptyStore(config) },
      scenario: { disk in await work(on: disk, config) },
      check: { disk, promises, point in try await check(disk, config, promises, "\(point)") })
  }

  /// What is there before: cuts while the store is made are not the queue's concern.
  static func emptyStore(_ config: StoreConfig) async throws -> SimulatedDisk {
    let disk = SimulatedDisk()
    try disk.installDirectory("/queue")
    let store = try await Store.open("/queue", .createIfMissing, config: config, disk: disk)
    _ = try await WorkQueue(store)
    try await store.close()
    return disk
  }

  /// Three tasks add two jobs each, two tasks do three each. Returns what was promised.
  static func work(on disk: SimulatedDisk, _ config: StoreConfig) async -> Promises {
    let promises = Promises()
    do {
      let store = try await Store.open("/queue", config: config, disk: disk)
      let queue = try await WorkQueue(store)
      try await withThrowingTaskGroup(of: Void.self) { group in
        for producer in 1...3 {
          group.addTask {
            for number in 1...2 {
              let text = "job \(number) of \(producer)"
              await promises.note(added: try await queue.add(text), text)
            }
          }
        }
        for _ in 1...2 {
          group.addTask {
            var left = 3
            while left > 0 {
              try Task.checkCancellation()
              guard let job = await queue.take() else {
                await Task.yield()
                continue
              }
              try await queue.finish(job)
              await promises.note(finished: job)
              left -= 1
            }
          }
        }
        for try await _ in group {}  // the first error cancels the others
      }
      try await store.close()
    } catch {
      // The power is gone: what was promised until now must hold.
    }
    return promises
  }

  /// Opens the queue as it is found after the power cut, and finishes what is left.
  static func check(
    _ disk: SimulatedDisk, _ config: StoreConfig, _ promises: Promises, _ point: String
  ) async throws {
    let store = try await Store.open("/queue", config: config, disk: disk)
    let queue = try await WorkQueue(store)
    let found = try await queue.content()
    for (job, text) in await promises.added where found.jobs[job] != text {
      throw BrokenPromise(what: "\(point): \(text) is lost")
    }
    guard found.finished.isSuperset(of: await promises.finished) else {
      throw BrokenPromise(what: "\(point): a finished job is to be done again")
    }
    guard found.finished.isSubset(of: found.jobs.keys) else {
      throw BrokenPromise(what: "\(point): a job that never was is finished")
    }
    while let job = await queue.take() {
      guard !found.finished.contains(job) else {
        throw BrokenPromise(what: "\(point): a finished job was handed out")
      }
      try await queue.finish(job)
    }
    try await store.close()
  }
}
