import Foundation
import RecordFormat
import Testing

/// Damaged batches; each JSON file says what must become of them.
@Suite struct InvalidVectorTests {
  static let vectors = SharedVectors.batchVectors("invalid").map(\.path)

  /// Well-formed sets of the old formats, which the vectors let an engine refuse: ours reads them.
  private static let readHere = ["legacy-magic-0", "legacy-magic-1"]

  @Test func thereAreVectors() {
    #expect(InvalidVectorTests.vectors.count >= 100)
  }

  @Test(arguments: vectors)
  func isTreatedAsExpected(path: String) throws {
    let url = URL(fileURLWithPath: path)
    let vector = try BatchVector(url)
    let bytes = try SharedVectors.bytes(url)
    let expect = try #require(vector.expect)
    let readError = readAll(bytes)
    switch expect.decode {
    case "reject" where InvalidVectorTests.readHere.contains(vector.kind):
      #expect(readError == nil)
    case "reject":
      let error = try #require(readError, "it was read")
      #expect(!error.description.isEmpty)
    case "accept": #expect(readError == nil)
    default: break
    }
    let produceError = produce(bytes)
    if expect.produce == "reject" { #expect(produceError != nil) }

    if expect.decode == "reject", let good = expect.wholeGoodBatchesFirst,
      !InvalidVectorTests.readHere.contains(vector.kind)
    {
      let found = soundEntries(bytes)
      #expect(found.count == good)
      #expect(found.byteCount == expect.goodBytes)
    }
  }

  /// Reads everything as one row of exact batches; nil where all is well.
  private func readAll(_ bytes: [UInt8]) -> BatchError? {
    var decoder = RecordDecoder()
    var batches = RecordBatches(bytes.span)
    do throws(BatchError) {
      if bytes.isEmpty { _ = try RecordBatch(bytes.span) }
      while let batch = try batches.next() { try batch.validate(.stored, decoder: &decoder) }
      return nil
    } catch {
      return error
    }
  }

  private func produce(_ bytes: [UInt8]) -> BatchError? {
    var decoder = RecordDecoder(tolerance: .kafka)
    do throws(BatchError) {
      try RecordBatch(bytes.span).validate(
        .produced(maxMessageBytes: 8 << 20), decoder: &decoder)
      return nil
    } catch {
      return error
    }
  }

  /// Entries from the start that are sound each by itself.
  private func soundEntries(_ bytes: [UInt8]) -> (count: Int, byteCount: Int) {
    var decoder = RecordDecoder()
    var count = 0
    var position = 0
    do throws(BatchError) {
      while position < bytes.count {
        let rest = bytes.span.extracting(position...)
        let size = try BatchHeader(rest).byteCount
        guard size <= rest.count else { break }
        try RecordBatch(rest.extracting(..<size)).validate(.stored, decoder: &decoder)
        count += 1
        position += size
      }
    } catch {}
    return (count, position)
  }
}
