extension MutableSpan where Element == UInt8 {
  /// The big-endian integer at `offset`, which needs no alignment. Traps outside the span.
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

  /// Stores `value` at `offset`, big-endian; no alignment is needed. Traps outside the span.
  @inlinable
  public mutating func storeBigEndian<T: FixedWidthInteger & BitwiseCopyable>(
    _ value: T, at offset: Int
  ) {
    precondition(
      offset >= 0 && offset <= count - MemoryLayout<T>.size, "store outside of a span")
    // Safe: range checked above; storeBytes has no alignment demand; the span outlives the call.
    unsafe withUnsafeMutableBytes {
      unsafe $0.storeBytes(of: value.bigEndian, toByteOffset: offset, as: T.self)
    }
  }

  /// Copies all of `source` to `offset`. Traps if it does not fit.
  @inlinable
  public mutating func copy(_ source: Span<UInt8>, at offset: Int) {
    precondition(
      offset >= 0 && source.count <= count && offset <= count - source.count,
      "copy outside of a span")
    guard !source.isEmpty else { return }
    // Safe: both ranges are `source.count` bytes, checked above. They cannot overlap, because a
    // MutableSpan is the only way to its bytes while it lives.
    unsafe withUnsafeMutableBytes { target in
      unsafe source.withUnsafeBytes {
        unsafe UnsafeMutableRawBufferPointer(rebasing: target[offset...]).copyMemory(from: $0)
      }
    }
  }
}
