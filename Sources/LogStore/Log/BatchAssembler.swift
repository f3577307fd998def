package import RecordFormat

/// A reused builder of batches: the memory and codec context of one appender at a time.
package final class BatchAssembler {
  package var builder: RecordBatchBuilder

  package init(compression: Compression, maxMessageBytes: Int) {
    // What is compressed may be larger before; the size as stored is checked when it is written.
    builder = RecordBatchBuilder(
      compression: compression,
      batchBytes: compression == .none ? maxMessageBytes : RecordBatchBuilder.recordBytesMax)
  }

  /// Fills the builder with `records`, which are to be one batch.
  package func fill(_ records: [Record], nowMs: Int64) throws(LogError) {
    builder.reset()
    do throws(BatchError) {
      for record in records {
        let isAdded = try builder.append(
          timestamp: record.timestamp < 0 ? nowMs : record.timestamp, key: record.key?.span,
          value: record.value?.span, headers: record.headers)
        guard isAdded else {
          throw .tooLarge(byteCount: builder.byteCount, limit: builder.batchBytes)
        }
      }
    } catch {
      if case .tooLarge(let bytes, let limit) = error {
        throw .recordTooLarge(bytes: bytes, limit: limit)
      }
      throw .invalidBatch(error)
    }
  }
}
