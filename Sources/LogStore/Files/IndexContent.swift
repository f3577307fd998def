/// An index file's content as plain bytes: for verify and dump, never for look-ups.
package struct IndexContent<Entry: IndexFileEntry>: Sendable {
  /// The entries before the unused, zero-filled rest.
  package var entries: [Entry]
  /// Bytes of zeros after them, up to the file's end: it was preallocated and never trimmed.
  package var zeroTailBytes: Int
  /// Bytes at the end, not all of them zero, that are no whole entry.
  package var strayBytes: Int

  /// Reads a file's content without checking it.
  package init(_ span: Span<UInt8>, baseOffset: Int64) {
    let whole = span.count / Entry.byteCount
    var used = whole * Entry.byteCount
    while used > 0, span[used - 1] == 0 { used -= 1 }
    // Zeros at the end of the last used entry belong to it.
    let count = (used + Entry.byteCount - 1) / Entry.byteCount
    entries = []
    entries.reserveCapacity(count)
    for index in 0..<count {
      entries.append(Entry(span, at: index * Entry.byteCount, baseOffset: baseOffset))
    }
    zeroTailBytes = (whole - count) * Entry.byteCount
    let rest = whole * Entry.byteCount..<span.count
    strayBytes = rest.contains { span[$0] != 0 } ? rest.count : 0
    if strayBytes == 0 { zeroTailBytes += rest.count }
  }
}

/// An entry of fixed size of an index file.
package protocol IndexFileEntry: Sendable, Hashable {
  /// Bytes of an entry.
  static var byteCount: Int { get }
  /// Reads the entry that starts at a position of the file's bytes.
  init(_ span: Span<UInt8>, at start: Int, baseOffset: Int64)
}

extension IndexFileEntry {
  /// The absolute offset; the largest possible one if a file claims more.
  static func offset(_ baseOffset: Int64, _ relative: Int32) -> Int64 {
    let (offset, overflow) = baseOffset.addingReportingOverflow(Int64(relative))
    return overflow ? Int64.max : offset
  }
}
