import DiskIO
import StoreTesting
import Testing

@testable import LogStore

/// The rules for idempotent producers against an oracle that remembers every batch ever appended
/// (Kafka's rules as measured on a 3.9 broker), across rolls, restarts, kills and power cuts.
struct ProducerModelTests {
  /// What was appended, and what must be answered.
  struct Oracle {
    struct Entry {
      var producerId: Int64
      var epoch: Int16
      var sequence: Int32
      var count: Int
      var baseOffset: Int64
      var timestamp: Int64
    }

    enum Answer: Equatable {
      case appended(Int64)
      case duplicate(Int64, timestamp: Int64)
      case outOfOrder
      case invalidEpoch
    }

    var entries: [Entry] = []
    var endOffset: Int64 = 0

    func next(after entry: Entry) -> Int32 {
      var sequence = entry.sequence
      for _ in 0..<entry.count { sequence = sequence == Int32.max ? 0 : sequence + 1 }
      return sequence
    }

    mutating func answer(
      _ producerId: Int64, _ epoch: Int16, _ sequence: Int32, _ count: Int, _ timestamp: Int64
    ) -> Answer {
      let mine = entries.filter { $0.producerId == producerId }
      if let last = mine.last {
        let lastFive = mine.filter { $0.epoch == epoch }.suffix(5)
        if epoch == last.epoch,
          let same = lastFive.first(where: { $0.sequence == sequence && $0.count == count })
        {
          return .duplicate(same.baseOffset, timestamp: same.timestamp)
        }
        if epoch < last.epoch { return .invalidEpoch }
        let expected = epoch > last.epoch ? 0 : next(after: last)
        if sequence != expected { return .outOfOrder }
      }
      entries.append(
        Entry(
          producerId: producerId, epoch: epoch, sequence: sequence, count: count,
          baseOffset: endOffset, timestamp: timestamp))
      defer { endOffset += Int64(count) }
      return .appended(endOffset)
    }
  }

  @Test func producersAreAnsweredAsTheOracleSays() throws {
    let base = Seed.fromEnvironment()
    var seen: [String: Int] = [:]
    for run in 0..<12 {
      try play(base.derived(run), &seen)
    }
    for kind in [
      "appended", "duplicate", "outOfOrder", "invalidEpoch", "reopened", "killed", "cut",
    ] {
      #expect(seen[kind, default: 0] > 10, "\(kind): \(seen)")
    }
  }

  private func play(_ seed: Seed, _ seen: inout [String: Int]) throws {
    var generator = seed.generator
    var disk = SimulatedDisk(seed: seed.value)
    var (store, log) = try ProducerFixture.open(disk)
    var oracle = Oracle()
    for step in 0..<150 {
      if generator.chance(0.12) {
        switch generator.index(below: 3) {
        case 0:
          try store.closeBlocking()
          seen["reopened", default: 0] += 1
        case 1:
          disk = disk.kill()
          seen["killed", default: 0] += 1
        default:
          disk = disk.crash(.random(seed: generator.next()))
          seen["cut", default: 0] += 1
        }
        (store, log) = try ProducerFixture.open(disk)
        #expect(log.logEndOffset == oracle.endOffset, "\(seed) step \(step)")
      }
      let (found, expected) = try sendOne(log, &oracle, &generator, timestamp: Int64(step))
      #expect(found == expected, "\(seed) step \(step)")
      let kind = "\(expected)".prefix { $0 != "(" }
      seen[String(kind), default: 0] += 1
    }
    #expect(try ProducerFixture.values(log).count == Int(oracle.endOffset), "\(seed)")
  }

  /// One batch: the next one, one again, or something wrong.
  private func sendOne(
    _ log: Log, _ oracle: inout Oracle, _ generator: inout SeededGenerator, timestamp: Int64
  ) throws -> (Oracle.Answer, Oracle.Answer) {
    let producerId = Int64(generator.index(below: 3))
    let mine = oracle.entries.filter { $0.producerId == producerId }
    let timestamp = ProducerFixture.nowMs - timestamp
    var epoch: Int16 = mine.last?.epoch ?? 0
    var sequence = mine.last.map { oracle.next(after: $0) } ?? Int32.max - 6
    var count = 1 + generator.index(below: 4)
    switch generator.index(below: 10) {
    case 0...4: break
    case 5, 6:
      if let again = mine.suffix(8).randomElement(using: &generator) {
        (epoch, sequence, count) = (again.epoch, again.sequence, again.count)
      }
    case 7:
      sequence = Int32.random(in: -3...3, using: &generator) &+ sequence
      sequence = max(0, sequence)
    case 8:
      epoch += 1
      if generator.chance(0.7) { sequence = 0 }
    default: epoch = max(0, epoch - 1)
    }
    let expected = oracle.answer(producerId, epoch, sequence, count, timestamp)
    var batch = try ProducerFixture.batch(
      producerId, epoch: epoch, sequence: sequence, count: count, timestamp: timestamp)
    return (answer(log, &batch), expected)
  }

  private func answer(_ log: Log, _ batch: inout [UInt8]) -> Oracle.Answer {
    do throws(LogError) {
      let result = try log.appendBlocking(batch: &batch)
      #expect(result.isDurable)
      #expect(log.recoveryPoint > result.lastOffset)
      return result.isDuplicate
        ? .duplicate(result.baseOffset, timestamp: result.logAppendTimeMs)
        : .appended(result.baseOffset)
    } catch {
      switch error.kind {
      case .outOfOrderSequence: return .outOfOrder
      case .invalidProducerEpoch: return .invalidEpoch
      default:
        Issue.record("\(error)")
        return .invalidEpoch
      }
    }
  }
}
