internal import DiskIO
internal import MkstoreBytes

/// Names and layout of the files of a store's journal (docs/format.md#mkstorejournal-n).
enum JournalLayout {
  /// Groups begin at multiples of it, and a file's header takes one.
  static let blockBytes = OpenMode.blockBytes
  static let ringMagic: UInt64 = 0x6D6B_7269_6E67_0001
  static let groupMagic: UInt64 = 0x6D6B_6772_7570_0001
  /// Every byte of a block that was never written to.
  static let blank: UInt8 = 0x6A
  /// Bytes of a group's header before its entries.
  static let groupHeaderBytes = 64
  /// Bytes of an entry before its log's name.
  static let entryBytes = 60
  private static let prefix = "mkstore.journal-"

  /// The name of a file of the journal.
  static func fileName(_ index: Int) -> String { "\(prefix)\(index)" }

  /// The number in a file's name; nil if it is none of a journal.
  static func index(of fileName: String) -> Int? {
    guard fileName.hasPrefix(prefix), let index = Int(fileName.dropFirst(prefix.count)),
      index >= 0, self.fileName(index) == fileName
    else { return nil }
    return index
  }

  /// `count` in whole blocks.
  static func blocks(_ count: Int) -> Int {
    (count + blockBytes - 1) / blockBytes * blockBytes
  }
}

/// The first block of each file of a journal.
struct JournalFileHeader: Sendable, Equatable {
  /// Of all files and groups that were written as one ring.
  var ringId: Uuid
  /// Groups with a lower number hold nothing that is needed.
  var liveFrom: UInt64

  private static let byteCount = 36

  init(ringId: Uuid, liveFrom: UInt64) {
    self.ringId = ringId
    self.liveFrom = liveFrom
  }

  /// Reads a block; nil if it is no valid header.
  init?(_ bytes: Span<UInt8>) {
    guard bytes.count >= Self.byteCount,
      bytes.loadBigEndian(UInt64.self, at: 0) == JournalLayout.ringMagic,
      bytes.loadBigEndian(UInt32.self, at: 32) == CRC32C.checksum(bytes.extracting(0..<32))
    else { return nil }
    ringId = Uuid(
      high: bytes.loadBigEndian(UInt64.self, at: 8), low: bytes.loadBigEndian(UInt64.self, at: 16))
    liveFrom = bytes.loadBigEndian(UInt64.self, at: 24)
  }

  /// Writes a block.
  func encode(into bytes: inout MutableSpan<UInt8>) {
    bytes.storeBigEndian(JournalLayout.ringMagic, at: 0)
    bytes.storeBigEndian(ringId.high, at: 8)
    bytes.storeBigEndian(ringId.low, at: 16)
    bytes.storeBigEndian(liveFrom, at: 24)
    bytes.storeBigEndian(CRC32C.checksum(bytes.span.extracting(0..<32)), at: 32)
  }
}

/// Batches of one log in a group, or the end of all earlier ones of that log.
struct JournalEntry: Sendable, Equatable {
  /// Name of the log's directory.
  var logName: String
  /// The topic's id; zero if the directory had none.
  var topicId: Uuid
  /// The segment that the batches belong to, and where in it.
  var segmentBase: Int64
  var position: Int
  var byteCount: Int
  /// The batches' offsets, with those that they skip.
  var offsets: Range<Int64>
  /// Where they are in the group.
  var payloadStart: Int
  /// CRC-32C of the batches.
  var crc: UInt32
  /// Whether the entry holds nothing, and ends all earlier ones of its log: their bytes were
  /// synced, and may be changed from now on.
  var isVoid = false

  /// Bytes of the entry in a group's head.
  var encodedBytes: Int { JournalLayout.entryBytes + logName.utf8.count }
}

/// What a group of a journal begins with: who it is, and what is in it. One write makes the batches
/// of several logs durable.
struct JournalGroupHead: Sendable, Equatable {
  var ringId: Uuid
  /// Rises by one with each group.
  var sequence: UInt64
  /// Groups below it were durable when this one was made, so that their batches may have been
  /// acknowledged.
  var durableBelow: UInt64
  /// Groups below it hold nothing that is needed.
  var liveFrom: UInt64
  /// Bytes of the whole group, in blocks.
  var byteCount: Int
  var entries: [JournalEntry]

  /// Bytes of the head.
  var encodedBytes: Int {
    entries.reduce(JournalLayout.groupHeaderBytes) { $0 + $1.encodedBytes }
  }

  /// Writes the head to the front of a group.
  func encode(into bytes: inout MutableSpan<UInt8>) {
    bytes.storeBigEndian(JournalLayout.groupMagic, at: 0)
    bytes.storeBigEndian(ringId.high, at: 8)
    bytes.storeBigEndian(ringId.low, at: 16)
    bytes.storeBigEndian(sequence, at: 24)
    bytes.storeBigEndian(durableBelow, at: 32)
    bytes.storeBigEndian(liveFrom, at: 40)
    bytes.storeBigEndian(UInt32(byteCount), at: 48)
    bytes.storeBigEndian(UInt32(encodedBytes), at: 52)
    bytes.storeBigEndian(UInt32(entries.count), at: 56)
    var position = JournalLayout.groupHeaderBytes
    for entry in entries {
      entry.encode(into: &bytes, at: position)
      position += entry.encodedBytes
    }
    bytes.storeBigEndian(Self.checksum(bytes.span.extracting(0..<position)), at: 60)
  }

