internal import MkstoreBytes
internal import RecordFormat

/// Collects the index entries of batches during a walk, by the rule of `IndexCursor`.
struct IndexAccumulator: Sendable {
  let baseOffset: Int64
  let intervalBytes: Int
  private(set) var cursor: IndexCursor
  /// Encoded entries collected so far.
  private(set) var offsetEntries: [UInt8] = []
  private(set) var timeEntries: [UInt8] = []
  private var lastTimestamp: Int64
  private let lastOffset: Int64

  /// - Parameters:
  ///   - cursor: State before the first batch that will be noted.
  ///   - lastTimestamp: Timestamp of the last time entry that is kept; -1 if none is.
  ///   - lastOffset: Offset of the last offset entry that is kept; -1 if none is.
  init(
    baseOffset: Int64, intervalBytes: Int, cursor: IndexCursor? = nil, lastTimestamp: Int64 = -1,
    lastOffset: Int64 = -1
  ) {
    self.baseOffset = baseOffset
    self.intervalBytes = intervalBytes
    self.cursor = cursor ?? IndexCursor(baseOffset: baseOffset)
    self.lastTimestamp = lastTimestamp
    self.lastOffset = lastOffset
  }

  /// Notes a batch, in order of position.
  mutating func note(_ header: BatchHeader, at position: Int) {
    guard cursor.note(header, at: position, intervalBytes: intervalBytes),
      header.lastOffset - baseOffset <= Int64(Int32.max), header.lastOffset > lastOffset
    else { return }
    offsetEntries.appendBigEndian(UInt32(truncatingIfNeeded: header.lastOffset - baseOffset))
    offsetEntries.appendBigEndian(UInt32(truncatingIfNeeded: position))
    noteTime()
  }

  /// Adds the final time entry, as when a segment is sealed.
  mutating func seal() { noteTime() }

  private mutating func noteTime() {
    guard cursor.largest.timestamp > lastTimestamp,
      cursor.largest.offset - baseOffset <= Int64(Int32.max)
    else { return }
    lastTimestamp = cursor.largest.timestamp
    timeEntries.appendBigEndian(cursor.largest.timestamp)
    timeEntries.appendBigEndian(
      UInt32(truncatingIfNeeded: cursor.largest.offset - baseOffset))
  }
}

extension [UInt8] {
  mutating func appendBigEndian<T: FixedWidthInteger & BitwiseCopyable>(_ value: T) {
    for byte in stride(from: T.bitWidth - 8, through: 0, by: -8) {
      append(UInt8(truncatingIfNeeded: value >> T(byte)))
    }
  }
}
