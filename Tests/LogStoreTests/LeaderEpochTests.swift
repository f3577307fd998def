import StoreTesting
import Testing

@testable import LogStore

/// Where epochs end, by Kafka's `LeaderEpochFileCache`.
struct LeaderEpochTests {
  /// A log of 20 records with these epochs in its checkpoint.
  private func open(_ entries: [LeaderEpochCheckpoint.Entry], _ disk: SimulatedDisk) throws -> Log {
    let (store, log) = try ProducerFixture.open(disk)
    for _ in 0..<10 {
      var batch = sampleBatch(2)
      try log.appendBlocking(batch: &batch)
    }
    try store.closeBlocking()
    try LeaderEpochCheckpoint(entries).write(disk, directory: "/data/a-0")
    return try ProducerFixture.open(disk).1
  }

  @Test(
    arguments: [
      (-1, nil), (0, EpochEnd(leaderEpoch: 0, endOffset: 0)),
      (1, EpochEnd(leaderEpoch: 1, endOffset: 4)), (2, EpochEnd(leaderEpoch: 2, endOffset: 10)),
      (3, EpochEnd(leaderEpoch: 2, endOffset: 10)), (4, EpochEnd(leaderEpoch: 2, endOffset: 10)),
      (5, EpochEnd(leaderEpoch: 5, endOffset: 20)), (6, nil),
    ] as [(Int32, EpochEnd?)])
  func anEpochEndsWhereTheNextBegins(epoch: Int32, end: EpochEnd?) throws {
    let log = try open(
      [
        .init(epoch: 1, startOffset: 0), .init(epoch: 2, startOffset: 4),
        .init(epoch: 5, startOffset: 10),
      ], SimulatedDisk(seed: 1))
    #expect(log.leaderEpoch == 5)
    #expect(log.endOffset(forLeaderEpoch: epoch) == end)
  }

  /// The batches of the last epochs were lost: the next ones are of the last epoch all the same.
  @Test func anEpochBeyondTheEndBeginsAtTheEnd() throws {
    let disk = SimulatedDisk(seed: 1)
    let log = try open(
      [
        .init(epoch: 0, startOffset: 0), .init(epoch: 3, startOffset: 20),
        .init(epoch: 4, startOffset: 30), .init(epoch: 7, startOffset: 40),
      ], disk)
    #expect(log.leaderEpoch == 7)
    #expect(log.endOffset(forLeaderEpoch: 0) == EpochEnd(leaderEpoch: 0, endOffset: 20))
    #expect(log.endOffset(forLeaderEpoch: 7) == EpochEnd(leaderEpoch: 7, endOffset: 20))
    var batch = sampleBatch(1)
    let result = try log.appendBlocking(batch: &batch)
    #expect(result.baseOffset == 20)
    let stored = try LeaderEpochCheckpoint.read(disk, directory: "/data/a-0")
    #expect(
      stored?.entries == [.init(epoch: 0, startOffset: 0), .init(epoch: 7, startOffset: 20)])
  }

  @Test func withoutACheckpointNothingIsKnown() throws {
    let log = try open([], SimulatedDisk(seed: 1))
    #expect(log.leaderEpoch == 0)
    #expect(log.endOffset(forLeaderEpoch: 0) == nil)
  }
}
