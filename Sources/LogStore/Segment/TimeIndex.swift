internal import DiskIO

/// A timestamp and the offset that first reached it.
package struct TimestampOffset: Sendable, Equatable {
  /// Milliseconds since 1970 UTC; -1 where no record has a time.
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

  package init(baseOffset: Int64, file: IndexFile) {
    self.baseOffset = baseOffset
    self.file = file
  }

  /// Number of entries published.
  package var count: Int { file.count }

  /// Whether only the slot kept for the final entry is left, as in Kafka.
  package var isFull: Bool { !file.hasRoom(reserving: 1) }

  /// Entry `index`, which must be below `count`; within `file.look`.
  package func entry(_ index: Int) -> TimestampOffset {
    TimestampOffset(
      timestamp: file.load(Int64.self, entry: index, at: 0),
      offset: baseOffset.adding(relativeOffset: file.load(UInt32.self, entry: index, at: 8)))
  }

  /// The last entry, where there is one.
  package var last: TimestampOffset? {
    file.look {
      let count = count
      return count == 0 ? nil : entry(count - 1)
    }
  }

  /// The greatest entry with `timestamp < target`: every record up to its offset is older than
  /// `target`.
  package func lookup(before target: Int64) -> TimestampOffset? {
    file.look {
      var low = 0
      var high = count
      while low < high {
        let middle = (low + high) / 2
        if file.load(Int64.self, entry: middle, at: 0) < target {
          low = middle + 1
        } else {
          high = middle
        }
      }
      return low == 0 ? nil : entry(low - 1)
    }
  }

  /// Appends an entry if its timestamp exceeds the last one's. Writer only; `file.reserve` came
  /// before.
  package func appendIfLarger(_ entry: TimestampOffset) {
    if let last, entry.timestamp <= last.timestamp { return }
    if last == nil, entry.timestamp < 0 { return }
    let relative = UInt32(truncatingIfNeeded: entry.offset - baseOffset)
    file.append { region, byte in
      region.store(bigEndian: entry.timestamp, at: byte)
      region.store(bigEndian: relative, at: byte + 8)
    }
  }
}
