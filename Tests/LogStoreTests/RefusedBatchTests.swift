import DiskIO
import Glibc
import StoreTesting
import Testing

@testable import LogStore

/// After a refused batch its producer must send it first, on a disk that was full or has failed.
struct RefusedBatchTests {
  /// How an append of a batch of one record went.
  enum Answer: Equatable {
    case appended(Int64), duplicate(Int64)
    case full, failed
    /// An earlier one must come first: its sequence.
    case awaits(Int32)
    case outOfOrder, oldEpoch
    case other(String)
  }

  private func send(_ log: Log, _ producerId: Int64, epoch: Int16 = 0, _ sequence: Int32) throws
    -> Answer
  {
    var batch = try ProducerFixture.batch(producerId, epoch: epoch, sequence: sequence)
    do throws(LogError) {
      let result = try log.appendBlocking(batch: &batch)
      return result.isDuplicate ? .duplicate(result.baseOffset) : .appended(result.baseOffset)
    } catch {
      switch error.kind {
      case .diskFull: return .full
      case .poisoned: return .failed
      case .earlierBatchRefused(_, _, let expected): return .awaits(expected)
      case .outOfOrderSequence: return .outOfOrder
      case .invalidProducerEpoch: return .oldEpoch
      default: return .other("\(error)")
      }
    }
  }

  private func isFull(_ disk: SimulatedDisk) {
    disk.plan(
      FaultPlan(
        .error(ENOSPC), at: 1, isForEver: true, operations: [.write, .allocate, .create]))
  }

