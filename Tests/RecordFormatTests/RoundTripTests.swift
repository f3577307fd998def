import MkstoreBytes
import RecordFormat
import Testing

@Suite struct RoundTripTests {
  static let compressions: [Compression] = [
    .none, .zstd(level: -5), .zstd(level: 1), .zstd, .zstd(level: 19),
  ]

  private func randomRecord(_ seed: inout Seed, offset: Int) -> Record {
    let headers = (0..<Int.random(in: 0...3, using: &seed)).map { _ in
      RecordHeader(
        name: String(UInt8.random(in: 0...255, using: &seed)),
        value: seed.optionalBytes(max: 40))
    }
    let isWild = Int.random(in: 0..<50, using: &seed) == 0
    return Record(
      offset: Int64(offset),
      timestamp: isWild
        // Any two fit one batch.
        ? Int64.random(in: (Int64.min / 2)...(Int64.max / 2), using: &seed)
        : 1_700_000_000_000 + Int64.random(in: -5000...5000, using: &seed),
      key: seed.optionalBytes(max: 40), value: seed.optionalBytes(max: 2000), headers: headers)
  }

  @Test(arguments: compressions)
  func whatIsBuiltIsRead(compression: Compression) throws {
    var seed = Seed()
    for _ in 0..<20 {
      let count = Int.random(in: 1...300, using: &seed)
      let written = (0..<count).map { randomRecord(&seed, offset: $0) }
      let bytes = try batch(of: written, compression: compression)
      let header = try BatchHeader(bytes.span)
      #expect(header.codec == compression.codec)
      #expect(header.recordCount == Int32(count) && header.lastOffsetDelta == Int32(count - 1))
      #expect(header.baseOffset == 0 && header.leaderEpoch == -1)
      #expect(header.maxTimestamp == written.map(\.timestamp).max())
      #expect(try records(bytes) == written, "\(seed)")
    }
  }

  @Test func everySizeOfFieldSurvives() throws {
    // Around the sizes at which lengths take another byte and copies go another way.
    let written = (0...300).map { size in
      let field = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ size) }
      return Record(offset: Int64(size), timestamp: Int64(size), key: field, value: field)
    }
    #expect(try records(try batch(of: written)) == written)
    for size in [8190, 8191, 8192, 1_048_575, 1_048_576] {
      let record = Record(
        offset: 0, timestamp: 0, key: nil, value: [UInt8](repeating: 9, count: size))
      #expect(try records(try batch(of: [record])) == [record])
    }
  }

  @Test(arguments: compressions)
  func assigningAnOffsetLeavesTheChecksumRight(compression: Compression) throws {
    var bytes = try batch(
      of: [Record(offset: 0, timestamp: 5, key: nil, value: [1, 2, 3])], compression: compression)
    var span = bytes.mutableSpan
    assignOffset(&span, baseOffset: 1 << 40, leaderEpoch: 7)
    let header = try BatchHeader(bytes.span)
    #expect(header.baseOffset == 1 << 40 && header.leaderEpoch == 7)
    #expect(fault(bytes) == nil)
    #expect(try records(bytes).map(\.offset) == [1 << 40])
  }

  @Test func logAppendTimeOverrulesEveryTimestamp() throws {
    let written = [10, 30, 20].map { Record(offset: 0, timestamp: $0, key: nil, value: nil) }
    var bytes = try batch(of: written)
    var span = bytes.mutableSpan
    rewriteLogAppendTime(&span, timestamp: 99)
    #expect(fault(bytes) == nil)
    let read = try records(bytes)
    #expect(read.map(\.timestamp) == [99, 99, 99])
    #expect(read.allSatisfy { $0.timestampType == .logAppendTime })
    #expect(bytes == (try batch(of: written, options: BatchOptions(logAppendTime: 99))))
    #expect(try findings(bytes) == [])
  }

  @Test func aWrongMaxTimestampIsSeenAndMended() throws {
    var bytes = try batch(of: [Record(offset: 0, timestamp: 10, key: nil, value: nil)])
    let right = bytes
    var span = bytes.mutableSpan
    rewriteMaxTimestamp(&span, timestamp: 11)
    #expect(try findings(bytes) == .maxTimestampWrong)
    span = bytes.mutableSpan
    rewriteMaxTimestamp(&span, timestamp: 10)
    #expect(bytes == right)
  }

  @Test func validatingTellsWhatIndexesNeed() throws {
    let times: [Int64] = [5, 9, 7, 9, 3]
    let written = times.map { Record(offset: 0, timestamp: $0, key: nil, value: nil) }
    var bytes = try batch(of: written)
    var span = bytes.mutableSpan
    assignOffset(&span, baseOffset: 100, leaderEpoch: 0)
    var decoder = RecordDecoder()
    let summary = try RecordBatch(bytes.span).validate(.stored, decoder: &decoder)
    #expect(summary.firstOffset == 100)
    #expect(summary.maxTimestamp == 9)
    #expect(summary.offsetOfMaxTimestamp == 101)
    #expect(summary.recordBytes == bytes.count - 61)
  }

  @Test func producerFieldsAreKept() throws {
    let options = BatchOptions(
      producerId: 77, producerEpoch: 3, baseSequence: 12, isTransactional: true)
    let bytes = try batch(
      of: [Record(offset: 0, timestamp: 0, key: nil, value: nil)], options: options)
    let header = try BatchHeader(bytes.span)
    #expect(header.producerId == 77 && header.producerEpoch == 3 && header.baseSequence == 12)
    #expect(header.isTransactional && !header.isControl && !header.hasDeleteHorizon)
    #expect(fault(bytes, .produced(maxMessageBytes: 1000)) == nil)
  }
}
