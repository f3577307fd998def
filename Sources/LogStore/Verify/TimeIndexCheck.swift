import RecordFormat

/// Compares a time index with the batches of its segment, given in order.
///
/// An entry is right if its offset is in a batch whose largest timestamp is the entry's and is
/// larger than every earlier one: no earlier record is then as late, on which look-ups rely.
struct TimeIndexCheck {
  private let entries: [TimeIndexEntry]
  private var index = 0
  /// Largest timestamp so far; before the first batch, less than any.
  private var largest = Int64.min
  /// Whether bytes were skipped whose timestamps are unknown.
  private var isAfterDamage = false
  /// Offset after the last batch seen.
  private var nextOffset: Int64 = 0
  private(set) var verdict = IndexVerdict()

  init(_ entries: [TimeIndexEntry], baseOffset: Int64) {
    self.entries = entries
    nextOffset = baseOffset
    for (index, (last, next)) in zip(entries, entries.dropFirst()).enumerated()
    where next.timestamp <= last.timestamp || next.offset < last.offset {
      verdict.reject(index + 1, "\(Self.text(next)) does not rise above \(Self.text(last))")
    }
    if verdict.wrongCount > 0 { index = entries.count }
  }

  /// Largest timestamp of all batches seen.
  var largestTimestamp: Int64? { largest == Int64.min ? nil : largest }

  mutating func pass(_ header: BatchHeader) {
    while index < entries.count, entries[index].offset <= header.lastOffset {
      judge(entries[index], header)
      index += 1
    }
    largest = max(largest, header.maxTimestamp)
    nextOffset = header.nextOffset
  }

  /// Called for bytes without valid batches up to the offset `next`: entries in them prove nothing.
  mutating func passDamage(before next: Int64) {
    while index < entries.count, entries[index].offset < next { index += 1 }
    isAfterDamage = true
    nextOffset = max(nextOffset, next)
  }

  /// Called after the last batch.
  mutating func finish() {
    while index < entries.count {
      reject(index, "the log ends before offset \(nextOffset)")
      index += 1
    }
  }

  private mutating func judge(_ entry: TimeIndexEntry, _ header: BatchHeader) {
    // Wrappers of the old formats state only their last offset.
    let firstOffset = header.isLegacy ? nextOffset : header.baseOffset
    if entry.offset < firstOffset {
      if !isAfterDamage { reject(index, "no batch holds that offset") }
    } else if entry.timestamp != header.maxTimestamp {
      reject(index, "that batch's largest timestamp is \(header.maxTimestamp)")
    } else if largest >= entry.timestamp {
      reject(index, "an earlier batch has timestamp \(largest)")
    }
  }

  private mutating func reject(_ index: Int, _ reason: String) {
    verdict.reject(index, "\(Self.text(entries[index])): \(reason)")
  }

  private static func text(_ entry: TimeIndexEntry) -> String {
    "timestamp \(entry.timestamp) at offset \(entry.offset)"
  }
}
