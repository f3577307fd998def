/// Lines that wait to be written, bounded in bytes, with a count of lost lines and their place.
///
/// A value without threads or files: `MessageWriter` holds it under its lock.
struct LineQueue {
  /// The next item to write.
  enum Item: Equatable {
    /// The first line, unchanged.
    case line([UInt8])
    /// The number of lines lost in this place.
    case note(lost: Int)
  }

  private struct Entry {
    var line: [UInt8]
    /// Lines that were lost between the previous one and this one.
    var lostBefore: Int
  }

  private let bytesMax: Int
  private var entries: [Entry] = []
  /// Index of the first entry; earlier ones were written.
  private var head = 0
  private var byteCount = 0
  /// Lines lost since the last entry was added.
  private var lostAtEnd = 0
  /// Whether the last write failed: lost lines are then reported with the next line, not before,
  /// since trying continuously would use a whole core.
  private var isFailing = false

  /// A queue of this many bytes; a larger line is accepted if it is alone.
  init(bytesMax: Int) { self.bytesMax = bytesMax }

  /// Whether nothing is left to write.
  var isEmpty: Bool { next == nil }

  /// Whether a line of `count` bytes would be accepted.
  func hasRoom(for count: Int) -> Bool {
    head == entries.count || byteCount + count <= bytesMax
  }

  /// Adds a line; without room it is lost.
  ///
  /// - Returns: How many lines were lost: 0 or 1.
  mutating func add(_ line: [UInt8]) -> Int {
    guard hasRoom(for: line.count) else {
      lostAtEnd += 1
      return 1
    }
    entries.append(Entry(line: line, lostBefore: lostAtEnd))
    lostAtEnd = 0
    byteCount += line.count
    return 0
  }

  /// The next item to write; nil if there is none.
  var next: Item? {
    guard head < entries.count else {
      return lostAtEnd > 0 && !isFailing ? .note(lost: lostAtEnd) : nil
    }
    let first = entries[head]
    return first.lostBefore > 0 ? .note(lost: first.lostBefore) : .line(first.line)
  }

  /// Records the result for the item that `next` returned.
  ///
  /// - Returns: How many lines were lost: 0 or 1.
  mutating func finish(_ item: Item, isWritten: Bool) -> Int {
    isFailing = !isWritten
    switch (item, isWritten) {
    case (.note(let lost), true):
      // A line that was added meanwhile has the count.
      if head < entries.count { entries[head].lostBefore -= lost } else { lostAtEnd -= lost }
      return 0
    case (.note, false) where head == entries.count: return 0
    case (.line, true):
      removeFirst()
      return 0
    case (.note, false), (.line, false):
      let lost = entries[head].lostBefore + 1
      removeFirst()
      if head < entries.count { entries[head].lostBefore += lost } else { lostAtEnd += lost }
      return 1
    }
  }

  private mutating func removeFirst() {
    byteCount -= entries[head].line.count
    entries[head].line = []
    head += 1
    if head == entries.count || head > 1024 {
      entries.removeFirst(head)
      head = 0
    }
  }
}
