/// The position of bytes in a buffer that other code owns.
///
/// This package never copies records. Decoding gives their position in the frame. Encoding leaves a
/// gap of `count` bytes and returns `offset` unchanged, so that the caller may use it to number its
/// buffers or file regions.
public struct ByteRange: Sendable, Hashable {
  /// The position of the first byte; for encoding, any number by which the caller finds the bytes.
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
