internal import RecordFormat

/// A reused builder of batches: the memory and codec context of one appender at a time.
final class BatchAssembler {
  var builder: RecordBatchBuilder

  init(compression: Compression, maxMessageBytes: Int) {
    // Compressed batches may be larger before; the size as stored is checked when it is written.
    builder = RecordBatchBuilder(
      compression: compression,
      batchBytes: compression == .none ? maxMessageBytes : RecordBatchBuilder.recordBytesMax)
  }

  /// Fills the builder with `records`, which become one batch.
  func fill(_ records: [NewRecord], nowMs: Int64) throws(LogError) {
    builder.reset()
    do throws(BatchError) {
      for record in records {
        // -1 is Kafka's word for no time.
        let given = record.time?.millisecondsSince1970 ?? -1
        let timestamp = given == -1 ? nowMs : given
        let isAdded = try builder.append(
          timestamp: timestamp, key: record.key?.span, value: record.value?.span,
          headers: record.headers)
        guard isAdded else { throw refusal(of: timestamp) }
      }
    } catch {
      if case .tooLarge(let bytes, let limit) = error {
        throw .recordTooLarge(bytes: bytes, limit: limit)
      }
      throw .invalidBatch(error)
    }
  }

  /// Why the builder did not accept a record with this time.
  private func refusal(of timestamp: Int64) -> BatchError {
    guard timestamp.subtractingReportingOverflow(builder.baseTimestamp).overflow else {
      return .tooLarge(byteCount: builder.byteCount, limit: builder.batchBytes)
    }
    return .header(
      .baseTimestamp, position: BatchLayout.baseTimestamp, found: builder.baseTimestamp,
      expected: "one whose distance to each record's time fits 64 bits (\(timestamp) is too far); "
        + "append the records in two batches")
  }
}
