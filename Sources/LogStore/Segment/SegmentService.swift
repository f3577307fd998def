internal import Synchronization

/// Whether the bytes of a segment may still be returned to readers: until some time after its files
/// were unlinked, so that no reader keeps a deleted file for ever. Any thread.
package final class SegmentService: Sendable {
  private let ended = Atomic<Bool>(false)
  private let log = Locked<(startOffset: Int64, endOffset: Int64)>((0, 0))

  package init() {}

  /// Ends it.
  ///
  /// - Parameters:
  ///   - startOffset: The log's current start.
  ///   - endOffset: The log's current end, as far as is known.
  func end(logStartOffset startOffset: Int64, endOffset: Int64) {
    log.withLock { $0 = (startOffset, endOffset) }
    ended.store(true, ordering: .releasing)
  }

  /// Throws `.offsetOutOfRange` if it has ended.
  @inline(__always)
  func check(_ offset: Int64) throws(LogError) {
    guard ended.load(ordering: .acquiring) else { return }
    let (start, end) = log.withLock { $0 }
    throw .offsetOutOfRange(offset: offset, logStartOffset: start, logEndOffset: end)
  }
}
