import Foundation
import RecordFormat
import Testing

/// Batches of Kafka's clients and brokers, each with a JSON file that says what they are.
@Suite struct ValidVectorTests {
  static let vectors = SharedVectors.batchVectors("valid").map(\.path)

  @Test func thereAreVectors() {
    #expect(ValidVectorTests.vectors.count >= 60)
  }

  @Test(arguments: vectors)
  func decodesToItsJSON(path: String) throws {
    let url = URL(fileURLWithPath: path)
    let vector = try BatchVector(url)
    let bytes = try SharedVectors.bytes(url)
    try #require(bytes.count == vector.bytes)
    var decoder = RecordDecoder()
    var batches = RecordBatches(bytes.span)
    for expected in try #require(vector.batches) {
      #expect(batches.position == expected.position)
      guard let batch = try batches.next() else {
        Issue.record("no batch at \(expected.position)")
        return
      }
      expect(batch.header, equals: expected)
      try batch.checkCRC()
      let summary = try batch.validate(.stored, decoder: &decoder)
      #expect(summary.recordCount == expected.records.count)
      #expect(summary.recordBytes == expected.recordsBytesUncompressed)
      #expect(summary.maxTimestamp == expected.records.map(\.timestamp).max() ?? -1)
      try expectRecords(batch, equal: expected, &decoder)
    }
    try expectEnd(&batches, of: vector, bytes.count)
  }

  @Test(arguments: vectors)
  func acceptsFromProducersWhatKafkaDoes(path: String) throws {
    let url = URL(fileURLWithPath: path)
    let vector = try BatchVector(url)
    let bytes = try SharedVectors.bytes(url)
    var isAccepted = true
    var decoder = RecordDecoder()
    do throws(BatchError) {
      try RecordBatch(bytes.span).validate(
        .produced(maxMessageBytes: 1_048_588), decoder: &decoder)
    } catch {
      isAccepted = false
    }
    #expect(isAccepted == vector.acceptableFromProducer)
  }

  private func expect(_ header: BatchHeader, equals expected: BatchVector.Batch) {
    #expect(header.baseOffset == expected.baseOffset)
    #expect(header.byteCount == expected.batchLength + 12)
    #expect(header.leaderEpoch == expected.partitionLeaderEpoch)
    #expect(header.magic == expected.magic)
    #expect(header.crc == UInt32(expected.crc, radix: 16))
    #expect(header.lastOffsetDelta == expected.lastOffsetDelta)
    #expect(header.lastOffset == expected.baseOffset + Int64(expected.lastOffsetDelta))
    #expect(header.nextOffset == max(header.lastOffset, header.lastOffset &+ 1))
    #expect(header.baseTimestamp == expected.baseTimestamp)
    #expect(header.maxTimestamp == expected.maxTimestamp)
    #expect(header.producerId == expected.producerId)
    #expect(header.producerEpoch == expected.producerEpoch)
    #expect(header.baseSequence == expected.baseSequence)
    #expect(header.recordCount == expected.recordCount)
    #expect(header.attributes.rawValue == expected.attributes.raw)
    #expect(header.codec.description == expected.attributes.codec)
    #expect(header.timestampType.description == expected.attributes.timestampType)
    #expect(header.isTransactional == expected.attributes.transactional)
    #expect(header.isControl == expected.attributes.control)
    #expect(header.hasDeleteHorizon == expected.attributes.deleteHorizon)
    #expect(
      header.deleteHorizon == (expected.attributes.deleteHorizon ? expected.baseTimestamp : nil))
  }

  private func expectRecords(
    _ batch: borrowing RecordBatch, equal expected: BatchVector.Batch,
    _ decoder: inout RecordDecoder
  ) throws {
    var rest = expected.records[...]
    try batch.forEachRecord(&decoder) { view in
      guard let record = rest.popFirst() else {
        Issue.record("more records than \(expected.records.count)")
        return false
      }
      let place: Comment = "offset \(record.offset)"
      #expect(view.offset == record.offset, place)
      #expect(view.offsetDelta == record.offsetDelta, place)
      #expect(view.timestamp == record.timestamp, place)
      #expect(view.timestampDelta == record.timestampDelta, place)
      #expect(view.attributes == UInt8(truncatingIfNeeded: record.attributes), place)
      #expect(view.bodyBytes == record.length, place)
      #expect(view.timestampType.description == expected.attributes.timestampType, place)
      let copy = Record(copying: view)
      let (isKey, isValue) = (matches(record.key, copy.key), matches(record.value, copy.value))
      #expect(isKey, place)
      #expect(isValue, place)
      #expect(copy.headers.count == record.headers.count, place)
      for (header, wanted) in zip(copy.headers, record.headers) {
        let name = wanted.key.map { Array($0.utf8) } ?? wanted.keyB64.map { [UInt8]($0) }
        #expect(header.name == name, place)
        #expect(matches(wanted.value, header.value), place)
      }
      return true
    }
    #expect(rest.isEmpty)
    #expect(try batch.records(&decoder).count == expected.records.count)
  }

  private func matches(_ expected: BatchVector.Field?, _ found: [UInt8]?) -> Bool {
    expected?.matches(found) ?? (found == nil)
  }

  /// All is read, or a tail is left that is known to be cut off.
  private func expectEnd(
    _ batches: inout RecordBatches, of vector: BatchVector, _ byteCount: Int
  ) throws {
    #expect(batches.position == vector.goodBytes)
    guard vector.partialTailBytes != nil else {
      #expect(batches.position == byteCount)
      return
    }
    do throws(BatchError) {
      _ = try batches.next()
      Issue.record("the cut tail was taken for a batch")
    } catch {
      guard case .incomplete(let needed, let available) = error else {
        Issue.record("\(error)")
        return
      }
      #expect(needed > available)
    }
  }
}
