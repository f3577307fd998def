import RecordFormat

/// Compares an offset index with the batches of its segment, given in order.
///
/// An entry is right if a batch starts at its position and its offset is the last one of that batch
/// or of a later one before the next entry's position: an append of several batches makes one
/// entry.
struct OffsetIndexCheck {
  private let entries: [OffsetIndexEntry]
  private var index = 0
  /// Whether the batch at the current entry's position was seen.
  private var isBegun = false
  private(set) var verdict = IndexVerdict()

  init(_ entries: [OffsetIndexEntry]) {
    self.entries = entries
    for (index, (last, next)) in zip(entries, entries.dropFirst()).enumerated()
    where next.offset <= last.offset || next.position <= last.position {
      verdict.reject(index + 1, "\(Self.text(next)) does not rise above \(Self.text(last))")
    }
    // Entries out of order cannot be compared in the log's order.
    if verdict.wrongCount > 0 { index = entries.count }
  }

  mutating func pass(_ header: BatchHeader, _ position: Int) {
    while index < entries.count {
      let entry = entries[index]
      if entry.position < position && !isBegun {
        reject("no batch starts there")
      } else if entry.position > position {
        return
      } else if header.lastOffset < entry.offset {
        isBegun = true
        // The next entry starts here: this one's batch should have come before.
        guard index + 1 < entries.count, entries[index + 1].position <= position else { return }
        reject("no batch with that last offset starts there")
      } else {
        if header.lastOffset > entry.offset { reject("no batch ends at that offset") }
        index += 1
        isBegun = false
      }
    }
  }

  /// Called for bytes without valid batches: entries that point into them prove nothing.
  mutating func passDamage(_ bytes: Range<Int>) {
    if isBegun { step() }
    while index < entries.count, entries[index].position < bytes.lowerBound {
      reject("no batch starts there")
    }
    while index < entries.count, bytes.contains(entries[index].position) { step() }
  }

  /// Called after the last batch; the log ends at `position`.
  mutating func finish(at position: Int) {
    while index < entries.count { reject("the log ends at position \(position)") }
  }

  private mutating func step() {
    index += 1
    isBegun = false
  }

  private mutating func reject(_ reason: String) {
    verdict.reject(index, "\(Self.text(entries[index])): \(reason)")
    step()
  }

  private static func text(_ entry: OffsetIndexEntry) -> String {
    "offset \(entry.offset) at position \(entry.position)"
  }
}
