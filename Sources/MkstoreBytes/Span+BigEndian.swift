extension Span where Element == UInt8 {
  /// The big-endian integer at `offset`, which needs no alignment.
  ///
  /// Traps outside the span: bounds are checked here so that no caller has to.
  @inlinable
  public func loadBigEndian<T: FixedWidthInteger & BitwiseCopyable>(
    _ type: T.Type, at offset: Int
  ) -> T {
    precondition(
      offset >= 0 && offset <= count - MemoryLayout<T>.size, "load outside of a span")
    // Safe: range checked above; loadUnaligned has no alignment demand; the span outlives the call.
    return T(
      bigEndian: unsafe withUnsafeBytes {
        unsafe $0.loadUnaligned(fromByteOffset: offset, as: T.self)
      })
  }
}
