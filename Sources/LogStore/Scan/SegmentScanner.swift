package import DiskIO
import MkstoreBytes
package import RecordFormat

/// Walks over the batches of one segment, from front to back, in reads of `chunkBytes`.
///
/// The one reader of segment files behind recovery, verification, dump and the damage fence. It
/// never trusts a byte: a batch is reported only when its header is sound, it lies within the file,
/// its offsets follow the batches before it and, unless switched off, its CRC is right. Owned by
/// one thread; no allocation and no system call per batch.
package struct SegmentScanner: ~Copyable {
  /// What to look at.
  package struct Options: Sendable {
    /// Whether each batch's bytes are compared with its CRC.
    package var checksCRC = true
    /// Bytes of one read and of the buffer.
    package var chunkBytes = 1 << 20
    /// What else is known of the log's batches.
    package var rules: OwnLogRules
    /// Whether another segment follows, so that the offset limit is where the last batch ends, too,
    /// and not a bound only.
    package var isFollowed: Bool

    /// The defaults: CRC on, 1 MiB.
    package init(rules: OwnLogRules = .none, isFollowed: Bool = false) {
      self.rules = rules
      self.isFollowed = isFollowed
    }
  }

  /// Where the scanner stands: everything before was reported.
  package private(set) var position: Int
  /// What the next batch's base offset must reach.
  package private(set) var expectedOffset: Int64
  /// What every batch's last offset stays below.
  package let offsetLimit: Int64

  /// Behind damage, the first offset of the batch that ends it; nil where none does. Not always
  /// that batch's base: sets of the old formats state their last offset.
  package private(set) var offsetBehindDamage: Int64?

  private let options: Options
  private var window: FileWindow
  private var resync: BatchResync?
  /// Whether damage was passed over just now, so that nobody knows how many offsets it took.
  private var isBehindDamage = false

  /// Prepares a walk; nothing is read yet.
  ///
  /// - Parameters:
  ///   - position: Where a batch is expected to start.
  ///   - endPosition: Where the walk ends, at most the file's size.
  ///   - expectedOffset: The lowest offset that may come: the segment's base at its start.
  ///   - offsetLimit: The next segment's base offset; see `offsetLimit(after:)` where there is
  ///     none.
  package init(
    _ file: any DiskFile, from position: Int = 0, endPosition: Int, expectedOffset: Int64,
    offsetLimit: Int64, options: Options = Options()
  ) {
    self.position = position
    self.expectedOffset = expectedOffset
    self.offsetLimit = offsetLimit
    self.options = options
    self.window = FileWindow(file, endPosition: endPosition, chunkBytes: options.chunkBytes)
  }

  /// End of the offsets that a segment can hold: where the next one begins. (Brokers before 2.0
  /// merged segments of compacted topics to more than the 2^31 offsets that an index can tell.)
  package static func offsetLimit(after baseOffset: Int64, before next: Int64? = nil) -> Int64 {
    max(baseOffset, next ?? Int64.max)
  }

  /// So many offsets a batch may be ahead of the one before it without one behind it that agrees.
  static let jumpMax = Int64(Int32.max)

  /// The first byte of `range`, which was walked over, that the disk does not give.
  package func firstUnreadable(in range: Range<Int>) -> Int? {
    window.file.firstUnreadable(in: range)
  }

  /// Where the walk ends; lower than was asked for where the file turned out to be shorter.
  package var endPosition: Int { window.endPosition }

  /// The next event; after `.invalid` the same again until `resume` is called.
  package mutating func next() throws(DiskError) -> ScanEvent {
    if let header = quickHeader() { return accept(header) }
    guard position < window.endPosition else { return .end(position: position) }
    switch try judge() {
    case .success(let header): return accept(header)
    case .failure(let fault): return invalid(fault)
    }
  }

  /// The next event; `body` sees a valid batch's bytes before it is reported, and what it throws
  /// makes the batch invalid.
  package mutating func next(
    _ body: (BatchHeader, Span<UInt8>) throws(BatchError) -> Void
  ) throws(DiskError) -> ScanEvent {
    let header: BatchHeader
    if let quick = quickHeader() {
      header = quick
    } else {
      guard position < window.endPosition else { return .end(position: position) }
      switch try judge() {
      case .failure(let fault): return invalid(fault)
      case .success(let judged): header = judged
      }
      // A large batch is only held in memory once its CRC was found right.
      window.grow(to: header.byteCount)
      guard try window.load(position, header.byteCount) else {
        return .invalid(torn(header), position: position)
      }
    }
    do throws(BatchError) {
      try body(header, window.bytes(position, header.byteCount))
    } catch {
      return invalid(.format(error))
    }
    return accept(header)
  }

  /// Reports damage, and drops its pages at once: how far it goes is not known yet. An incomplete
  /// batch may be one that is being written.
  private mutating func invalid(_ fault: BatchFault) -> ScanEvent {
    if !fault.isIncomplete {
      window.drop(position..<position + max(1, window.loadedBytes(from: position)))
    }
    return .invalid(fault, position: position)
  }

  /// Moves past an invalid batch to the next valid one.
  ///
  /// - Returns: The bytes passed over and the batch that ends them; no batch where none follows,
  ///   and then the scanner stands at the end.
  package mutating func resume() throws(DiskError) -> (skipped: Range<Int>, header: BatchHeader?) {
    let from = position
    if resync == nil {
      resync = BatchResync(
        window.file, endPosition: window.endPosition, chunkBytes: options.chunkBytes)
    }
    var found = try resync?.find(after: from, expectedOffset: expectedOffset)
    position = found?.position ?? max(from, window.endPosition)
    // A batch whose offset the ones behind it or the next segment contradict is damaged too, though
    // its CRC is right.
    while let header = found?.header, try isMisplaced(header) {
      found = try resync?.find(after: position, expectedOffset: expectedOffset)
      position = found?.position ?? window.endPosition
    }
    window.drop(from..<position)
    isBehindDamage = true
    offsetBehindDamage = nil
    if let header = found?.header { offsetBehindDamage = try firstOffset(of: header) }
    return (from..<position, found?.header)
  }

  /// The offset of the first record of the batch at `position`, whose CRC is right.
  private mutating func firstOffset(of header: BatchHeader) throws(DiskError) -> Int64 {
    guard header.isLegacy, header.codec != .none else { return header.baseOffset }
    window.grow(to: header.byteCount)
    guard try window.load(position, header.byteCount) else { return header.baseOffset }
    var first = header.baseOffset
    var decoder = RecordDecoder(tolerance: .kafka)
    do throws(BatchError) {
      try RecordBatch(window.bytes(position, header.byteCount)).forEachRecord(&decoder) { record in
        first = min(first, record.offset)
        return false
      }
    } catch {
      return header.baseOffset
    }
    return max(expectedOffset, first)
  }

  private mutating func isMisplaced(_ header: BatchHeader) throws(DiskError) -> Bool {
    if header.lastOffset >= offsetLimit { return true }
    if epochFault(header) != nil { return true }
    if header.baseOffset == expectedOffset { return false }
    return try offsetFault(header, allowsGap: true) != nil
  }

  /// The header at `position` in the common case: a batch of format 2, in the buffer as a whole, at
  /// the expected offset, right in all respects. Nil in every other: `judge` then tells.
  private func quickHeader() -> BatchHeader? {
    let loaded = window.loadedBytes(from: position)
    guard loaded >= BatchHeader.byteCountMin, !window.holdsUnreadable else { return nil }
    let header: BatchHeader
    do throws(BatchError) {
      header = try BatchHeader(window.bytes(position, BatchHeader.byteCountMin))
    } catch {
      return nil
    }
    guard header.baseOffset == expectedOffset, header.lastOffset < offsetLimit,
      header.byteCount <= loaded, !header.isLegacy, epochFault(header) == nil
    else { return nil }
    guard options.checksCRC else { return header }
    let covered = window.bytes(
      position + BatchLayout.attributes, header.byteCount - BatchLayout.attributes)
    return CRC32C.checksum(covered) == header.crc ? header : nil
  }

  /// Everything about the batch at `position` but its records.
  private mutating func judge() throws(DiskError) -> Result<BatchHeader, BatchFault> {
    let header: BatchHeader
    switch try window.header(at: position) {
    case .failure(let fault): return .failure(fault)
    case .success(let read): header = read
    }
    if header.baseOffset != expectedOffset,
      let fault = try offsetFault(header, allowsGap: !options.rules.isGapless || isBehindDamage)
    {
      return .failure(fault)
    }
    if options.checksCRC, let fault = try window.crcFault(header, at: position) {
      return .failure(fault)
    }
    // Last, for what follows the segment may be cut off at an opening.
    if header.lastOffset >= offsetLimit {
      return .failure(.offsetBeyondSegment(header.lastOffset, limit: offsetLimit))
    }
    if let fault = epochFault(header) { return .failure(fault) }
    return .success(header)
  }

  /// Judges a leader epoch, where the log's is known.
  private func epochFault(_ header: BatchHeader) -> BatchFault? {
    guard let epoch = options.rules.epochs?.epoch(at: header.baseOffset),
      header.leaderEpoch != epoch, !header.isLegacy
    else { return nil }
    return .leaderEpoch(header.leaderEpoch, expected: epoch)
  }

  /// Judges a base offset that is not simply the next one.
  ///
  /// Gaps are legal (compaction), but the CRC does not cover the offset: a gap counts only if the
  /// batches after it (or the next segment) agree, or, where it is not a far one, (`allowsGap`) do
  /// not contradict it.
  private mutating func offsetFault(
    _ header: BatchHeader, allowsGap: Bool
  ) throws(DiskError) -> BatchFault? {
    if header.baseOffset < expectedOffset {
      return .offsetBelowExpected(header.baseOffset, expected: expectedOffset)
    }
    // What follows the segment may be cut off at an opening: the batch's neighbours come first.
    if let fault = try gapFault(header, allowsGap: allowsGap) { return fault }
    guard header.lastOffset >= offsetLimit else { return nil }
    return .offsetBeyondSegment(header.lastOffset, limit: offsetLimit)
  }

  private mutating func gapFault(
    _ header: BatchHeader, allowsGap: Bool
  ) throws(DiskError) -> BatchFault? {
    let isConfirmed = options.isFollowed && header.nextOffset == offsetLimit
    var doubt: BatchFault?
    if !isConfirmed {
      let isFar = header.baseOffset - expectedOffset > Self.jumpMax
      if isFar || !allowsGap { doubt = .offsetGap(header.baseOffset, expected: expectedOffset) }
    }
    let next = position + header.byteCount
    guard case .success(let second) = try window.header(at: next) else { return doubt }
    if second.baseOffset >= header.nextOffset {
      guard doubt != nil, options.checksCRC else { return nil }
      return try isEvidence(second, at: next, behind: header, allowsGap) ? nil : doubt
    }
    guard second.isLegacy == header.isLegacy, second.baseOffset >= expectedOffset else {
      return doubt
    }
    let jump = BatchFault.offsetJump(header.baseOffset, expected: expectedOffset)
    // Old formats state the last offset of a wrapper and not how many it holds: only two entries in
    // a row that agree with each other outvote one.
    if !header.isLegacy,
      second.baseOffset - expectedOffset == header.nextOffset - header.baseOffset
    {
      return jump
    }
    guard
      case .success(let third) = try window.header(
        at: next + second.byteCount),
      third.baseOffset >= second.nextOffset, third.baseOffset < header.nextOffset
    else { return doubt }
    return jump
  }

  /// How many batches, each with a gap before it, are asked to bear out the one before.
  private static let evidenceMax = 8

  /// Whether a batch bears out the offsets of the one before it. One that is itself cut off, wrong,
  /// or behind a gap that nothing bears out is no evidence: it may be gone at the next look.
  private mutating func isEvidence(
    _ header: BatchHeader, at position: Int, behind previous: BatchHeader, _ allowsGap: Bool
  ) throws(DiskError) -> Bool {
    var (header, position, expected) = (header, position, previous.nextOffset)
    for _ in 0..<Self.evidenceMax {
      guard try window.crcFault(header, at: position) == nil else { return false }
      let gap = header.baseOffset - expected
      if gap == 0 || allowsGap && gap <= Self.jumpMax { return true }
      if options.isFollowed, header.nextOffset == offsetLimit { return true }
      position += header.byteCount
      guard case .success(let next) = try window.header(at: position),
        next.baseOffset >= header.nextOffset
      else { return false }
      (header, expected) = (next, header.nextOffset)
    }
    return true
  }

  private mutating func accept(_ header: BatchHeader) -> ScanEvent {
    let start = position
    position += header.byteCount
    expectedOffset = header.nextOffset
    isBehindDamage = false
    return .batch(header, position: start)
  }

  private func torn(_ header: BatchHeader) -> BatchFault {
    .doesNotFit(byteCount: header.byteCount, available: window.endPosition - position)
  }
}
