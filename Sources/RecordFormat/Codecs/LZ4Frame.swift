import MkstoreBytes

/// The header and the block sizes of an LZ4 frame, read without inflating anything.
///
/// liblz4 reads more than Kafka's reader does (`Lz4BlockInputStream`). Stored frames of that kind
/// are read, but they must not be appended, because every Java consumer would stop at them.
struct LZ4Frame {
  /// Features of the frame that Kafka's reader cannot read.
  private(set) var findings: BatchFindings = []
  /// Bytes of the frame's header, the checksum included.
  let headerBytes: Int

  private static let blockChecksumFlag: UInt8 = 0x10
  private static let contentSizeFlag: UInt8 = 0x08
  private static let independentFlag: UInt8 = 0x20
  /// Reserved in Kafka's reader, as in the format's first versions.
  private static let dictionaryFlag: UInt8 = 0x01
  /// The highest bit of a block's size: its bytes are stored uncompressed.
  private static let storedMask: UInt32 = 1 << 31

  /// Reads the frame at the start of `input`, which begins with the magic; nil if the magic and the
  /// flags are missing or not those of a frame.
  init?(_ input: Span<UInt8>) {
    // liblz4 would also skip skippable frames, which Kafka's reader takes for damage.
    guard input.count >= 7, input[0] == 0x04, input[1] == 0x22, input[2] == 0x4D,
      input[3] == 0x18
    else { return nil }
    let flags = input[4]
    headerBytes =
      7 + (flags & LZ4Frame.contentSizeFlag != 0 ? 8 : 0)
      + (flags & LZ4Frame.dictionaryFlag != 0 ? 4 : 0)
    if flags & LZ4Frame.independentFlag == 0 { findings.insert(.linkedLZ4Blocks) }
    if flags & LZ4Frame.dictionaryFlag != 0 { findings.insert(.lz4DictionaryId) }
    if hasEmptyBlock(input, hasChecksums: flags & LZ4Frame.blockChecksumFlag != 0) {
      findings.insert(.emptyLZ4Block)
    }
  }

  /// Whether an empty block comes before a non-empty one.
  ///
  /// Kafka's reader takes a stored block of no bytes for the end of the frame, and a compressed one
  /// (a single token) for the end of the records.
  private func hasEmptyBlock(_ input: Span<UInt8>, hasChecksums: Bool) -> Bool {
    var position = headerBytes
    var isEmptySeen = false
    while input.count - position >= 4 {
      let size = input.loadBigEndian(UInt32.self, at: position).byteSwapped
      if size == 0 { return false }
      let count = Int(size & ~LZ4Frame.storedMask)
      if count == (size & LZ4Frame.storedMask == 0 ? 1 : 0) {
        isEmptySeen = true
      } else if isEmptySeen {
        return true
      }
      // No overflow: 31 bits more each time, and no further than the input goes.
      position += 4 + count + (hasChecksums ? 4 : 0)
    }
    return false
  }
}
