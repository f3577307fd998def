import StoreTesting
import Testing

@testable import LogStore

/// The engine's own file of producers: docs/format.md, and whatever bytes stand in its place.
struct ProducerFileTests {
  private func dump() throws -> [UInt8] { try FormatDocument().dump("hex producers").bytes }

  private func decode(_ bytes: [UInt8]) throws -> ProducerState {
    try ProducerFile.decode(bytes, path: "document", expirationMs: 1000)
  }

  @Test func dumpDecodesAsDescribedAndIsWrittenSo() throws {
    let lines = try FormatDocument().dump("hex producers")
    let state = try decode(dump())
    let (producerId, producer) = try #require(state.producers.first)
    var found = [
      "magic mkprod01", "endOffset \(state.endOffset)", "count \(state.producers.count)",
      "producerId \(producerId)", "producerEpoch \(producer.epoch)",
      "batchCount \(producer.batches.count)", "coordinatorEpoch \(producer.coordinatorEpoch)",
      "timestamp \(producer.timestamp)",
      "currentTxnFirstOffset \(producer.transactionFirstOffset ?? -1)",
      "activeMs \(producer.activeMs)",
    ]
    for batch in producer.batches {
      found += [
        "lastSequence \(batch.lastSequence)", "offsetDelta \(batch.offsetDelta)",
        "lastOffset \(batch.lastOffset)", "timestamp \(batch.timestamp)",
      ]
    }
    #expect(lines.map(\.meaning).dropLast() == found[...])
    #expect(ProducerFile.encode(state) == (try dump()))
  }

  @Test func everyFlippedBitAndEveryTruncationIsRefused() throws {
    let bytes = try dump()
    for bit in 0..<bytes.count * 8 {
      var flipped = bytes
      flipped[bit / 8] ^= 1 << UInt8(bit % 8)
      #expect(throws: CheckpointError.self) { try decode(flipped) }
    }
    for count in 0..<bytes.count {
      #expect(throws: CheckpointError.self) { try decode(Array(bytes.prefix(count))) }
    }
    #expect(throws: CheckpointError.self) { try decode(bytes + [0, 0, 0, 0]) }
  }

  /// Where a file of ours is torn the log tells what it knew, and nothing is lost by it.
  @Test func withoutTheFileTheLogSpeaks() throws {
    let disk = SimulatedDisk(seed: 3)
    var (store, log) = try ProducerFixture.open(disk, segmentBytes: 1 << 20)
    for sequence in 0..<7 {
      var batch = try ProducerFixture.batch(9, sequence: Int32(sequence))
      try log.appendBlocking(batch: &batch)
    }
    try store.closeBlocking()
    let path = "/data/a-0/\(ProducerFile.name)"
    let whole = try #require(disk.contents(of: path))
    for (bytes, known) in [(whole, 5), (Array(whole.dropLast()), 5)] {
      try disk.install(path, bytes)
      (store, log) = try ProducerFixture.open(disk, segmentBytes: 1 << 20)
      let state = try ProducerFixture.state(log)
      #expect(state.producers[9]?.batches.count == known)
      #expect(state.endOffset == 7)
      try store.closeBlocking()
    }
  }
}
