package import DiskIO
import MkstoreBytes
package import RecordFormat

/// Finds the next valid batch after a damaged place of a segment.
///
/// First it looks where the damaged batch's own CRC shows that it ends, with its stored length or
/// with one bit of it flipped. Then where its length field says that it ends, if the rest of its
/// header or the offsets confirm that, or only its records cannot be read. Else byte by byte: for a
/// header that is sound in every field, with offsets that may follow the damage, and a right CRC.
/// So one flipped bit, wherever it is, never turns bytes inside a record's value into a batch. The
/// next segment's start is not used, so that the result for a segment stays the same when another
/// one is added after it; `SegmentScanner` refuses batches that reach into that one.
///
/// **Cost.** Linear in the bytes skipped, whatever they contain. Checking candidates may read at
/// most `workBase` bytes plus `workFactor` times the bytes skipped, over the life of the value, so
/// that bytes made to look like headers cannot make it quadratic. Once the allowance is used up,
/// candidates are ignored.
package struct BatchResync: ~Copyable {
  /// Bytes of candidates that may be checked at once.
  package static let workBase = 64 << 20
  /// Bytes of candidates that may be checked for each byte skipped.
  package static let workFactor = 8

  /// How far after a batch with a wrong length its CRC is tested for its end: twice the default
  /// size limit of a batch.
  private static let closingBytesMax = 2 << 20

  private var window: FileWindow
  private var allowance = BatchResync.workBase
  /// Whether skipped bytes add to the allowance.
  private var isEarning = true
  /// Bytes read to check candidates and to scan, for tests of the bound.
  package private(set) var workBytes = 0

  /// Prepares a search; see `SegmentScanner.init` for the parameters.
  package init(_ file: any DiskFile, endPosition: Int, chunkBytes: Int = 1 << 20) {
    self.window = FileWindow(file, endPosition: endPosition, chunkBytes: max(1 << 12, chunkBytes))
  }

  /// The first valid batch after the invalid bytes that start at `position`.
  ///
  /// - Parameter expectedOffset: Lowest base offset that may come.
  /// - Returns: nil if no valid batch follows.
  package mutating func find(
    after position: Int, expectedOffset: Int64
  ) throws(DiskError) -> (position: Int, header: BatchHeader)? {
    guard let damaged = try outline(position) else { return nil }
    if let end = try provenEnd(damaged, expectedOffset) {
      return try batch(from: end, expectedOffset)
    }
    if let stated = end(of: damaged, length: damaged.length, lengthMin: Self.lengthMin),
      window.isUnreadable(position..<stated), try isSound(position, expectedOffset)
    {
      // The header was read, and is right: only bytes that could not be read are wrong.
      return try batch(from: stated, expectedOffset)
    }
    if let stated = end(of: damaged, length: damaged.length, lengthMin: Self.lengthMin) {
      allowance += Self.workFactor * (stated - position)
      let next = try candidate(stated, expectedOffset)
      if try isBelieved(damaged, end: stated, next: next, expectedOffset) {
        if let earlier = try closing(damaged, before: stated, expectedOffset) { return earlier }
        return next.map { (stated, $0) }
      }
      allowance -= Self.workFactor * (stated - position)
    }
    if damaged.isInPlace(expectedOffset) {
      let bound = min(window.endPosition, position + Self.closingBytesMax)
      if let proven = try closing(damaged, before: bound, expectedOffset) { return proven }
      if bound == window.endPosition, try closes(damaged, at: bound) { return nil }
    }
    return try scan(from: position + 1, before: window.endPosition, expectedOffset)
  }

  /// The first valid batch at or after `end`.
  private mutating func batch(
    from end: Int, _ expectedOffset: Int64
  ) throws(DiskError) -> (position: Int, header: BatchHeader)? {
    if let header = try candidate(end, expectedOffset) { return (end, header) }
    return try scan(from: end, before: window.endPosition, expectedOffset)
  }

  // MARK: The damaged batch

  /// The fields at the positions of a batch of format 2, corrupted or not.
  private struct Outline {
    var position: Int
    var baseOffset: Int64
    var length: Int32
    var magic: Int8
    var crc: UInt32

    /// Whether a batch that belongs there is there, and its records or their CRC are more likely
    /// wrong than its length.
    func isInPlace(_ expected: Int64) -> Bool { baseOffset == expected && magic == 2 }
  }

  private mutating func outline(_ position: Int) throws(DiskError) -> Outline? {
    // With fewer bytes left there is no room for a batch.
    guard try window.load(position, BatchLayout.attributes) else { return nil }
    let bytes = window.bytes(position, BatchLayout.attributes)
    return Outline(
      position: position, baseOffset: bytes.loadBigEndian(Int64.self, at: BatchLayout.baseOffset),
      length: bytes.loadBigEndian(Int32.self, at: BatchLayout.batchLength),
      magic: bytes.loadBigEndian(Int8.self, at: BatchLayout.magic),
      crc: bytes.loadBigEndian(UInt32.self, at: BatchLayout.crc))
  }

  /// Where the batch ends if its length is `length`; nil if no batch can be so short or it would
  /// end after the file's end.
  private func end(of damaged: Outline, length: Int32, lengthMin: Int) -> Int? {
    guard length >= lengthMin else { return nil }
    let end = damaged.position + BatchLayout.lengthOverhead + Int(length)
    return end <= window.endPosition ? end : nil
  }

  /// Where the damaged batch certainly ends: its CRC is right up to there, so one of the fields
  /// before its attributes is wrong.
  private mutating func provenEnd(
    _ damaged: Outline, _ expected: Int64
  ) throws(DiskError) -> Int? {
    let lengthMin = BatchLayout.batchLengthMin
    if let stated = end(of: damaged, length: damaged.length, lengthMin: lengthMin),
      try closes(damaged, at: stated)
    {
      return stated
    }
    for bit in 0..<Int32(Int32.bitWidth) {
      guard let end = end(of: damaged, length: damaged.length ^ 1 << bit, lengthMin: lengthMin),
        try isBorder(end, expected), try closes(damaged, at: end)
      else { continue }
      return end
    }
    return nil
  }

  /// Whether the damaged batch's CRC is right if it ends at `end`.
  private mutating func closes(_ damaged: Outline, at end: Int) throws(DiskError) -> Bool {
    let cost = end - damaged.position + window.capacity
    guard cost <= allowance else { return false }
    allowance -= cost
    workBytes += cost
    let covered = damaged.position + BatchLayout.attributes..<end
    return try window.checksum(of: covered) == damaged.crc
  }

  /// Whether the file ends at `position`, or a possible next header is there; read separately,
  /// without the buffer.
  private func isBorder(_ position: Int, _ expected: Int64) throws(DiskError) -> Bool {
    if position == window.endPosition { return true }
    var bytes = [UInt8](repeating: 0, count: BatchHeader.byteCountMin)
    var target = bytes.mutableSpan
    let count = try window.file.read(into: &target, at: position)
    guard count == bytes.count else { return false }
    do throws(BatchError) {
      return try BatchHeader(bytes.span).baseOffset >= expected
    } catch {
      return false
    }
  }

  /// Whether the damaged batch's length is believed: the damage then extends to `end`, where the
  /// file ends or `next` begins.
  private mutating func isBelieved(
    _ damaged: Outline, end: Int, next: BatchHeader?, _ expected: Int64
  ) throws(DiskError) -> Bool {
    let isLast = end == window.endPosition
    if isLast, try isSound(damaged.position, expected) { return true }
    if let next, try follows(next, damaged.position, expected) { return true }
    return damaged.isInPlace(expected) && (isLast || next != nil)
  }

  /// The first batch before `bound` where the damaged batch's CRC shows that it ends, and that its
  /// length is wrong.
  private mutating func closing(
    _ damaged: Outline, before bound: Int, _ expected: Int64
  ) throws(DiskError) -> (position: Int, header: BatchHeader)? {
    let byteCount = bound - damaged.position
    guard byteCount <= allowance else { return nil }
    // These bytes may be skipped again, so they cost, and add nothing to the allowance.
    allowance -= byteCount
    isEarning = false
    defer { isEarning = true }
    var from = damaged.position + BatchHeader.byteCountMin
    while let found = try scan(from: from, before: bound, expected) {
      if try closes(damaged, at: found.position) { return found }
      from = found.position + 1
    }
    return nil
  }

  /// Whether `next` continues the offsets exactly where the damaged batch at `position` says that
  /// it ends. A length alone is not believed: a wrong one may lead past good batches to a later
  /// one.
  private mutating func follows(
    _ next: BatchHeader, _ position: Int, _ expected: Int64
  ) throws(DiskError) -> Bool {
    guard case .success(let header) = try window.header(at: position) else { return false }
    return header.baseOffset == expected && header.nextOffset == next.baseOffset
  }

  /// Whether the header at `position` is right in all but its CRC, so that its length can be
  /// believed: the bytes within it are then its records, not batches of this segment.
  ///
  /// If the offset is not the next one, random bytes could match most of the rest too. The old
  /// formats are then not believed, and others only if the gap, the unused attributes and the room
  /// for records are plausible.
  private mutating func isSound(_ position: Int, _ expected: Int64) throws(DiskError) -> Bool {
    guard case .success(let header) = try window.header(at: position) else { return false }
    if header.baseOffset == expected { return true }
    guard header.baseOffset > expected, !header.isLegacy else { return false }
    let room = (header.byteCount - BatchHeader.byteCountMin) / Self.recordBytesMin
    return header.baseOffset - expected <= SegmentScanner.jumpMax
      && header.attributes.rawValue & ~BatchAttributes.used == 0
      && (header.codec != .none || header.recordCount <= room)
  }

  // MARK: Byte by byte

  /// The first valid batch that begins at or after `start` and before `bound`.
  private mutating func scan(
    from start: Int, before bound: Int, _ expectedOffset: Int64
  ) throws(DiskError) -> (position: Int, header: BatchHeader)? {
    var position = start
    while position < bound, window.endPosition - position >= Self.entryBytesMin {
      let wanted = min(window.capacity, window.endPosition - position)
      guard try window.load(position, min(wanted, BatchHeader.byteCountMin)) else { return nil }
      let loaded = window.loadedBytes(from: position)
      guard let hit = nextPlausible(position, loaded, expectedOffset) else {
        pass(max(1, loaded - BatchHeader.peekBytes + 1), from: &position)
        continue
      }
      guard hit < bound else { return nil }
      pass(hit + 1 - position, from: &position)
      if let header = try candidate(hit, expectedOffset) { return (hit, header) }
    }
    return nil
  }

  private mutating func pass(_ byteCount: Int, from position: inout Int) {
    position += byteCount
    workBytes += byteCount
    if isEarning { allowance += Self.workFactor * byteCount }
  }

  /// First position among the loaded bytes whose offset, length and magic may be a batch's.
  private func nextPlausible(_ position: Int, _ loaded: Int, _ expectedOffset: Int64) -> Int? {
    guard loaded >= BatchHeader.peekBytes else { return nil }
    let bytes = window.bytes(position, loaded)
    for at in 0...(loaded - BatchHeader.peekBytes) {
      guard bytes[at + BatchLayout.magic] <= 2 else { continue }
      let offset = bytes.loadBigEndian(Int64.self, at: at)
      guard offset >= expectedOffset else { continue }
      let length = Int(bytes.loadBigEndian(Int32.self, at: at + BatchLayout.batchLength))
      if length >= Self.lengthMin,
        length <= window.endPosition - position - at - BatchLayout.lengthOverhead
      {
        return position + at
      }
    }
    return nil
  }

  /// The header at `position` if a valid batch of this segment starts there.
  private mutating func candidate(
    _ position: Int, _ expectedOffset: Int64
  ) throws(DiskError) -> BatchHeader? {
    guard case .success(let header) = try window.header(at: position),
      header.baseOffset >= expectedOffset
    else { return nil }
    // A batch beyond the buffer costs its own bytes and the buffer, which must be read again.
    let isLoaded = window.loadedBytes(from: position) >= header.byteCount
    let cost = header.byteCount + (isLoaded ? 0 : window.capacity)
    guard cost <= allowance else { return nil }
    allowance -= cost
    workBytes += cost
    return try window.crcFault(header, at: position) == nil ? header : nil
  }

  /// Smallest length field of any format: an empty message of format 0.
  private static var lengthMin: Int { 14 }
  /// Smallest record of format 2: each of its seven fields takes at least a byte.
  private static var recordBytesMin: Int { 7 }
  private static var entryBytesMin: Int { BatchLayout.lengthOverhead + lengthMin }
}
