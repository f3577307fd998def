import RecordFormat

/// Which records of a log are printed, and when to stop.
struct RecordFilter {
  /// Earliest time, inclusive; nil for any.
  let from: Int64?
  /// Latest time, exclusive; nil for any.
  let to: Int64?
  /// Most records, and bytes of keys and values after which no further record is printed.
  let recordsMax: Int
  let bytesMax: Int
  /// Whether control records are printed.
  let includesControl: Bool
  /// Earlier records are not printed.
  var firstOffset: Int64 = 0

  private var records = 0
  private var bytes = 0

  init(from: Int64?, to: Int64?, recordsMax: Int, bytesMax: Int, includesControl: Bool) {
    self.from = from
    self.to = to
    self.recordsMax = recordsMax
    self.bytesMax = bytesMax
    self.includesControl = includesControl
  }

  /// Whether no more records are to be printed.
  var isDone: Bool { records >= recordsMax || bytes >= bytesMax }

  /// Whether a batch may hold a record that is printed.
  func wants(_ batch: BatchHeader) -> Bool {
    if batch.isControl, !includesControl { return false }
    // A batch's header states its largest time, but not the smallest.
    if let from, batch.maxTimestamp < from { return false }
    return true
  }

  /// Whether a record of such a batch is printed; counts it if so.
  mutating func takes(_ record: borrowing RecordView) -> Bool {
    guard record.offset >= firstOffset else { return false }
    if let from, record.timestamp < from { return false }
    if let to, record.timestamp >= to { return false }
    records += 1
    bytes += (record.key?.count ?? 0) + (record.value?.count ?? 0)
    return true
  }
}
