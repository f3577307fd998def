import CMkstoreZlib

/// Reads consecutive gzip members as one stream. Needs about 40 KiB.
@safe
struct GzipInflater: ~Copyable {
  /// Allocated and prepared at the first use: zlib's state refers back to this address. Freed in
  /// `deinit`.
  private var prepared: UnsafeMutablePointer<z_stream>?

  /// 15 bits of window, and a gzip wrapper only.
  private static let windowBits: Int32 = 15 + 16

  init() { unsafe prepared = nil }

  deinit {
    guard let stream = unsafe prepared else { return }
    // Safe: made in `begin`, and no other code has the address.
    unsafe inflateEnd(stream)
    unsafe stream.deallocate()
  }

  /// Prepares for the first member, or for the next.
  mutating func begin() {
    if let stream = unsafe prepared {
      // Safe: prepared below at an earlier call.
      unsafe inflateReset(stream)
      return
    }
    let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
    unsafe stream.initialize(to: z_stream())
    let result = unsafe inflateInit2_(
      stream, GzipInflater.windowBits, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
    precondition(result == Z_OK, "zlib cannot start: \(result)")
    unsafe prepared = stream
  }

  /// Inflates from `position` of `input` into `output` until one of them is used up.
  ///
  /// `.end` is the end of one member; `position` is then just after it.
  func step(
    _ input: Span<UInt8>, _ position: inout Int, _ output: inout MutableSpan<UInt8>
  ) throws(BatchError) -> InflateStep {
    guard let stream = unsafe prepared else { preconditionFailure("a step before begin") }
    let available = min(input.count - position, Int(UInt32.max))
    let room = min(output.count, Int(UInt32.max))
    let rest = input.extracting(position..<position + available)
    // Safe: zlib reads at most avail_in and writes at most avail_out bytes; both addresses are only
    // used during this call and replaced before the next one. It does not write to its input,
    // although its type allows that.
    let result = unsafe rest.withUnsafeBytes { source in
      unsafe output.withUnsafeMutableBytes { target in
        unsafe stream.pointee.next_in = UnsafeMutablePointer(
          mutating: source.baseAddress?.assumingMemoryBound(to: UInt8.self))
        unsafe stream.pointee.avail_in = UInt32(available)
        unsafe stream.pointee.next_out = target.baseAddress?.assumingMemoryBound(to: UInt8.self)
        unsafe stream.pointee.avail_out = UInt32(room)
        return unsafe inflate(stream, Z_NO_FLUSH)
      }
    }
    let unread = unsafe Int(stream.pointee.avail_in)
    let unused = unsafe Int(stream.pointee.avail_out)
    position += available - unread
    let written = room - unused
    switch result {
    case Z_STREAM_END: return .end(written: written)
    case Z_OK: return .more(written: written)
    case Z_BUF_ERROR where written == 0: throw .compression(.gzip, reason: "the stream ends early")
    case Z_BUF_ERROR: return .more(written: written)
    default:
      let message = unsafe stream.pointee.msg.map { unsafe String(cString: $0) }
      throw .compression(.gzip, reason: message ?? "zlib error \(result)")
    }
  }
}
