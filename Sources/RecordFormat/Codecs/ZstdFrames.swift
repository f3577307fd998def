import MkstoreBytes

/// The frame and block headers of a zstd stream, read without inflating anything.
///
/// Java's and librdkafka's frames do not state their content size; their block headers bound it.
struct ZstdFrames: ~Escapable {
  /// Upper bound of the inflated bytes.
  private(set) var byteCountMax = 0
  /// The largest window that a frame requests.
  private(set) var windowMax = 0

  private static let frameMagic: UInt32 = 0xFD2F_B528
  /// The lowest four bits are free.
  private static let skippableMagic: UInt32 = 0x184D_2A50
  /// A block never inflates to more.
  private static let blockBytesMax = 128 << 10

  private let bytes: Span<UInt8>
  private var position = 0

  /// Reads all headers in `bytes`.
  @_lifetime(copy bytes)
  init(_ bytes: Span<UInt8>) throws(BatchError) {
    self.bytes = bytes
    while position < bytes.count {
      let magic = UInt32(truncatingIfNeeded: try take(4))
      if magic & ~15 == ZstdFrames.skippableMagic {
        try skip(Int(try take(4)))
      } else if magic == ZstdFrames.frameMagic {
        try readFrame()
      } else {
        throw .compression(.zstd, reason: "byte \(position - 4) of the stream begins no frame")
      }
    }
  }

  /// RFC 8878, section 3.1.1.
  @_lifetime(self: copy self)
  private mutating func readFrame() throws(BatchError) {
    let descriptor = try take(1)
    guard descriptor & 0x08 == 0 else {
      throw .compression(.zstd, reason: "a reserved bit of a frame header is set")
    }
    let isSingleSegment = descriptor & 0x20 != 0
    var window = isSingleSegment ? 0 : windowSize(try take(1))
    guard try take([0, 1, 2, 4][Int(descriptor & 3)]) == 0 else {
      throw .compression(.zstd, reason: "a frame asks for a dictionary")
    }
    let contentSize = try readContentSize(descriptor)
    if isSingleSegment { window = Int(clamping: contentSize ?? 0) }
    windowMax = max(windowMax, window)

    let blockMax = min(ZstdFrames.blockBytesMax, window)
    var inBlocks = 0
    var isLast = false
    while !isLast {
      let header = Int(try take(3))
      isLast = header & 1 != 0
      let size = header >> 3
      switch header >> 1 & 3 {
      case 0:  // Stored uncompressed.
        inBlocks += size
        try skip(size)
      case 1:  // One byte, repeated.
        inBlocks += size
        try skip(1)
      case 2:  // Compressed.
        inBlocks += blockMax
        try skip(size)
      default:
        throw .compression(.zstd, reason: "a block of a reserved type")
      }
    }
    if descriptor & 0x04 != 0 { try skip(4) }
    let content = min(Int(clamping: contentSize ?? UInt64.max), inBlocks)
    // At most 2 MiB for each block header of 3 bytes that was read: far from an overflow.
    byteCountMax += content
  }

  private func windowSize(_ descriptor: UInt64) -> Int {
    let base = 1 << (10 + Int(descriptor >> 3))
    return base + base / 8 * Int(descriptor & 7)
  }

  @_lifetime(self: copy self)
  private mutating func readContentSize(_ descriptor: UInt64) throws(BatchError) -> UInt64? {
    switch descriptor >> 6 {
    case 0: descriptor & 0x20 == 0 ? nil : try take(1)
    case 1: try take(2) + 256
    case 2: try take(4)
    default: try take(8)
    }
  }

  /// The next `count` bytes, lowest first.
  @_lifetime(self: copy self)
  private mutating func take(_ count: Int) throws(BatchError) -> UInt64 {
    guard count <= bytes.count - position else { throw endsEarly }
    var value: UInt64 = 0
    for index in 0..<count { value |= UInt64(bytes[position + index]) << UInt64(8 * index) }
    position += count
    return value
  }

  @_lifetime(self: copy self)
  private mutating func skip(_ count: Int) throws(BatchError) {
    guard count <= bytes.count - position else { throw endsEarly }
    position += count
  }

  private var endsEarly: BatchError { .compression(.zstd, reason: "the stream ends early") }
}
