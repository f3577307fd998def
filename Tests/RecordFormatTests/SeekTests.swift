import RecordFormat
import Testing

@Suite struct SeekTests {
  /// From every offset, stepping over gives exactly what a filtered full walk gives.
  @Test(arguments: [Compression.none, .zstd(level: 3)])
  func seekingGivesWhatAFilteredWalkGives(compression: Compression) throws {
    var builder = RecordBatchBuilder(compression: compression)
    for index in 0..<200 {
      let value = [UInt8](repeating: 7, count: index * 3)
      let isAdded = try builder.append(
        timestamp: Int64(1_000 - index), key: index % 5 == 0 ? nil : [UInt8(index)], value: value)
      #expect(isAdded)
    }
    var decoder = RecordDecoder()
    var bytes: [UInt8] = []
    let sealed = try builder.finish()
    for index in sealed.indices { bytes.append(sealed[index]) }
    let batch = try RecordBatch(bytes.span)
    var all: [Record] = []
    try batch.forEachRecord(&decoder) { record in
      all.append(Record(copying: record))
      return true
    }
    for offset in Int64(-2)...202 {
      var found: [Record] = []
      try batch.forEachRecord(from: offset, &decoder) { record in
        found.append(Record(copying: record))
        return true
      }
      let expected = all.filter { $0.offset >= offset }
      let isSame = found == expected
      #expect(isSame, "from \(offset)")
    }
  }

  /// A batch that says it has no gaps, but whose deltas repeat (which Kafka stores), is walked.
  @Test func wrongDeltasAreNotSteppedOver() throws {
    var builder = RecordBatchBuilder()
    for index in 0..<4 {
      _ = try builder.append(timestamp: 5, key: nil, value: [UInt8(index)])
    }
    var bytes: [UInt8] = []
    let sealed = try builder.finish()
    for index in sealed.indices { bytes.append(sealed[index]) }
    // Each record: length, attributes, timestamp delta, offset delta, key -1, value 1 byte, headers
    // 0.
    let recordBytes = 8
    #expect(bytes.count == 61 + 4 * recordBytes)
    bytes[61 + 2 * recordBytes + 3] = 2  // Record 2 says delta 1.
    var decoder = RecordDecoder(tolerance: .kafka)
    var offsets: [Int64] = []
    do {
      try RecordBatch(bytes.span).forEachRecord(from: 2, &decoder) { record in
        offsets.append(record.offset)
        return true
      }
    } catch {
      offsets.append(-1)
    }
    #expect(offsets == [3] || offsets == [-1])
  }
}
