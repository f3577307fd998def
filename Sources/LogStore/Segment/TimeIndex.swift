internal import DiskIO
internal import Synchronization

/// A timestamp and the first offset that reached it.
package struct TimestampOffset: Sendable, Equatable {
  /// Milliseconds since 1970 UTC; -1 if no record has a time.
  package var timestamp: Int64
  package var offset: Int64

  package init(timestamp: Int64, offset: Int64) {
    self.timestamp = timestamp
    self.offset = offset
  }
}

/// Sparse map from timestamps to offsets of one segment: the `.timeindex` file.
///
/// An entry (t, o) says that no record of the segment at or before offset o has a time above t, and
/// that the batch ending at o was the first to reach it. Timestamps rise strictly. Appended to
/// under the writer lock; read by any thread.
package final class TimeIndex: Sendable {
  /// int64 timestamp, int32 relative offset (docs/format.md).
  package static let entryBytes = 12

  /// Offset that entries are relative to.
  package let baseOffset: Int64
  package let file: IndexFile
  /// Timestamp of the last entry as the writer knows it, so that appending reads nothing; -1 if
  /// there is no entry, `unknown` before the first use. Used by the writer only.
  private let lastTimestamp = Atomic<Int64>(unknown)
  private static let unknown = Int64.min

  package init(baseOffset: Int64, file: IndexFile) {
    self.baseOffset = baseOffset
    self.file = file
  }

  /// Number of entries published.
  package var count: Int { file.count }

  /// Whether only the slot reserved for the final entry is left, as in Kafka.
  package var isFull: Bool { !file.hasRoom(reserving: 1) }

  /// Entry `index`, which must be below `count`.
  func entry(_ index: Int) throws(DiskError) -> TimestampOffset {
    TimestampOffset(
      timestamp: try file.load(Int64.self, entry: index, at: 0),
      offset: baseOffset.adding(
        relativeOffset: try file.load(UInt32.self, entry: index, at: 8)))
  }

  /// The last entry, if there is one.
  ///
  /// - Throws: If the file cannot be read.
  func last() throws(DiskError) -> TimestampOffset? {
    let count = count
    return count == 0 ? nil : try entry(count - 1)
  }

  /// The greatest entry with `timestamp < target`: every record up to its offset is older than
  /// `target`.
  ///
  /// - Throws: If the file cannot be read.
  func lookup(before target: Int64) throws(DiskError) -> TimestampOffset? {
    var low = 0
    var high = count
    while low < high {
      let middle = (low + high) / 2
      if try file.load(Int64.self, entry: middle, at: 0) < target {
        low = middle + 1
      } else {
        high = middle
      }
    }
    return low == 0 ? nil : try entry(low - 1)
  }

  /// Appends an entry if its timestamp exceeds the last one's. Writer only; call `file.reserve`
  /// before.
  ///
  /// - Throws: If the file cannot be read or written; the entry is then not there.
  func appendIfLarger(_ entry: TimestampOffset) throws(DiskError) {
    var last = lastTimestamp.load(ordering: .relaxed)
    if last == Self.unknown { last = try self.last()?.timestamp ?? -1 }
    // A broker's segment may have more offsets than an index can address.
    guard entry.timestamp > last, entry.offset - baseOffset <= Int64(Int32.max) else { return }
    let relative = UInt32(truncatingIfNeeded: entry.offset - baseOffset)
    try file.append(UInt64(bitPattern: entry.timestamp), relative)
    lastTimestamp.store(entry.timestamp, ordering: .relaxed)
  }
}
