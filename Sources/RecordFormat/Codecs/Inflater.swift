import MkstoreBytes

/// All codecs behind one interface: inflates the records of a batch piece by piece.
struct Inflater: ~Copyable {
  private var gzip = GzipInflater()
  private var snappy = SnappyInflater()
  private var lz4 = LZ4Inflater()
  private var zstd = ZstdInflater()

  private(set) var codec = CompressionCodec.none
  /// Bytes of the payload read so far.
  private var position = 0
  /// A snappy block whose header was read and that needs more room; or a small zstd payload, whole.
  private var pending: (range: Range<Int>, inflatedBytes: Int)?

  /// Whether nothing more will come.
  private(set) var isFinished = true
  private(set) var findings: BatchFindings = []

  /// A zstd payload that inflates to at most this is inflated at once: faster, and without a
  /// window.
  private static let zstdAtOnceMax = 1 << 20
  /// The largest window for a zstd payload whose headers do not keep it below the limit. A larger
  /// one would be memory that a bomb can fill.
  private static let zstdWindowMax = 4 << 20

  /// Clears the state of the previous batch.
  mutating func clear() {
    codec = .none
    isFinished = true
    findings = []
  }

  /// Prepares for `payload`.
  mutating func begin(
    _ codec: CompressionCodec, _ payload: Span<UInt8>, magic: Int8, limit: Int
  ) throws(BatchError) {
    self.codec = codec
    position = 0
    pending = nil
    isFinished = false
    findings = []
    guard !payload.isEmpty else { throw .compression(codec, reason: "there are no bytes") }
    switch codec {
    case .none: preconditionFailure("nothing to inflate")
    case .gzip: gzip.begin()
    case .snappy:
      try snappy.begin(payload, &position)
      if snappy.hasOddVersion { findings.insert(.snappyVersion) }
    case .lz4:
      try lz4.begin(payload, &position, ignoresHeaderChecksum: magic == 0)
      findings.formUnion(lz4.findings)
    case .zstd: try beginZstd(payload, limit)
    }
  }

  private mutating func beginZstd(_ payload: Span<UInt8>, _ limit: Int) throws(BatchError) {
    zstd.begin()
    let frames = try ZstdFrames(payload)
    guard frames.windowMax <= 1 << ZstdInflater.windowLogMax else {
      throw .compression(.zstd, reason: "a frame asks for a window of \(frames.windowMax) bytes")
    }
    if frames.byteCountMax > limit, frames.windowMax > Inflater.zstdWindowMax {
      throw .inflatesTooFar(.zstd, limit: limit)
    }
    if frames.byteCountMax <= Inflater.zstdAtOnceMax {
      pending = (0..<payload.count, frames.byteCountMax)
    }
  }

  /// Room that the next step needs: a snappy block cannot be inflated in parts.
  mutating func roomNeeded(_ payload: Span<UInt8>) throws(BatchError) -> Int {
    if codec == .snappy, pending == nil {
      pending = try snappy.nextBlock(payload, &position)
      if pending == nil { isFinished = true }
    }
    return pending?.inflatedBytes ?? 1
  }

  /// Inflates more into `output` and returns how many bytes it wrote, which may be 0.
  mutating func step(
    _ payload: Span<UInt8>, _ output: inout MutableSpan<UInt8>, tolerance: RecordDecoder.Tolerance
  ) throws(BatchError) -> Int {
    if let block = pending {
      pending = nil
      return try inflate(block, payload, &output)
    }
    let step: InflateStep
    switch codec {
    case .none, .snappy: return 0
    case .gzip: step = try gzip.step(payload, &position, &output)
    case .lz4: step = try lz4.step(payload, &position, &output)
    case .zstd: step = try zstd.step(payload, &position, &output)
    }
    switch step {
    case .more(let written): return written
    case .end(let written):
      try goOn(payload, tolerance)
      return written
    }
  }

  private mutating func inflate(
    _ block: (range: Range<Int>, inflatedBytes: Int), _ payload: Span<UInt8>,
    _ output: inout MutableSpan<UInt8>
  ) throws(BatchError) -> Int {
    if codec == .zstd {
      isFinished = true
      return try zstd.inflateAll(payload, &output)
    }
    if !snappy.isFramed { isFinished = true }
    return try snappy.inflate(payload.extracting(block.range), &output)
  }

  /// Determines what follows the end of a member or frame.
  private mutating func goOn(
    _ payload: Span<UInt8>, _ tolerance: RecordDecoder.Tolerance
  ) throws(BatchError) {
    let left = payload.count - position
    if left == 0 {
      isFinished = true
    } else if codec == .zstd {
      // The headers of all frames were read before: what follows is one.
    } else if codec == .gzip, left >= 2, payload[position] == 0x1f, payload[position + 1] == 0x8b {
      gzip.begin()
    } else {
      guard tolerance == .kafka else {
        throw .compression(codec, reason: "\(left) bytes follow the end of the stream")
      }
      findings.insert(.bytesAfterStream)
      isFinished = true
    }
  }
}
