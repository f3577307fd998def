import Bytes
package import DiskIO
package import RecordFormat

/// Finds where valid batches go on after a damaged place of a segment.
///
/// First where the damaged batch says it ends, if the offsets go on there, else byte by byte: a
/// header that is sound in every field, with offsets that may come after the damage, and a right
/// CRC. Where the next segment begins plays no part, so that what is found in a segment stays the
/// same when another one is added behind it; `SegmentScanner` refuses what reaches into that one.
///
/// **Cost.** Linear in the bytes passed over, whatever they hold: checking candidates may read at
/// most `workBase` bytes plus `workFactor` times the bytes passed over, over the life of the value,
/// so that bytes made to look like headers cannot make it quadratic. A candidate that comes when
/// the allowance is used up is passed by.
package struct BatchResync: ~Copyable {
  /// Bytes of candidates that may be checked at once.
  package static let workBase = 64 << 20
  /// Bytes of candidates that may be checked for each byte passed over.
  package static let workFactor = 8

  private var window: FileWindow
  private var allowance = BatchResync.workBase
  /// Bytes read to check candidates and to scan, for tests of the bound.
  package private(set) var workBytes = 0

  /// Prepares a search; see `SegmentScanner.init` for the parameters.
  package init(_ file: any DiskFile, endPosition: Int, chunkBytes: Int = 1 << 20) {
    self.window = FileWindow(file, endPosition: endPosition, chunkBytes: max(1 << 12, chunkBytes))
  }

  /// The first valid batch after the invalid bytes that start at `position`.
  ///
  /// - Parameter expectedOffset: Lowest base offset that may come.
  /// - Returns: Nil where no valid batch follows.
  package mutating func find(
    after position: Int, expectedOffset: Int64
  ) throws(DiskError) -> (position: Int, header: BatchHeader)? {
    if let stated = try statedEnd(position) {
      allowance += Self.workFactor * (stated - position)
      if stated == window.endPosition, try isSound(position, expectedOffset) { return nil }
      if let header = try candidate(stated, expectedOffset),
        try follows(header, position, expectedOffset)
      {
        return (stated, header)
      }
      allowance -= Self.workFactor * (stated - position)
    }
    return try scan(from: position + 1, expectedOffset: expectedOffset)
  }

  /// Where the batch at `position` ends by its own length field, if that lies within the file.
  private mutating func statedEnd(_ position: Int) throws(DiskError) -> Int? {
    guard try window.load(position, BatchHeader.peekBytes) else { return nil }
    let length = Int(
      window.bytes(position, BatchHeader.peekBytes).loadBigEndian(
        Int32.self, at: BatchLayout.batchLength))
    guard length >= Self.lengthMin else { return nil }
    let end = position + BatchLayout.lengthOverhead + length
    return end <= window.endPosition ? end : nil
  }

  /// Whether `next` takes up the offsets just where the damaged batch at `position` says that it
  /// ends. A length alone is not believed: a wrong one may lead past good batches to a later one.
  private mutating func follows(
    _ next: BatchHeader, _ position: Int, _ expected: Int64
  ) throws(DiskError) -> Bool {
    guard case .success(let header) = try window.header(at: position) else { return false }
    return header.baseOffset == expected && header.nextOffset == next.baseOffset
  }

  /// Whether the header at `position` is right in all but its CRC, so that its length can be
  /// believed: then what stands within its bytes is its records, not batches of this segment.
  private mutating func isSound(_ position: Int, _ expected: Int64) throws(DiskError) -> Bool {
    guard case .success(let header) = try window.header(at: position) else { return false }
    return header.baseOffset >= expected
  }

  private mutating func scan(
    from start: Int, expectedOffset: Int64
  ) throws(DiskError) -> (position: Int, header: BatchHeader)? {
    var position = start
    while window.endPosition - position >= Self.entryBytesMin {
      let wanted = min(window.capacity, window.endPosition - position)
      guard try window.load(position, min(wanted, BatchHeader.byteCountMin)) else { return nil }
      let loaded = window.loadedBytes(from: position)
      guard let hit = nextPlausible(position, loaded, expectedOffset) else {
        pass(max(1, loaded - BatchHeader.peekBytes + 1), from: &position)
        continue
      }
      pass(hit + 1 - position, from: &position)
      if let header = try candidate(hit, expectedOffset) { return (hit, header) }
    }
    return nil
  }

  private mutating func pass(_ byteCount: Int, from position: inout Int) {
    position += byteCount
    workBytes += byteCount
    allowance += Self.workFactor * byteCount
  }

  /// First position among the loaded bytes whose offset, length and magic could be a batch's.
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
    // A batch beyond the buffer costs its own bytes and the buffer that must be read again.
    let isLoaded = window.loadedBytes(from: position) >= header.byteCount
    let cost = header.byteCount + (isLoaded ? 0 : window.capacity)
    guard cost <= allowance else { return nil }
    allowance -= cost
    workBytes += cost
    return try window.crcFault(header, at: position) == nil ? header : nil
  }

  /// Smallest length field of any format: an empty message of format 0.
  private static var lengthMin: Int { 14 }
  private static var entryBytesMin: Int { BatchLayout.lengthOverhead + lengthMin }
}
