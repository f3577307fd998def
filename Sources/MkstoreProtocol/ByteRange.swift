/// Where a run of bytes lies in a buffer that somebody else holds.
///
/// Records are never copied by this package. Decoding says where they lie in the frame; encoding
/// leaves a gap of `count` bytes and hands `offset` back untouched, so that the caller may number
/// its buffers or file regions with it.
public struct ByteRange: Sendable, Hashable {
  /// The position of the first byte; for encoding, whatever the caller finds its bytes by.
  public var offset: Int

  /// The number of bytes.
  public var count: Int

  /// Takes both numbers; `count` must not be negative.
  public init(offset: Int, count: Int) {
    precondition(count >= 0, "byte count \(count) is negative")
    self.offset = offset
    self.count = count
  }

  /// The same bytes as a range of positions.
  public var range: Range<Int> { offset..<(offset + count) }
}
