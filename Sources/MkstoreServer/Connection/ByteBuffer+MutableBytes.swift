internal import NIOCore

extension ByteBuffer {
  /// Runs `body` with some of the readable bytes, for changes in place.
  ///
  /// NIO 2.101 has only the raw form of this: `mutableReadableBytesUInt8Span` does not compile yet
  /// (swiftlang/swift#81218). Copies the bytes first if another buffer shares them.
  ///
  /// - Parameter range: Positions counted from the first readable byte.
  mutating func withMutableBytes<Result, Failure: Error>(
    _ range: Range<Int>, _ body: (inout MutableSpan<UInt8>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    precondition(
      range.lowerBound >= 0 && range.upperBound <= readableBytes,
      "bytes \(range) of \(readableBytes)")
    return try unsafe withUnsafeMutableReadableBytes { (bytes) throws(Failure) -> Result in
      // Safe: the range was checked; the memory is initialized and exclusively ours until this
      // returns, and a span cannot outlive the closure.
      var span = unsafe MutableSpan<UInt8>(
        _unsafeBytes: UnsafeMutableRawBufferPointer(rebasing: bytes[range]))
      return try body(&span)
    }
  }
}
