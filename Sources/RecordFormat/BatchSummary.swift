/// What validating a batch learnt about its records.
public struct BatchSummary: Sendable, Equatable {
  /// Records present; for a compressed set of the old formats too.
  public internal(set) var recordCount = 0
  /// Bytes of the records as inflated, or as stored where they are not compressed.
  public internal(set) var recordBytes = 0
  /// Offset of the first record; nil where there is none.
  public internal(set) var firstOffset: Int64?
  /// The largest timestamp among the records, LogAppendTime resolved; −1 where there is no record.
  public internal(set) var maxTimestamp: Int64 = -1
  /// The smallest timestamp among the records that have one (not −1); nil where none has.
  public internal(set) var minTimestamp: Int64?
  /// Offset of the first record that has `maxTimestamp`; nil where there is none.
  public internal(set) var offsetOfMaxTimestamp: Int64?
  /// Number of the first record without a key, from 0; nil where each has one.
  public internal(set) var firstKeyless: Int?
  /// What is odd about the batch.
  public internal(set) var findings: BatchFindings = []

  /// Takes the next record into account.
  mutating func add(offset: Int64, timestamp: Int64, hasKey: Bool) {
    if !hasKey, firstKeyless == nil { firstKeyless = recordCount }
    recordCount += 1
    if firstOffset == nil { firstOffset = offset }
    if timestamp != -1 { minTimestamp = min(minTimestamp ?? timestamp, timestamp) }
    if offsetOfMaxTimestamp == nil || timestamp > maxTimestamp {
      maxTimestamp = timestamp
      offsetOfMaxTimestamp = offset
    }
  }
}
