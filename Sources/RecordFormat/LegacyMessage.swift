import CMkstoreZlib
import MkstoreBytes

/// One message of magic 0 or 1 in bytes that begin with it.
struct LegacyMessage {
  /// As stored; inside a set of magic 1 relative to where the set began.
  let offset: Int64
  /// −1 in magic 0.
  let timestamp: Int64
  let attributes: BatchAttributes
  /// Positions of key and value.
  let fields: RecordFields

  /// Attribute bits that have a meaning.
  static func usedAttributes(_ magic: Int8) -> Int16 { magic == 0 ? 0x07 : 0x0f }

  /// Reads the message at the start of `bytes` and checks that key and value fill it.
  ///
  /// - Parameters:
  ///   - bytes: The whole message; its size was checked.
  ///   - start: Added to positions in errors.
  init(
    _ bytes: Span<UInt8>, at start: Int, index: Int, isInflated: Bool
  ) throws(BatchError) {
    let place = { (position: Int) -> BatchPosition in
      isInflated ? .inflated(start + position) : .stored(start + position)
    }
    let magic = bytes.loadBigEndian(Int8.self, at: LegacyLayout.magic)
    offset = bytes.loadBigEndian(Int64.self, at: LegacyLayout.offset)
    attributes = BatchAttributes(
      rawValue: Int16(bytes.loadBigEndian(UInt8.self, at: LegacyLayout.attributes)))
    timestamp = magic == 0 ? -1 : bytes.loadBigEndian(Int64.self, at: LegacyLayout.timestamp)
    var position = LegacyLayout.key(magic: magic)
    var parts = (key: (start: 0, count: 0), value: (start: 0, count: 0))
    for field in [BatchField.key, .value] {
      let left = bytes.count - position - 4
      let length = left < 0 ? -2 : Int(bytes.loadBigEndian(Int32.self, at: position))
      guard length >= -1, length <= left else {
        throw .record(
          index, field, position: place(position), found: Int64(length),
          expected: "a length of -1 to the \(max(left, 0)) bytes left")
      }
      position += 4
      if field == .key { parts.key = (position, length) } else { parts.value = (position, length) }
      position += max(length, 0)
    }
    guard position == bytes.count else {
      throw .record(
        index, .messageSize, position: place(LegacyLayout.messageSize),
        found: Int64(bytes.count - BatchLayout.lengthOverhead),
        expected: "\(position - BatchLayout.lengthOverhead), which key and value use")
    }
    fields = RecordFields(
      bodyStart: BatchLayout.lengthOverhead, end: bytes.count, attributes: 0, timestampDelta: 0,
      offsetDelta: 0, key: parts.key, value: parts.value, headers: (position, 0))
  }

  /// Bytes of the inner message at the start of `piece`.
  static func entrySize(
    _ piece: Span<UInt8>, magic: Int8, index: Int, pieceStart: Int
  ) throws(BatchError) -> Int {
    guard piece.count >= BatchLayout.lengthOverhead else {
      throw .record(
        index, .messageSize, position: .inflated(pieceStart), found: Int64(piece.count),
        expected: "\(BatchLayout.lengthOverhead) bytes of offset and size")
    }
    let size = piece.loadBigEndian(Int32.self, at: LegacyLayout.messageSize)
    guard size >= LegacyLayout.messageSizeMin(magic: magic) else {
      throw .record(
        index, .messageSize, position: .inflated(pieceStart + LegacyLayout.messageSize),
        found: Int64(size), expected: "at least \(LegacyLayout.messageSizeMin(magic: magic))")
    }
    return BatchLayout.lengthOverhead + Int(size)
  }

  /// Reads an inner message: whole, sound, of the wrapper's magic, not a set itself, its offset
  /// above that of the previous one.
  init(
    inner piece: Span<UInt8>, size: Int, magic: Int8, index: Int, after before: Int64,
    pieceStart: Int
  ) throws(BatchError) {
    guard piece.count >= size else {
      throw .record(
        index, .messageSize, position: .inflated(pieceStart + LegacyLayout.messageSize),
        found: Int64(size - BatchLayout.lengthOverhead),
        expected: "at most the \(piece.count - BatchLayout.lengthOverhead) bytes left")
    }
    let bytes = piece.extracting(..<size)
    let innerMagic = bytes.loadBigEndian(Int8.self, at: LegacyLayout.magic)
    guard innerMagic == magic else {
      throw .record(
        index, .magic, position: .inflated(pieceStart + LegacyLayout.magic),
        found: Int64(innerMagic), expected: "\(magic) as of the set")
    }
    let stored = bytes.loadBigEndian(UInt32.self, at: LegacyLayout.crc)
    let expected = LegacyMessage.crc32(bytes.extracting(LegacyLayout.magic...))
    guard stored == expected else { throw .checksum(found: stored, expected: expected) }
    try self.init(bytes, at: pieceStart, index: index, isInflated: true)
    guard attributes.rawValue & BatchAttributes.codecMask == 0 else {
      throw .record(
        index, .attributes, position: .inflated(pieceStart + LegacyLayout.attributes),
        found: Int64(attributes.rawValue), expected: "no codec inside of a compressed set")
    }
    guard offset > before, offset < Int64.max else {
      throw .record(
        index, .messageOffset, position: .inflated(pieceStart), found: offset,
        expected: "above \(before)")
    }
  }

  /// CRC-32 (IEEE), as used by the old formats.
  static func crc32(_ bytes: Span<UInt8>) -> UInt32 {
    // Safe: zlib reads exactly `count` bytes and keeps nothing.
    unsafe bytes.withUnsafeBytes {
      let first = unsafe $0.baseAddress?.assumingMemoryBound(to: UInt8.self)
      return unsafe UInt32(truncatingIfNeeded: crc32_z(0, first, $0.count))
    }
  }

  /// The message as a record, in the bytes that it was read from.
  @_lifetime(copy bytes)
  func view(
    _ bytes: Span<UInt8>, offset: Int64, timestamp: Int64,
    timestampType: TimestampType? = nil
  ) -> RecordView {
    RecordView(
      bytes: bytes, fields: fields, offset: offset, timestamp: timestamp,
      timestampType: timestampType ?? attributes.timestampType)
  }
}
