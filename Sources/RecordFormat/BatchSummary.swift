/// What validating a batch found about its records.
///
/// ```swift
/// let summary = try batch.validate(.stored, decoder: &decoder)
/// print("\(summary.recordCount) records, largest time \(summary.maxTimestamp)")
/// ```
public struct BatchSummary: Sendable, Equatable {
  /// Records present; also for a compressed set of the old formats.
  public internal(set) var recordCount = 0
  /// Bytes of the inflated records, or of the stored ones if they are not compressed.
  public internal(set) var recordBytes = 0
  /// Offset of the first record; nil if there is none.
  public internal(set) var firstOffset: Int64?
  /// The largest timestamp among the records, LogAppendTime resolved; −1 if there is no record.
  public internal(set) var maxTimestamp: Int64 = -1
  /// The smallest timestamp among the records that have one (not −1); nil if none has.
  public internal(set) var minTimestamp: Int64?
  /// Offset of the first record that has `maxTimestamp`; nil if there is none.
  public internal(set) var offsetOfMaxTimestamp: Int64?
  /// Number of the first record without a key, from 0; nil if each has one.
  public internal(set) var firstKeyless: Int?
  /// Oddities of the batch.
  public internal(set) var findings: BatchFindings = []

  /// Adds the next record.
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
