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
}
