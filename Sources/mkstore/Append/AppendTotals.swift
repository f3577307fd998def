import LogStore
import RecordFormat

/// The result of an append so far; everything counted here was acknowledged.
struct AppendTotals: Equatable {
  var records: Int64 = 0
  var batches = 0
  /// Offset of the first record and of the last.
  var baseOffset: Int64?
  var lastOffset: Int64?
  /// Bytes of the batches before compression, and as stored.
  var plainBytes = 0
  var storedBytes = 0

  /// Counts an acknowledged batch.
  mutating func add(_ batch: WrittenBatch) {
    records += batch.lastOffset - batch.baseOffset + 1
    batches += 1
    baseOffset = baseOffset ?? batch.baseOffset
    lastOffset = batch.lastOffset
    plainBytes += batch.plainBytes
    storedBytes += batch.storedBytes
  }
}

/// A batch in the log.
struct WrittenBatch: Equatable {
  var baseOffset: Int64
  var lastOffset: Int64
  var plainBytes: Int
  var storedBytes: Int
}
