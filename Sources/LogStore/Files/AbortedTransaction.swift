import MkstoreBytes

/// One aborted transaction, an entry of a segment's `.txnindex`.
package struct AbortedTransaction: Sendable, Hashable {
  /// Bytes of an entry.
  package static let byteCount = 34
  /// The only version there is.
  package static let version: Int16 = 0

  /// Who aborted.
  package var producerId: Int64
  /// First offset of the transaction.
  package var firstOffset: Int64
  /// Offset of the abort marker, which is in the segment that the file belongs to.
  package var lastOffset: Int64
  /// Last stable offset when the marker was appended.
  package var lastStableOffset: Int64

  /// Memberwise.
  package init(
    producerId: Int64, firstOffset: Int64, lastOffset: Int64, lastStableOffset: Int64
  ) {
    self.producerId = producerId
    self.firstOffset = firstOffset
    self.lastOffset = lastOffset
    self.lastStableOffset = lastStableOffset
  }

  /// Reads a file's content; `path` is for messages.
  ///
  /// Refuses a partial entry, another version, a transaction that ends before it starts or before
  /// `baseOffset` (the segment's; Kafka's sanity check), and entries whose ends do not rise.
  package static func decode(
    _ span: Span<UInt8>, baseOffset: Int64, path: String
  ) throws(CheckpointError) -> [AbortedTransaction] {
    guard span.count % byteCount == 0 else {
      throw .unreadable(
        path: path, line: nil, what: "\(span.count) bytes are not a whole number of entries")
    }
    var entries: [AbortedTransaction] = []
    entries.reserveCapacity(span.count / byteCount)
    for index in 0..<span.count / byteCount {
      let start = index * byteCount
      let version = span.loadBigEndian(Int16.self, at: start)
      let entry = AbortedTransaction(
        producerId: span.loadBigEndian(Int64.self, at: start + 2),
        firstOffset: span.loadBigEndian(Int64.self, at: start + 10),
        lastOffset: span.loadBigEndian(Int64.self, at: start + 18),
        lastStableOffset: span.loadBigEndian(Int64.self, at: start + 26))
      let previousLast = entries.last?.lastOffset ?? -1
      guard version == Self.version else {
        throw .unreadable(path: path, line: nil, what: "entry \(index) has version \(version)")
      }
      guard entry.lastOffset >= baseOffset, entry.lastOffset > previousLast,
        entry.firstOffset >= 0, entry.firstOffset <= entry.lastOffset
      else {
        throw .unreadable(
          path: path, line: nil,
          what: "entry \(index) names offsets \(entry.firstOffset) to \(entry.lastOffset), "
            + "after \(previousLast), in the segment at \(baseOffset)")
      }
      entries.append(entry)
    }
    return entries
  }

  /// The entry's bytes.
  package var encoded: [UInt8] {
    var bytes = [UInt8](repeating: 0, count: Self.byteCount)
    var span = bytes.mutableSpan
    span.storeBigEndian(Self.version, at: 0)
    span.storeBigEndian(producerId, at: 2)
    span.storeBigEndian(firstOffset, at: 10)
    span.storeBigEndian(lastOffset, at: 18)
    span.storeBigEndian(lastStableOffset, at: 26)
    return bytes
  }
}
