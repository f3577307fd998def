internal import DiskIO
internal import Glibc

/// Memory for one group, aligned for writes past the page cache. Owned by one thread at a time.
@safe
final class JournalBuffer {
  /// Valid for `byteCount` bytes as long as this object lives.
  private let base: UnsafeMutableRawPointer
  let byteCount: Int

  init(_ byteCount: Int) {
    self.byteCount = JournalLayout.blocks(byteCount)
    guard let memory = unsafe aligned_alloc(JournalLayout.blockBytes, self.byteCount) else {
      preconditionFailure("no memory for \(byteCount) bytes")
    }
    // Safe: so many bytes were just allocated.
    unsafe memset(memory, 0, self.byteCount)
    unsafe base = unsafe memory
  }

  deinit {
    // Safe: allocated by the initializer, and freed only here.
    unsafe free(base)
  }

  /// Fills the bytes of a range.
  func fill<Failure: Error>(
    _ range: Range<Int>, _ body: (inout MutableSpan<UInt8>) throws(Failure) -> Void
  ) throws(Failure) {
    precondition(range.lowerBound >= 0 && range.upperBound <= byteCount, "bytes outside a buffer")
    // Safe: the range was checked, the bytes are initialized, and the span ends with the call.
    let bytes = unsafe UnsafeMutableRawBufferPointer(
      start: base + range.lowerBound, count: range.count)
    var span = unsafe MutableSpan<UInt8>(_unsafeBytes: bytes)
    try body(&span)
  }

  /// Writes the first bytes to a file.
  func write(_ count: Int, to file: any DiskFile, at position: Int) throws(DiskError) {
    precondition(count >= 0 && count <= byteCount, "bytes outside a buffer")
    // Safe: as above; nothing else uses the buffer during the call.
    let bytes = unsafe UnsafeRawBufferPointer(start: base, count: count)
    try file.write(unsafe Span<UInt8>(_unsafeBytes: bytes), at: position)
  }
}
