import DiskIO
import StoreTesting
import Testing

@testable import LogStore

/// What the server's reader does by what a disk says of its page cache (P14).
@Suite struct ColdReadTests {
  private final class Sample {
    let disk = SimulatedDisk(seed: 5)
    let store: Store
    let log: Log
    let path: String
    let reader: LogReader
    /// Where the reader goes on.
    private(set) var next: Int64 = 0

    init() throws {
      let config = CrashStore.config(segmentBytes: 1 << 20, indexIntervalBytes: 4096)
      store = try Store.openBlocking("/store", config: config, disk: disk, logger: .silent)
      log = try store.createLogBlocking(try TopicPartition(topic: "t", partition: 0))
      for number in 0..<20 {
        var batch = SampleBatches.make(number, records: 1, valueBytes: 4_000)
        try log.appendBlocking(batch: &batch)
      }
      path = log.store.state.segments[0].path(.log)
      reader = LogReader(log, rechecksEvicted: true)
      try fetch()
    }

    /// Whether the next fetch is answered without a look at the disk.
    func isHot() throws -> Bool {
      guard
        case .records(let records) = try reader.readHot(
          from: next, maxBytes: 1, below: log.logEndOffset)
      else { return false }
      next = records.nextOffset
      return true
    }

    /// A fetch that may wait for the disk.
    func fetch() throws {
      let records = try reader.read(from: next, maxBytes: 1, limit: .logEnd)
      next = try #require(records).nextOffset
    }
  }

  @Test func cachedBytesAreServedWithoutTheDisk() throws {
    let sample = try Sample()
    for _ in 0..<5 { #expect(try sample.isHot()) }
  }

  @Test func evictedBytesAreColdUntilTheyAreReadAgain() throws {
    let sample = try Sample()
    try sample.disk.evict(sample.path)
    #expect(try !sample.isHot())
    while sample.next < sample.log.logEndOffset { try sample.fetch() }
    let file = try sample.disk.open(sample.path, .read)
    #expect(file.isCached(at: 0, count: try file.size()))
  }

  @Test func everyReadIsColdWhereTheDiskDoesNotKnow() throws {
    let sample = try Sample()
    sample.disk.knowsResidency = false
    for _ in 0..<5 {
      #expect(try !sample.isHot())
      let before = sample.disk.counters.bytesRead
      try sample.fetch()
      #expect(sample.disk.counters.bytesRead >= before + 4_000, "read and checked again")
    }
  }

  /// A byte that rots after it was checked is refused, since nothing says that it is the old one.
  @Test func whatWasCheckedBeforeIsCheckedAgainWhereTheDiskDoesNotKnow() throws {
    for knows in [true, false] {
      let sample = try Sample()
      sample.disk.knowsResidency = knows
      let file = try sample.disk.open(sample.path, .readWrite)
      try file.write([0xFF, 0xFE, 0xFD].span, at: 6_000)
      var isRefused = false
      do throws(LogError) {
        _ = try sample.reader.read(from: sample.next, maxBytes: 1, limit: .logEnd)
      } catch {
        guard case .corrupt = error.kind else { throw error }
        isRefused = true
      }
      #expect(isRefused != knows)
    }
  }

  /// A question that the disk fails to answer is one that it cannot answer.
  @Test func aDiskThatFailsToTellIsTakenForCold() throws {
    let sample = try Sample()
    sample.disk.plan(FaultPlan(.error(5), at: 1, operations: [.residency]))
    #expect(try !sample.isHot())
    #expect(sample.disk.faultFired)
    #expect(try sample.isHot())
  }
}
