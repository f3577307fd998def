import CMkstoreZstd

/// A zstd context for writing; each call makes one frame that states its content size.
@safe
struct ZstdCompressor: ~Copyable {
  /// Made by `ZSTD_createCCtx`, freed once in `deinit`; nil if nothing is to be compressed.
  private let context: OpaquePointer?

  init(level: Int?) {
    guard let level else {
      unsafe context = nil
      return
    }
    precondition(
      Compression.zstdLevels.contains(level) && level != 0, "zstd has no level \(level)")
    guard let made = unsafe ZSTD_createCCtx() else {
      preconditionFailure("no memory for a zstd context")
    }
    // Safe: the context was just made; the level is within zstd's own range.
    unsafe context = made
    let result = unsafe ZSTD_CCtx_setParameter(
      context, ZSTD_c_compressionLevel, Int32(truncatingIfNeeded: level))
    precondition(ZSTD_isError(result) == 0, "zstd refuses level \(level)")
  }

  deinit {
    // Safe: this value owned it; freeing nil does nothing.
    _ = unsafe ZSTD_freeCCtx(context)
  }

  /// Room that `count` bytes need at most.
  static func byteCountMax(_ count: Int) -> Int { ZSTD_compressBound(count) }

  /// Compresses all of `source`; returns the bytes written to `target`.
  func compress(
    _ source: Span<UInt8>, to target: inout MutableSpan<UInt8>
  ) throws(BatchError) -> Int {
    // Safe: zstd writes at most `target.count` and reads `source.count` bytes, and keeps neither
    // address.
    let written = unsafe target.withUnsafeMutableBytes { target in
      unsafe source.withUnsafeBytes { source in
        unsafe ZSTD_compress2(
          context, target.baseAddress, target.count, source.baseAddress, source.count)
      }
    }
    guard ZSTD_isError(written) == 0 else {
      throw .compression(.zstd, reason: unsafe String(cString: ZSTD_getErrorName(written)))
    }
    return written
  }
}
