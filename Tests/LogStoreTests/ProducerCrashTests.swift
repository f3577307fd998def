import DiskIO
import StoreTesting
import Testing

@testable import LogStore

/// Producers that send again what was not acknowledged, through power cuts at every operation.
struct ProducerCrashTests {
  private static let producers: [Int64] = [5, 6]
  private static let batchesEach = 9
  private static let recordsEach = 2

  /// What producers were told: by producer, the base offsets of its batches, in order.
  typealias Acknowledged = [Int64: [Int64]]

  @Test func everyAcknowledgedBatchIsThereExactlyOnceAfterAPowerCutAnywhere() throws {
    let seed = Seed.fromEnvironment(else: 31)
    let loop = PowerCutLoop(exhaustiveMax: 2, samples: 6, damaged: 2, seed: seed)
    var duplicates = 0
    let tried = try loop.run(on: { SimulatedDisk(seed: seed.value) }) { disk in
      var acknowledged: Acknowledged = [:]
      // Ends early where the power does.
      do { try Self.produce(on: disk, &acknowledged, closes: true) } catch { return acknowledged }
      return acknowledged
    } check: { disk, acknowledged, point in
      var told = acknowledged
      do {
        duplicates += try Self.produce(on: disk, &told, closes: false)
      } catch {
        Issue.record("\(seed) \(point): \(error); acknowledged \(acknowledged), now \(told)")
        return
      }
      let (_, log) = try ProducerFixture.open(disk.kill())
      try Self.check(log, acknowledged, told, "\(seed) \(point)")
    }
    #expect(tried.cuts > 100 && tried.outcomes > 400, "\(tried)")
    #expect(duplicates > 1000, "\(duplicates)")

  }

  /// Each producer sends its batches with up to four in flight, after a restart the last
  /// acknowledged one again: five that the log must know. Returns how often a batch was known.
  @discardableResult
  private static func produce(
    on disk: SimulatedDisk, _ acknowledged: inout Acknowledged, closes: Bool
  ) throws -> Int {
    var (store, log) = try ProducerFixture.open(disk, segmentBytes: 500)
    var duplicates = 0
    for producer in producers {
      let known = acknowledged[producer, default: []]
      for index in known.indices.suffix(1) {
        let result = try send(log, producer, index)
        #expect(result.isDuplicate, "\(producer) \(index)")
        #expect(result.baseOffset == known[index], "\(producer) \(index)")
        duplicates += 1
      }
    }
    var first = 0
    while first < batchesEach {
      let round = first..<min(batchesEach, first + 4)
      var inFlight: [(Int64, Int, AppendResult)] = []
      for index in round {
        for producer in producers where index >= acknowledged[producer, default: []].count {
          inFlight.append((producer, index, try send(log, producer, index)))
        }
      }
      for (producer, index, result) in inFlight {
        try log.waitUntilDurableBlocking(upTo: result.lastOffset + 1)
        precondition(acknowledged[producer, default: []].count == index)
        acknowledged[producer, default: []].append(result.baseOffset)
        if result.isDuplicate { duplicates += 1 }
      }
      first = round.upperBound
      // A clean stop in the middle: snapshots at the end, and the next session begins with them.
      if closes, first == 4 {
        try store.closeBlocking()
        (store, log) = try ProducerFixture.open(disk, segmentBytes: 500)
      }
    }
    if closes { try store.closeBlocking() }
    return duplicates
  }

  private static func send(_ log: Log, _ producer: Int64, _ index: Int) throws -> AppendResult {
    var batch = try ProducerFixture.batch(
      producer, sequence: Int32(index * recordsEach), count: recordsEach)
    var span = batch.mutableSpan
    return try log.writeBlocking(batch: &span)
  }

  private static func check(
    _ log: Log, _ first: Acknowledged, _ told: Acknowledged, _ place: String
  ) throws {
    let values = try ProducerFixture.values(log)
    for producer in producers {
      let mine = values.filter { $0.hasPrefix("\(producer) ") }
      #expect(mine == (0..<batchesEach * recordsEach).map { "\(producer) 0 \($0)" }, "\(place)")
      // What was told before the cut is what it is now.
      let before = first[producer, default: []]
      #expect(Array(told[producer, default: []].prefix(before.count)) == before, "\(place)")
      for (index, offset) in told[producer, default: []].enumerated() {
        #expect(values[Int(offset)] == "\(producer) 0 \(index * recordsEach)", "\(place)")
      }
    }
  }
}
