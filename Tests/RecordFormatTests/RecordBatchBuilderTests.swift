import MkstoreBytes
import RecordFormat
import Testing

@Suite struct RecordBatchBuilderTests {
  /// The example of docs/format.md and of Kafka's own vectors: headers-null-value.
  @Test func buildsTheBytesThatKafkaClientsBuild() throws {
    var builder = RecordBatchBuilder()
    let first = try builder.append(
      timestamp: 1_700_000_000_000, key: Array("k".utf8),
      value: Array("whiskey mike sierra ".utf8),
      headers: [
        RecordHeader(name: "a", value: nil), RecordHeader(name: "b", value: Array("x".utf8)),
        RecordHeader(name: "c", value: nil),
      ])
    let second = try builder.append(
      timestamp: 1_700_000_000_001, key: nil, value: nil,
      headers: [RecordHeader(name: "only", value: nil)])
    #expect(first && second)
    var batch = try builder.finish()
    assignOffset(&batch, baseOffset: 0, leaderEpoch: 0)
    let bytes = (0..<batch.count).map { batch[$0] }
    #expect(bytes.count == 112)
    let header = try BatchHeader(bytes.span)
    #expect(header.crc == 0x7d36_6022)
    try RecordBatch(bytes.span).checkCRC()
  }

  /// At each power of two and beside it.
  @Test func integersAreWrittenInTheirShortestForm() throws {
    for shift in 0..<63 {
      let power = Int64(1) << shift
      for delta in [power, -power, power - 1] {
        var builder = RecordBatchBuilder()
        _ = try builder.append(timestamp: 0, key: nil, value: nil)
        _ = try builder.append(timestamp: delta, key: nil, value: nil)
        let whole = try builder.finish()
        let bytes = [UInt8](copying: whole.span)
        // The first record takes 7 bytes, the length and attributes of the second one 2.
        let expected = shortestForm(delta)
        #expect(Array(bytes[70..<(70 + expected.count)]) == expected, "\(delta)")
      }
    }
  }

  /// Both ends of 64 bits fit one batch only where their distance does.
  @Test func timesTooFarApartBeginANewBatch() throws {
    for (first, second, fits) in [
      (Int64.min, Int64(-1), true), (.min, 0, false), (.max, 0, true), (.max, -1, true),
      (.max, -2, false), (-1, .max, false), (0, .max, true), (.min, .max, false),
      (.max, .min, false),
    ] {
      var builder = RecordBatchBuilder()
      #expect(try builder.append(timestamp: first, key: nil, value: nil))
      #expect(try builder.append(timestamp: second, key: nil, value: nil) == fits)
      let (count, base) = (builder.recordCount, builder.baseTimestamp)
      #expect(count == (fits ? 2 : 1) && base == first)
    }
  }

  /// The zig-zag by division, then digits of base 128.
  private func shortestForm(_ value: Int64) -> [UInt8] {
    var rest: UInt64 = value < 0 ? UInt64(-1 - value) * 2 + 1 : UInt64(value) * 2
    var bytes: [UInt8] = []
    while rest >= 128 {
      bytes.append(UInt8(rest % 128 + 128))
      rest /= 128
    }
    return bytes + [UInt8(rest)]
  }

  @Test func aFullBatchRefusesTheNextRecordAndStaysAsItIs() throws {
    var builder = RecordBatchBuilder(batchBytes: 61 + 3 * 17)
    // A record of 17 bytes: its length, 6 bytes of fields and a value of 10.
    let value = [UInt8](repeating: 1, count: 10)
    for index in 0..<3 {
      let isTaken = try builder.append(timestamp: 0, key: nil, value: value.span)
      #expect(isTaken)
      let byteCount = builder.byteCount
      #expect(byteCount == 61 + (index + 1) * 17)
    }
    let isTaken = try builder.append(timestamp: 9, key: nil, value: value.span)
    #expect(!isTaken)
    let (recordCount, maxTimestamp) = (builder.recordCount, builder.maxTimestamp)
    #expect(recordCount == 3 && maxTimestamp == 0)
    let whole = try builder.finish()
    let byteCount = whole.count
    #expect(byteCount == 61 + 3 * 17)
  }

