internal import RecordFormat

/// A reused decoder that checks ready batches before they are appended; one appender at a time.
final class BatchValidator {
  private var decoder = RecordDecoder()

  init() {}

  /// Checks a ready batch strictly, every record of it.
  ///
  /// - Parameters:
  ///   - header: The batch's, if it was decoded before.
  ///   - needsKeys: Whether a record without a key is refused.
  /// - Returns: The header, and a summary of the records.
  func check(
    _ batch: Span<UInt8>, header: BatchHeader?, maxMessageBytes: Int, needsKeys: Bool
  ) throws(LogError) -> (header: BatchHeader, records: BatchSummary) {
    do throws(BatchError) {
      let view =
        if let header { try RecordBatch(batch, header: header) } else { try RecordBatch(batch) }
      let summary = try view.validate(
        .produced(maxMessageBytes: maxMessageBytes, takesLogAppendTime: true), decoder: &decoder)
      if needsKeys, let record = summary.firstKeyless {
        throw BatchError.record(
          record, .key,
          position: view.header.codec == .none ? .stored(BatchLayout.records) : .inflated(0),
          found: -1, expected: "one in every record of a compacted topic")
      }
      return (view.header, summary)
    } catch {
      throw .invalidBatch(error)
    }
  }
}