  /// Reads the head at the front of `bytes`; nil if it is not valid.
  init?(_ bytes: Span<UInt8>) {
    guard let size = Self.encodedBytes(bytes), size <= bytes.count,
      bytes.loadBigEndian(UInt32.self, at: 60) == Self.checksum(bytes.extracting(0..<size))
    else { return nil }
    ringId = Uuid(
      high: bytes.loadBigEndian(UInt64.self, at: 8), low: bytes.loadBigEndian(UInt64.self, at: 16))
    sequence = bytes.loadBigEndian(UInt64.self, at: 24)
    durableBelow = bytes.loadBigEndian(UInt64.self, at: 32)
    liveFrom = bytes.loadBigEndian(UInt64.self, at: 40)
    byteCount = Int(bytes.loadBigEndian(UInt32.self, at: 48))
    entries = []
    var position = JournalLayout.groupHeaderBytes
    for _ in 0..<bytes.loadBigEndian(UInt32.self, at: 56) {
      guard let entry = JournalEntry(bytes, at: position, end: size) else { return nil }
      guard entry.payloadStart >= size, entry.payloadStart + entry.byteCount <= byteCount else {
        return nil
      }
      entries.append(entry)
      position += entry.encodedBytes
    }
    guard position == size, size <= byteCount,
      byteCount.isMultiple(of: JournalLayout.blockBytes)
    else { return nil }
  }

  /// Memberwise.
  init(
    ringId: Uuid, sequence: UInt64, durableBelow: UInt64, liveFrom: UInt64, byteCount: Int,
    entries: [JournalEntry]
  ) {
    self.ringId = ringId
    self.sequence = sequence
    self.durableBelow = durableBelow
    self.liveFrom = liveFrom
    self.byteCount = byteCount
    self.entries = entries
  }

  /// How many bytes the head says to have; nil if the bytes are not the beginning of one.
  static func encodedBytes(_ bytes: Span<UInt8>) -> Int? {
    guard bytes.count >= JournalLayout.groupHeaderBytes,
      bytes.loadBigEndian(UInt64.self, at: 0) == JournalLayout.groupMagic
    else { return nil }
    let size = Int(bytes.loadBigEndian(UInt32.self, at: 52))
    return (JournalLayout.groupHeaderBytes...headBytesMax).contains(size) ? size : nil
  }

  /// No head has more: groups are limited to about a mebibyte.
  static let headBytesMax = 4 << 20

  /// Of everything but the checksum itself.
  private static func checksum(_ head: Span<UInt8>) -> UInt32 {
    CRC32C.update(
      CRC32C.checksum(head.extracting(0..<60)),
      head.extracting(JournalLayout.groupHeaderBytes..<head.count))
  }
}

extension JournalEntry {
  fileprivate func encode(into bytes: inout MutableSpan<UInt8>, at start: Int) {
    let name = Array(logName.utf8)
    bytes.storeBigEndian(UInt16(isVoid ? 1 : 0), at: start)
    bytes.storeBigEndian(UInt16(name.count), at: start + 2)
    bytes.storeBigEndian(crc, at: start + 4)
    bytes.storeBigEndian(topicId.high, at: start + 8)
    bytes.storeBigEndian(topicId.low, at: start + 16)
    bytes.storeBigEndian(segmentBase, at: start + 24)
    bytes.storeBigEndian(UInt32(position), at: start + 32)
    bytes.storeBigEndian(UInt32(byteCount), at: start + 36)
    bytes.storeBigEndian(offsets.lowerBound, at: start + 40)
    bytes.storeBigEndian(offsets.upperBound, at: start + 48)
    bytes.storeBigEndian(UInt32(payloadStart), at: start + 56)
    bytes.copy(name.span, at: start + JournalLayout.entryBytes)
  }

  fileprivate init?(_ bytes: Span<UInt8>, at start: Int, end: Int) {
    guard start + JournalLayout.entryBytes <= end else { return nil }
    let nameCount = Int(bytes.loadBigEndian(UInt16.self, at: start + 2))
    let nameStart = start + JournalLayout.entryBytes
    guard nameStart + nameCount <= end else { return nil }
    let (first, next) = (
      bytes.loadBigEndian(Int64.self, at: start + 40),
      bytes.loadBigEndian(Int64.self, at: start + 48)
    )
    guard first >= 0, first <= next else { return nil }
    logName = String(
      decoding: [UInt8](copying: bytes.extracting(nameStart..<nameStart + nameCount)),
      as: UTF8.self)
    topicId = Uuid(
      high: bytes.loadBigEndian(UInt64.self, at: start + 8),
      low: bytes.loadBigEndian(UInt64.self, at: start + 16))
    segmentBase = bytes.loadBigEndian(Int64.self, at: start + 24)
    position = Int(bytes.loadBigEndian(UInt32.self, at: start + 32))
    byteCount = Int(bytes.loadBigEndian(UInt32.self, at: start + 36))
    offsets = first..<next
    payloadStart = Int(bytes.loadBigEndian(UInt32.self, at: start + 56))
    crc = bytes.loadBigEndian(UInt32.self, at: start + 4)
    isVoid = bytes.loadBigEndian(UInt16.self, at: start) == 1
  }
}
