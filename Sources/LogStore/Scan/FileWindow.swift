package import DiskIO
import MkstoreBytes
package import RecordFormat

/// A reused buffer over a part of a file, for walks from front to back.
///
/// Owned by one thread. One allocation for its life; one read per `chunkBytes` of a sequential
/// walk.
package struct FileWindow: ~Copyable {
  /// The file, read around the sectors that the disk cannot read.
  let file: ReadAroundFile
  /// Where the walk ends. Decreases if the file turns out to be shorter.
  package private(set) var endPosition: Int
  /// Position of the buffer's first byte, and how many bytes from there are in the buffer.
  private var start: Int
  private var count: Int
  private var buffer: [UInt8]
  /// Whether bytes in the buffer are not the file's, because the disk could not read them.
  private(set) var holdsUnreadable = false
  /// Damaged bytes, whose pages are to be dropped from the page cache.
  private var rotten = 0..<0

  /// Prepares a window; nothing is read yet.
  ///
  /// - Parameters:
  ///   - endPosition: End of the walk, at most the file's size.
  ///   - chunkBytes: Bytes of one read and of the buffer; smaller where the file is.
  package init(_ file: any DiskFile, endPosition: Int, chunkBytes: Int) {
    self.file = ReadAroundFile.around(file)
    self.endPosition = endPosition
    self.start = 0
    self.count = 0
    // A header must fit, whatever size was requested.
    let capacity = max(BatchHeader.byteCountMin, min(chunkBytes, endPosition))
    self.buffer = [UInt8](repeating: 0, count: capacity)
  }

  /// Bytes that the buffer holds.
  package var capacity: Int { buffer.count }

  /// Loads `byteCount` bytes from `position` into the buffer.
  ///
  /// - Returns: False if the walk's end comes first, or the buffer is too small.
  package mutating func load(_ position: Int, _ byteCount: Int) throws(DiskError) -> Bool {
    if position >= start && byteCount <= start + count - position { return true }
    guard byteCount <= endPosition - position, byteCount <= buffer.count else { return false }
    let wanted = min(buffer.count, endPosition - position)
    // Nothing counts as loaded during the read: it may throw.
    count = 0
    start = position
    count = try Self.read(file, into: &buffer, wanted, at: position)
    holdsUnreadable = isUnreadable(position..<position + count)
    // A page that holds the end of the damage and the bytes after it was read again.
    if position < rotten.upperBound + Self.pageBytesMax { file.dropPages(around: rotten) }
    if count < wanted { endPosition = position + count }
    return byteCount <= count
  }

  /// Drops the pages of damaged bytes, now and when a later read brings them back: another process
  /// may take bytes in the page cache for checked ones (docs/serving.md).
  package mutating func drop(_ damaged: Range<Int>) {
    rotten = damaged
    file.dropPages(around: damaged)
  }

  /// No system has larger pages.
  private static let pageBytesMax = 64 << 10

  private static func read(
    _ file: any DiskFile, into buffer: inout [UInt8], _ wanted: Int, at position: Int
  ) throws(DiskError) -> Int {
    var all = buffer.mutableSpan
    var part = all._mutatingExtracting(first: wanted)
    return try file.read(into: &part, at: position)
  }

  /// Makes the buffer hold at least `byteCount` bytes; its content must be loaded again.
  ///
  /// The caller has checked the count against the rest of the file and, if it comes from a header,
  /// that the batch's CRC is right.
  package mutating func grow(to byteCount: Int) {
    guard byteCount > buffer.count else { return }
    buffer = [UInt8](repeating: 0, count: byteCount)
    start = 0
    count = 0
  }

  /// How many bytes from a position on are in the buffer.
  func loadedBytes(from position: Int) -> Int {
    position >= start ? max(0, start + count - position) : 0
  }

  /// The loaded bytes at a position; `load` has returned true for them.
  @_lifetime(borrow self)
  package func bytes(_ position: Int, _ byteCount: Int) -> Span<UInt8> {
    let first = position - start
    return buffer.span.extracting(first..<first + byteCount)
  }

  /// Whether the disk could not read a byte of `range`, which was read before.
  package func isUnreadable(_ range: Range<Int>) -> Bool { unreadableFault(range) != nil }

  private func unreadableFault(_ range: Range<Int>) -> BatchFault? {
    file.firstUnreadable(in: range).map { .unreadable(position: $0) }
  }

  /// Reads the header at a position whose whole batch is before the walk's end.
  ///
  /// Reads no more than the header, and allocates nothing.
  package mutating func header(at position: Int) throws(DiskError) -> Result<
    BatchHeader, BatchFault
  > {
    let available = max(0, endPosition - position)
    guard available >= BatchHeader.peekBytes,
      try load(position, min(available, BatchHeader.byteCountMin))
    else {
      return .failure(.headerTorn(bytes: max(0, endPosition - position)))
    }
    let left = endPosition - position
    let headerEnd = position + min(left, BatchHeader.byteCountMin)
    if let fault = unreadableFault(position..<headerEnd) { return .failure(fault) }
    let bytes = bytes(position, headerEnd - position)
    let stated =
      Int(bytes.loadBigEndian(Int32.self, at: BatchLayout.batchLength)) + BatchLayout.lengthOverhead
    // Checked first, because a truncated header cannot be judged by its other fields.
    if stated > left { return .failure(.doesNotFit(byteCount: stated, available: left)) }
    do throws(BatchError) {
      return .success(try BatchHeader(bytes))
    } catch {
      return .failure(.format(error))
    }
  }

  /// Compares the batch at a position with its CRC; nil if it is right.
  ///
  /// The batch, whose header was read from here, may be larger than the buffer.
  package mutating func crcFault(
    _ header: BatchHeader, at position: Int
  ) throws(DiskError) -> BatchFault? {
    if try !load(position, header.byteCount) {
      guard header.byteCount <= endPosition - position else {
        return .doesNotFit(byteCount: header.byteCount, available: endPosition - position)
      }
      if !header.isLegacy { return try largeCRCFault(header, at: position) }
      // The old formats have another polynomial and are small; bounded by the rest of the file.
      grow(to: header.byteCount)
      guard try load(position, header.byteCount) else {
        return .doesNotFit(byteCount: header.byteCount, available: endPosition - position)
      }
    }
    if let fault = unreadableFault(position..<position + header.byteCount) { return fault }
    if header.isLegacy { return legacyCRCFault(header, at: position) }
    let covered = bytes(position, header.byteCount).extracting(BatchLayout.attributes...)
    let crc = CRC32C.checksum(covered)
    return crc == header.crc ? nil : .format(.checksum(found: header.crc, expected: crc))
  }

  private func legacyCRCFault(_ header: BatchHeader, at position: Int) -> BatchFault? {
    do throws(BatchError) {
      try RecordBatch(bytes(position, header.byteCount)).checkCRC()
      return nil
    } catch {
      return .format(error)
    }
  }

  /// The same, piece by piece.
  private mutating func largeCRCFault(
    _ header: BatchHeader, at position: Int
  ) throws(DiskError) -> BatchFault? {
    let covered = position + BatchLayout.attributes..<position + header.byteCount
    guard let crc = try checksum(of: covered) else {
      return .doesNotFit(byteCount: header.byteCount, available: endPosition - position)
    }
    if let fault = unreadableFault(position..<position + header.byteCount) { return fault }
    return crc == header.crc ? nil : .format(.checksum(found: header.crc, expected: crc))
  }

  /// CRC-32C of a range of the file, however large; nil if the file ends before it does.
  package mutating func checksum(of range: Range<Int>) throws(DiskError) -> UInt32? {
    var crc: UInt32 = 0
    var next = range.lowerBound
    while next < range.upperBound {
      let piece = min(buffer.count, range.upperBound - next)
      guard try load(next, piece) else { return nil }
      crc = CRC32C.update(crc, bytes(next, piece))
      next += piece
    }
    return crc
  }
}
