import CMkstoreZstd

/// Reads zstd frames, at once or step by step, with one context.
@safe
struct ZstdInflater: ~Copyable {
  /// Made at the first use, freed once in `deinit`.
  private var context: OpaquePointer?

  /// 128 MiB: the largest window that zstd's tools accept by default, and that Kafka's level 22
  /// uses.
  static let windowLogMax = 27

  init() { unsafe context = nil }

  deinit {
    // Safe: this value owned it; freeing nil does nothing.
    _ = unsafe ZSTD_freeDCtx(context)
  }

  /// Clears an unfinished stream.
  mutating func begin() {
    if unsafe context != nil {
      // Safe: made below; resetting a session cannot fail.
      _ = unsafe ZSTD_DCtx_reset(context, ZSTD_reset_session_only)
      return
    }
    guard let made = unsafe ZSTD_createDCtx() else {
      preconditionFailure("no memory for a zstd context")
    }
    unsafe context = made
    let result = unsafe ZSTD_DCtx_setParameter(
      context, ZSTD_d_windowLogMax, Int32(ZstdInflater.windowLogMax))
    precondition(ZSTD_isError(result) == 0, "zstd refuses its own default window")
  }

  /// Inflates all frames of `input` at once; returns the bytes written to `output`.
  func inflateAll(
    _ input: Span<UInt8>, _ output: inout MutableSpan<UInt8>
  ) throws(BatchError) -> Int {
    // Safe: zstd reads and writes only within the counts given and keeps neither address.
    let result = unsafe output.withUnsafeMutableBytes { target in
      unsafe input.withUnsafeBytes { source in
        unsafe ZSTD_decompressDCtx(
          context, target.baseAddress, target.count, source.baseAddress, source.count)
      }
    }
    try check(result)
    return result
  }

  /// Inflates from `position` of `input` into `output` until one of them is used up or a frame
  /// ends.
  ///
  /// `.end` is the end of one frame; `position` is then just after it.
  func step(
    _ input: Span<UInt8>, _ position: inout Int, _ output: inout MutableSpan<UInt8>
  ) throws(BatchError) -> InflateStep {
    let start = position
    let room = output.count
    var written = 0
    // Safe: as above; `pos` never passes `size` in either buffer.
    let result = unsafe output.withUnsafeMutableBytes { target in
      unsafe input.withUnsafeBytes { source in
        var sink = unsafe ZSTD_outBuffer(dst: target.baseAddress, size: target.count, pos: 0)
        var origin = unsafe ZSTD_inBuffer(
          src: source.baseAddress, size: source.count, pos: start)
        let result = unsafe ZSTD_decompressStream(context, &sink, &origin)
        position = unsafe origin.pos
        written = unsafe sink.pos
        return result
      }
    }
    try check(result)
    if result == 0 { return .end(written: written) }
    // Unwritten output comes with the next step; without room nothing could have come.
    if written < room, position == input.count {
      throw .compression(.zstd, reason: "the stream ends early")
    }
    return .more(written: written)
  }

  private func check(_ result: Int) throws(BatchError) {
    guard ZSTD_isError(result) == 0 else {
      throw .compression(.zstd, reason: unsafe String(cString: ZSTD_getErrorName(result)))
    }
  }
}