  @Test func oneRecordAlwaysFits() throws {
    var builder = RecordBatchBuilder(batchBytes: 100)
    let isTaken = try builder.append(
      timestamp: 0, key: nil, value: [UInt8](repeating: 1, count: 5000))
    #expect(isTaken)
    let isSecondTaken = try builder.append(timestamp: 0, key: nil, value: nil)
    #expect(!isSecondTaken)
  }

  @Test func aRecordBeyondTheLimitIsAnError() throws {
    var builder = RecordBatchBuilder()
    let value = [UInt8](repeating: 0, count: RecordBatchBuilder.recordBytesMax)
    do throws(BatchError) {
      _ = try builder.append(timestamp: 0, key: nil, value: value)
      Issue.record("it was taken")
    } catch {
      guard case .tooLarge(_, RecordBatchBuilder.recordBytesMax) = error else {
        Issue.record("\(error)")
        return
      }
    }
    let isEmpty = builder.isEmpty
    #expect(isEmpty)
  }

  @Test func resetBeginsANewBatchWithTheSameBytes() throws {
    for compression in [Compression.none, .zstd] {
      var builder = RecordBatchBuilder(compression: compression)
      var before: [UInt8] = []
      for _ in 0..<3 {
        builder.reset()
        let (isEmpty, byteCount) = (builder.isEmpty, builder.byteCount)
        #expect(isEmpty && byteCount == 61)
        for time in [Int64(7), 5, 6] {
          _ = try builder.append(timestamp: time, key: [1], value: [2, 3])
        }
        let (base, largest) = (builder.baseTimestamp, builder.maxTimestamp)
        #expect(base == 7 && largest == 7)
        let whole = try builder.finish()
        let bytes = [UInt8](copying: whole.span)
        #expect(before.isEmpty || bytes == before)
        before = bytes
      }
    }
  }

  /// P24.
  @Test(arguments: [-100, -5, -1, 1, 3, 9, 19])
  func zstdFramesStateTheirContentSize(level: Int) throws {
    let value = [UInt8](repeating: 65, count: 1000)
    let bytes = try batch(
      of: [Record(offset: 0, timestamp: 0, key: nil, value: value)],
      compression: .zstd(level: level))
    #expect(Array(bytes[61..<65]) == [0x28, 0xB5, 0x2F, 0xFD])
    // Single segment, content size in two bytes, 256 less than it is (RFC 8878, 3.1.1.1).
    #expect(bytes[65] == 0x60)
    #expect(Int(bytes[66]) + Int(bytes[67]) << 8 + 256 == 1000 + 9)
  }

  @Test(arguments: [
    ("none", Compression.none), ("uncompressed", Compression.none), ("zstd", .zstd(level: 3)),
    ("zstd:19", .zstd(level: 19)), ("zstd:-7", .zstd(level: -7)), ("zstd:20", nil),
    ("zstd:0", nil), ("zstd:", nil), ("gzip", nil), ("none:1", nil), ("", nil),
  ])
  func compressionIsReadFromText(text: String, expected: Compression?) {
    #expect(Compression(text) == expected)
    if let expected { #expect(Compression(expected.description) == expected) }
  }

  /// No bound is a bound, too: as many bytes as a batch's length can say, and as many as there are.
  @Test(arguments: [Compression.none, .zstd])
  func withoutABoundAllThatCanBeIsTaken(_ compression: Compression) throws {
    var builder = RecordBatchBuilder(compression: compression, batchBytes: Int.max)
    let value = [UInt8](repeating: 7, count: 1_000)
    var batch: [UInt8] = []
    for _ in 0..<2 {
      builder.reset()
      for _ in 0..<3 {
        let isTaken = try builder.append(timestamp: 1, key: nil, value: value)
        #expect(isTaken)
      }
      let sealed = try builder.finish()
      batch = []
      for index in sealed.indices { batch.append(sealed[index]) }
    }
    var decoder = RecordDecoder(decompressedBytesMax: Int.max)
    let records = try RecordBatch(batch.span).records(&decoder)
    #expect(records.map(\.value) == [value, value, value])
  }
}
