extension Array where Element == UInt8 {
  /// Copies all bytes of `span`.
  public init(copying span: Span<UInt8>) {
    // Safe: the buffer is the span's own and is only read here.
    self = unsafe span.withUnsafeBytes { unsafe [UInt8]($0) }
  }
}
