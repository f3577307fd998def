import CMkstoreSnappy
import MkstoreBytes

/// Reads snappy data block by block: xerial framing, or one raw block.
///
/// A block states its inflated size first, and is inflated as a whole or not at all.
struct SnappyInflater {
  /// Whether the payload is framed.
  private(set) var isFramed = false
  /// Whether the framing states another version than 1.
  private(set) var hasOddVersion = false

  /// 0x82, "SNAPPY", 0.
  private static let magic: UInt64 = 0x8253_4E41_5050_5900
  private static let frameHeaderBytes = 16
  /// A copy element of 3 bytes produces at most 64; no element of snappy's format expands more.
  private static let expansionMax = 64 / 3 + 1

  /// Determines which form `input` has and moves `position` after the framing's header.
  mutating func begin(_ input: Span<UInt8>, _ position: inout Int) throws(BatchError) {
    hasOddVersion = false
    isFramed = SnappyInflater.isHeader(input, position)
    if isFramed { try readHeader(input, &position) }
  }

  private static func isHeader(_ input: Span<UInt8>, _ position: Int) -> Bool {
    input.count - position >= 8 && input.loadBigEndian(UInt64.self, at: position) == magic
  }

  private mutating func readHeader(
    _ input: Span<UInt8>, _ position: inout Int
  ) throws(BatchError) {
    guard input.count - position >= SnappyInflater.frameHeaderBytes else {
      throw .compression(.snappy, reason: "the framing's header is cut off")
    }
    let version = input.loadBigEndian(Int32.self, at: position + 8)
    let compatible = input.loadBigEndian(Int32.self, at: position + 12)
    if version != 1 || compatible != 1 { hasOddVersion = true }
    position += SnappyInflater.frameHeaderBytes
  }

  /// The next block: its position and inflated size. nil at the end of a framed payload.
  mutating func nextBlock(
    _ input: Span<UInt8>, _ position: inout Int
  ) throws(BatchError) -> (range: Range<Int>, inflatedBytes: Int)? {
    var range = position..<input.count
    if isFramed {
      // If two framed streams were joined, the second one's header follows.
      if SnappyInflater.isHeader(input, position) { try readHeader(input, &position) }
      guard position < input.count else { return nil }
      let left = input.count - position - 4
      let length = left < 0 ? -1 : Int(input.loadBigEndian(Int32.self, at: position))
      guard length > 0, length <= left else {
        throw .compression(
          .snappy, reason: "a block of \(length) bytes where \(max(left, 0)) are left")
      }
      range = position + 4..<position + 4 + length
    }
    position = range.upperBound
    return (range, try inflatedBytes(input.extracting(range)))
  }

  private func inflatedBytes(_ block: Span<UInt8>) throws(BatchError) -> Int {
    var count = 0
    // Safe: snappy reads at most `count` bytes of the block.
    let result = unsafe block.withUnsafeBytes {
      unsafe snappy_uncompressed_length(
        $0.baseAddress?.assumingMemoryBound(to: CChar.self), $0.count, &count)
    }
    guard result == SNAPPY_OK, count <= block.count * SnappyInflater.expansionMax else {
      throw .compression(.snappy, reason: "a block's length field cannot be right")
    }
    return count
  }

  /// Inflates one block into `output`, which has room for its stated size.
  func inflate(
    _ block: Span<UInt8>, _ output: inout MutableSpan<UInt8>
  ) throws(BatchError) -> Int {
    var written = output.count
    // Safe: snappy writes at most `written` bytes, the stated size of the room.
    let result = unsafe output.withUnsafeMutableBytes { target in
      unsafe block.withUnsafeBytes { source in
        unsafe snappy_uncompress(
          source.baseAddress?.assumingMemoryBound(to: CChar.self), source.count,
          target.baseAddress?.assumingMemoryBound(to: CChar.self), &written)
      }
    }
    guard result == SNAPPY_OK else {
      throw .compression(.snappy, reason: "a block is damaged")
    }
    return written
  }
}
