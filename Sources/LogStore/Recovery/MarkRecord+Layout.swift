internal import DiskIO
internal import MkstoreBytes

/// The bytes of a slot (docs/format.md#mkstoremark).
extension MarkRecord {
  /// Bytes of a slot that are used.
  package static let byteCount = 96
  private static let magic: UInt64 = 0x6d6b_6d61_726b_3032  // "mkmark02"
  private static let crcPosition = 92
  /// The previous form, which does not name its file.
  private static let oldMagic: UInt64 = 0x6d6b_6d61_726b_3031  // "mkmark01"
  private static let oldCrcPosition = 76
  /// Stored instead of the birth time if no file is named.
  private static let noTime = Int64.min

  /// Position of a slot's CRC, which covers all bytes before it; nil if the bytes are no slot.
  package static func crcPosition(_ bytes: Span<UInt8>) -> Int? {
    guard bytes.count >= byteCount else { return nil }
    return switch bytes.loadBigEndian(UInt64.self, at: 0) {
    case magic: crcPosition
    case oldMagic: oldCrcPosition
    default: nil
    }
  }

  func encode(into span: inout MutableSpan<UInt8>) {
    span.storeBigEndian(Self.magic, at: 0)
    span.storeBigEndian(sequence, at: 8)
    span.storeBigEndian(bootIdentifier, at: 16)
    span.storeBigEndian(recoveryPoint, at: 24)
    span.storeBigEndian(segmentBaseOffset, at: 32)
    span.storeBigEndian(Int64(position), at: 40)
    span.storeBigEndian(largest.timestamp, at: 48)
    span.storeBigEndian(largest.offset, at: 56)
    span.storeBigEndian(MarkFlags(self).rawValue, at: 64)
    span.storeBigEndian(UInt32(clamping: offsetEntries), at: 68)
    span.storeBigEndian(UInt32(clamping: timeEntries), at: 72)
    span.storeBigEndian(birth?.inode ?? 0, at: 76)
    span.storeBigEndian(birth?.timeNs ?? Self.noTime, at: 84)
    span.storeBigEndian(
      CRC32C.checksum(span.span.extracting(0..<Self.crcPosition)), at: Self.crcPosition)
  }

  /// Reads a slot; nil if it is not valid.
  init?(_ bytes: Span<UInt8>) {
    guard let crcPosition = Self.crcPosition(bytes),
      bytes.loadBigEndian(UInt32.self, at: crcPosition)
        == CRC32C.checksum(bytes.extracting(0..<crcPosition))
    else { return nil }
    let position = bytes.loadBigEndian(Int64.self, at: 40)
    guard position >= 0, position <= Int64(UInt32.max) else { return nil }
    let flags = MarkFlags(rawValue: bytes.loadBigEndian(UInt32.self, at: 64))
    self.init(
      sequence: bytes.loadBigEndian(UInt64.self, at: 8),
      bootIdentifier: bytes.loadBigEndian(UInt64.self, at: 16),
      recoveryPoint: bytes.loadBigEndian(Int64.self, at: 24),
      segmentBaseOffset: bytes.loadBigEndian(Int64.self, at: 32),
      position: Int(position),
      largest: TimestampOffset(
        timestamp: bytes.loadBigEndian(Int64.self, at: 48),
        offset: bytes.loadBigEndian(Int64.self, at: 56)),
      offsetEntries: Int(bytes.loadBigEndian(UInt32.self, at: 68)),
      timeEntries: Int(bytes.loadBigEndian(UInt32.self, at: 72)),
      isClean: flags.isClean, isWithoutProducers: flags.isWithoutProducers,
      isGapless: flags.isGapless, durability: flags.durability)
    if crcPosition == Self.crcPosition { birth = Self.birth(bytes) }
  }

  private static func birth(_ bytes: Span<UInt8>) -> FileBirth? {
    let timeNs = bytes.loadBigEndian(Int64.self, at: 84)
    guard timeNs != noTime else { return nil }
    return FileBirth(inode: bytes.loadBigEndian(UInt64.self, at: 76), timeNs: timeNs)
  }
}

/// The flags of a mark (docs/format.md#mkstoremark).
struct MarkFlags {
  var rawValue: UInt32

  init(rawValue: UInt32) { self.rawValue = rawValue }

  init(_ record: MarkRecord) {
    let mode: UInt32 =
      switch record.durability {
      case nil: 0
      case .flushed: 1 << 3
      case .interval(let milliseconds):
        2 << 3 | min(UInt32(clamping: milliseconds), UInt32.max >> 5) << 5
      case .operatingSystem: 3 << 3
      }
    rawValue =
      (record.isClean ? 1 : 0) | (record.isWithoutProducers ? 2 : 0) | (record.isGapless ? 4 : 0)
      | mode
  }

  var isClean: Bool { rawValue & 1 != 0 }
  var isWithoutProducers: Bool { rawValue & 2 != 0 }
  var isGapless: Bool { rawValue & 4 != 0 }
  var durability: Durability? {
    switch rawValue >> 3 & 3 {
    case 1: .flushed
    case 2: .interval(milliseconds: Int(rawValue >> 5))
    case 3: .operatingSystem
    default: nil
    }
  }
}