  @Test func onlyTheRefusedBatchComesNextAfterAFullDisk() throws {
    let disk = SimulatedDisk(seed: 1)
    let (_, log) = try ProducerFixture.open(disk)
    #expect(try send(log, 1, 0) == .appended(0))
    isFull(disk)
    for sequence: Int32 in 1...3 { #expect(try send(log, 1, sequence) == .full || sequence > 1) }
    disk.removeFaults()
    #expect(try send(log, 1, 2) == .awaits(1))
    #expect(try send(log, 1, 3) == .awaits(1))
    #expect(try send(log, 1, 5) == .awaits(1))
    // Everybody else goes on.
    #expect(try send(log, 2, 40) == .appended(1))
    #expect(try send(log, 1, 0) == .duplicate(0))
    #expect(try send(log, 1, 1) == .appended(2))
    #expect(try send(log, 1, 3) == .awaits(2))
    #expect(try send(log, 1, 2) == .appended(3))
    #expect(try send(log, 1, 3) == .appended(4))
    #expect(try send(log, 1, 4) == .appended(5))
    #expect(try send(log, 1, 5) == .appended(6))
    // All have come: from here on Kafka's rules hold alone.
    #expect(log.writer.refused.isEmpty)
    #expect(try send(log, 1, 9) == .outOfOrder)
  }

  /// Kafka takes any first sequence of a producer that it does not know.
  @Test func aProducerThatTheLogDoesNotKnowBeginsWithItsRefusedBatch() throws {
    let disk = SimulatedDisk(seed: 1)
    let (_, log) = try ProducerFixture.open(disk)
    isFull(disk)
    #expect(try send(log, 1, Int32.max) == .full)
    disk.removeFaults()
    #expect(try send(log, 1, 0) == .awaits(Int32.max))
    #expect(try send(log, 1, 1) == .awaits(Int32.max))
    #expect(try send(log, 1, Int32.max) == .appended(0))
    #expect(try send(log, 1, 1) == .awaits(0))
    #expect(try send(log, 1, 0) == .appended(1))
    #expect(try send(log, 1, 1) == .appended(2))
    #expect(log.writer.refused.isEmpty)
  }

  /// Refused before the writer is reached: by the session's mark, by a roll.
  @Test func aBatchThatIsRefusedBeforeItIsJudgedIsRememberedToo() throws {
    let disk = SimulatedDisk(seed: 1)
    let (store, _) = try ProducerFixture.open(disk)
    try store.closeBlocking()
    let (_, log) = try ProducerFixture.open(disk, segmentBytes: 300)
    isFull(disk)
    #expect(try send(log, 1, 7) == .full && log.pipeline.hasBegunSession == false)
    disk.removeFaults()
    #expect(try send(log, 1, 8) == .awaits(7))
    var next: Int32 = 7
    while log.store.state.segments.count == 1 || next < 10 {
      #expect(try send(log, 1, next) == .appended(Int64(next) - 7))
      next += 1
    }
    // Now the next segment.
    disk.plan(FaultPlan(.error(EDQUOT), at: 1, isForEver: true, operations: [.create]))
    while try send(log, 1, next) == .appended(Int64(next) - 7) { next += 1 }
    #expect(try send(log, 1, next) == .full)
    disk.removeFaults()
    #expect(try send(log, 1, next + 1) == .awaits(next))
    #expect(try send(log, 1, next) == .appended(Int64(next) - 7))
    #expect(try send(log, 1, next + 1) == .appended(Int64(next) - 6))
  }

  @Test func aNewEpochOrAnExpiryEndsTheWait() throws {
    let disk = SimulatedDisk(seed: 1)
    let clock = Locked(ProducerFixture.nowMs)
    var config = ProducerFixture.config()
    config.nowMs = { clock.withLock { $0 } }
    config.monotonicNs = { clock.withLock { $0 - ProducerFixture.nowMs } * 1_000_000 }
    let store = try Store.openBlocking("/data", config: config, disk: disk, logger: .silent)
    let log = try store.createLogBlocking(ProducerFixture.partition())
    #expect(try send(log, 1, 0) == .appended(0))
    isFull(disk)
    #expect(try send(log, 1, 1) == .full)
    #expect(try send(log, 2, 5) == .full)
    disk.removeFaults()
    #expect(try send(log, 1, epoch: 1, 3) == .awaits(0))
    #expect(try send(log, 1, epoch: 1, 0) == .appended(1))
    #expect(try send(log, 1, 1) == .oldEpoch)
    // One whose first batch of an epoch is refused takes none of the epoch before.
    isFull(disk)
    #expect(try send(log, 1, epoch: 2, 0) == .full)
    disk.removeFaults()
    #expect(try send(log, 1, epoch: 1, 1) == .awaits(0))
    #expect(try send(log, 1, epoch: 2, 1) == .awaits(0))
    #expect(try send(log, 1, epoch: 2, 0) == .appended(2))
    #expect(try send(log, 1, epoch: 2, 1) == .appended(3))
    #expect(try send(log, 2, 6) == .awaits(5))
    clock.withLock { $0 += 86_400_000 - 1 }
    #expect(try send(log, 2, 6) == .awaits(5))
    clock.withLock { $0 += 1 }
    #expect(try send(log, 2, 6) == .appended(4))
    #expect(log.writer.refused.isEmpty)
  }

  /// Whoever invents producers on a full disk makes nothing grow without end; what finds no room
  /// waits all the same.
  @Test func whatIsRememberedIsBounded() throws {
    let disk = SimulatedDisk(seed: 1)
    let (_, log) = try ProducerFixture.open(disk, segmentBytes: 1 << 20)
    #expect(try send(log, -1 + 7, 0) == .appended(0))
    isFull(disk)
    for producerId in 100..<100 + Int64(RefusedBatches.producersMax) + 50 {
      let answer = try send(log, producerId, 3)
      let hasRoom = log.writer.refused.count < RefusedBatches.producersMax
      #expect(hasRoom ? answer == .full : answer == .full || answer == .awaits(0))
    }
    #expect(log.writer.refused.count == RefusedBatches.producersMax)
    #expect(try send(log, 6, 1) == .full)
    disk.removeFaults()
    // One that found no room: known to the log, and its refused batch is the next one.
    #expect(try send(log, 6, 2) == .awaits(1))
    #expect(try send(log, 6, 1) == .appended(1))
    #expect(try send(log, 6, 2) == .appended(2))
    // Not known: none but the first one of all can be told from one after a refused batch.
    let last = 100 + Int64(RefusedBatches.producersMax) + 49
    #expect(try send(log, last, 4) == .awaits(0))
    #expect(try send(log, 9_999, 0) == .appended(3))
    // Those that found room go on.
    #expect(try send(log, 100, 4) == .awaits(3))
    #expect(try send(log, 100, 3) == .appended(4))
  }

  /// A connection that ended is still read, and its batch refused, after the same batch came again
  /// by another one and was acknowledged: its producer must not wait for ever.
  @Test func aBatchThatWasAcknowledgedMeanwhileIsNotWaitedFor() throws {
    let disk = SimulatedDisk(seed: 1)
    let (_, log) = try ProducerFixture.open(disk)
    for sequence: Int32 in 0...1 {
      #expect(try send(log, 1, sequence) == .appended(Int64(sequence)))
    }
    log.writer.refused.note(1, epoch: 0, first: 1, end: 2, nowMs: ProducerFixture.nowMs)
    #expect(try send(log, 1, 2) == .awaits(1))
    #expect(try send(log, 1, 2) == .appended(2))
    // Where its producer still waits for an answer it sends it first.
    log.writer.refused.note(1, epoch: 0, first: 2, end: 3, nowMs: ProducerFixture.nowMs)
    #expect(try send(log, 1, 3) == .awaits(2))
    #expect(try send(log, 1, 2) == .duplicate(2))
    #expect(try send(log, 1, 3) == .appended(3))
  }
}
