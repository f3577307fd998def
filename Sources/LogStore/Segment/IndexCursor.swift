internal import RecordFormat

/// Kafka's rule for when a segment's indexes get an entry, in one place: append, recovery and
/// rebuilding use it, so that all three give the same bytes.
package struct IndexCursor: Sendable, Equatable {
  /// Position of the batch that the last offset entry points to; 0 if there is none.
  var lastIndexedPosition: Int
  /// Greatest record time so far and the first batch that had it; timestamp -1 if none.
  package var largest: TimestampOffset

  /// The state of an empty segment.
  package init(baseOffset: Int64) {
    lastIndexedPosition = 0
    largest = TimestampOffset(timestamp: -1, offset: baseOffset)
  }

  package init(lastIndexedPosition: Int, largest: TimestampOffset) {
    self.lastIndexedPosition = lastIndexedPosition
    self.largest = largest
  }

  /// Whether a batch at `position` gets an entry: it begins more than `intervalBytes` after the
  /// batch of the last entry. (Kafka counts appended bytes since the last entry; the first batch
  /// gets none.)
  @inline(__always)
  func isEntryDue(at position: Int, intervalBytes: Int) -> Bool {
    position - lastIndexedPosition > intervalBytes
  }

  /// Processes a batch; returns whether it gets an entry in both indexes (in the time index only if
  /// `largest` exceeds the last entry).
  @inline(__always)
  package mutating func note(_ header: BatchHeader, at position: Int, intervalBytes: Int) -> Bool {
    if header.maxTimestamp > largest.timestamp {
      largest = TimestampOffset(timestamp: header.maxTimestamp, offset: header.lastOffset)
    }
    guard isEntryDue(at: position, intervalBytes: intervalBytes) else { return false }
    lastIndexedPosition = position
    return true
  }
}
