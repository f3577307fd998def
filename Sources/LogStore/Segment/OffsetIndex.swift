internal import DiskIO
internal import Synchronization

/// An offset and the position of its batch's first byte in its segment.
package struct OffsetPosition: Sendable, Equatable {
  package var offset: Int64
  package var position: Int

  package init(offset: Int64, position: Int) {
    self.offset = offset
    self.position = position
  }
}

extension Int64 {
  /// The offset for a number relative to this base in an index; the largest possible one if a file
  /// claims more.
  func adding(relativeOffset: UInt32) -> Int64 {
    let (offset, overflow) = addingReportingOverflow(Int64(relativeOffset))
    return overflow ? Int64.max : offset
  }
}

/// Sparse map from offsets to positions of one segment: the `.index` file.
///
/// An entry is (last offset of an appended batch, position of its first byte), both strictly rising
/// (I6). It is derived from the log and never evidence about it (I9): callers check an entry
/// against the batch it points to. Appended to under the writer lock; read by any thread.
package final class OffsetIndex: Sendable {
  /// int32 relative offset, int32 position (docs/format.md).
  package static let entryBytes = 8

  /// Offset that entries are relative to.
  package let baseOffset: Int64
  package let file: IndexFile
  /// The last entry that this object appended, as stored; 0 before the first. Used by the writer
  /// only. Entries that the file held before are no evidence (I9).
  private let lastAppended = Atomic<UInt64>(0)

  package init(baseOffset: Int64, file: IndexFile) {
    self.baseOffset = baseOffset
    self.file = file
  }

  /// Number of entries published.
  package var count: Int { file.count }

  /// Whether no further entry fits.
  package var isFull: Bool { !file.hasRoom() }

  /// Entry `index`, which must be below `count`.
  func entry(_ index: Int) throws(DiskError) -> OffsetPosition {
    precondition(index < count, "I6: \(file.path): entry \(index) of \(count)")
    let word = try file.load(UInt64.self, entry: index, at: 0)
    return OffsetPosition(
      offset: baseOffset.adding(relativeOffset: UInt32(word >> 32)),
      position: Int(word & 0xffff_ffff))
  }

  /// Finds where to start reading for `target`.
  ///
  /// - Returns: The greatest entry with `offset <= target`; nil when there is none (start at 0).
  /// - Throws: If the file cannot be read.
  /// - Complexity: O(log entries); no system call if the index is mapped. Safe on any thread.
  /// - Note: Same contract as Kafka's `OffsetIndex.lookup`.
  func lookup(_ target: Int64) throws(DiskError) -> OffsetPosition? {
    let above = try firstIndex(above: target, count)
    return above == 0 ? nil : try entry(above - 1)
  }

  /// The entries around an offset.
  struct Bracket: Sendable, Equatable {
    /// The greatest entry with an offset below the target.
    var below: OffsetPosition?
    /// The first entry with the target's offset or a greater one, and the one after it.
    var above: OffsetPosition
    var next: OffsetPosition?
  }

  /// The entries around `target`; nil if none is at or above it.
  ///
  /// - Throws: As `lookup`.
  /// - Complexity: As `lookup`.
  func bracket(_ target: Int64) throws(DiskError) -> Bracket? {
    let count = count
    let above = try firstIndex(above: target - 1, count)
    guard above < count else { return nil }
    return Bracket(
      below: above == 0 ? nil : try entry(above - 1), above: try entry(above),
      next: above + 1 < count ? try entry(above + 1) : nil)
  }

  /// Index of the first of `count` entries with `offset > target`; `count` if there is none.
  private func firstIndex(above target: Int64, _ count: Int) throws(DiskError) -> Int {
    guard target >= baseOffset else { return 0 }
    let relative = UInt64(target - baseOffset)
    var low = 0
    var high = count
    while low < high {
      let middle = (low + high) / 2
      if try file.load(UInt64.self, entry: middle, at: 0) >> 32 <= relative {
        low = middle + 1
      } else {
        high = middle
      }
    }
    return low
  }

  /// The greatest entry with `position` at or below the given one: a boundary between batches.
  ///
  /// - Throws: As `lookup`.
  func lastEntry(atOrBelow position: Int) throws(DiskError) -> OffsetPosition? {
    var low = 0
    var high = count
    while low < high {
      let middle = (low + high) / 2
      if try entry(middle).position <= position { low = middle + 1 } else { high = middle }
    }
    return low == 0 ? nil : try entry(low - 1)
  }

  /// Appends an entry; offset and position must exceed the last entry's. Call `file.reserve`
  /// before. Writer only.
  ///
  /// - Throws: If the file cannot be written; the entry is then not there.
  func append(offset: Int64, position: Int) throws(DiskError) {
    let relative = UInt64(offset - baseOffset)
    precondition(
      relative <= UInt64(Int32.max) && position <= Int(UInt32.max),
      "I6: an entry for offset \(offset) at \(position) in segment \(baseOffset)")
    let entry = relative << 32 | UInt64(position)
    let last = lastAppended.load(ordering: .relaxed)
    precondition(
      last == 0 || last >> 32 < relative && last & 0xffff_ffff < UInt64(position),
      "I6: entry (\(offset), \(position)) of segment \(baseOffset) after "
        + "(\(baseOffset + Int64(last >> 32)), \(last & 0xffff_ffff))")
    try file.append(entry)
    lastAppended.store(entry, ordering: .relaxed)
  }
}
