import CMkstoreLZ4

/// Reads one LZ4 frame.
@safe
struct LZ4Inflater: ~Copyable {
  /// Made at the first use, freed once in `deinit`.
  private var context: OpaquePointer?
  /// Features of the frame that Kafka's reader cannot read.
  private(set) var findings: BatchFindings = []

  /// Magic, flags, block sizes, content size, dictionary id, checksum.
  private static let headerBytesMax = 19

  init() { unsafe context = nil }

  deinit {
    // Safe: this value owned it; freeing nil does nothing.
    unsafe LZ4F_freeDecompressionContext(context)
  }

  private mutating func prepare() {
    if unsafe context != nil {
      // Safe: made below.
      unsafe LZ4F_resetDecompressionContext(context)
      return
    }
    let result = unsafe LZ4F_createDecompressionContext(&context, UInt32(LZ4F_VERSION))
    precondition(LZ4F_isError(result) == 0, "no memory for an LZ4 context")
  }

  /// Reads the frame's header at the start of `input`.
  ///
  /// - Parameter ignoresHeaderChecksum: For magic 0, whose writers computed the checksum over the
  ///   wrong bytes: it is replaced by the one of the 256 values that liblz4 accepts.
  mutating func begin(
    _ input: Span<UInt8>, _ position: inout Int, ignoresHeaderChecksum: Bool
  ) throws(BatchError) {
    prepare()
    findings = []
    guard input.count >= 7 else { throw endsEarly }
    guard let frame = LZ4Frame(input) else {
      throw .compression(.lz4, reason: "the stream does not begin with the frame magic")
    }
    findings = frame.findings
    guard ignoresHeaderChecksum else { return }
    let size = frame.headerBytes
    guard size <= input.count, size <= LZ4Inflater.headerBytesMax else { throw endsEarly }
    var header = (0..<size).map { input[$0] }
    for checksum in UInt8.min...UInt8.max {
      header[size - 1] = checksum
      if accepts(header.span) {
        position = size
        return
      }
      prepare()
    }
    throw .compression(.lz4, reason: "the frame header cannot be right")
  }

  private func accepts(_ header: Span<UInt8>) -> Bool {
    var read = header.count
    var written = 0
    // Safe: liblz4 reads at most `read` bytes and, having no room, writes none.
    let result = unsafe header.withUnsafeBytes {
      unsafe LZ4F_decompress(context, nil, &written, $0.baseAddress, &read, nil)
    }
    return LZ4F_isError(result) == 0 && read == header.count
  }

  /// Inflates from `position` of `input` into `output` until one of them is used up.
  ///
  /// `.end` is the end of the frame; `position` is then just after it.
  func step(
    _ input: Span<UInt8>, _ position: inout Int, _ output: inout MutableSpan<UInt8>
  ) throws(BatchError) -> InflateStep {
    let rest = input.extracting(position...)
    var read = rest.count
    var written = output.count
    // Safe: liblz4 reads at most `read` and writes at most `written` bytes. It keeps no address
    // across calls: without the stable-destination option it copies what later blocks refer to.
    let result = unsafe output.withUnsafeMutableBytes { target in
      unsafe rest.withUnsafeBytes { source in
        unsafe LZ4F_decompress(
          context, target.baseAddress, &written, source.baseAddress, &read, nil)
      }
    }
    guard LZ4F_isError(result) == 0 else {
      throw .compression(.lz4, reason: unsafe String(cString: LZ4F_getErrorName(result)))
    }
    position += read
    if result == 0 { return .end(written: written) }
    if read == 0, written == 0 { throw endsEarly }
    return .more(written: written)
  }

  private var endsEarly: BatchError { .compression(.lz4, reason: "the stream ends early") }
}
