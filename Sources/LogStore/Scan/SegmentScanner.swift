package import DiskIO
import MkstoreBytes
package import RecordFormat

/// Walks over the batches of one segment, from front to back, in reads of `chunkBytes`.
///
/// The one reader of segment files for recovery, verification, dump and reads. It never trusts a
/// byte: a batch is reported only if its header is sound, it is within the file, its offsets follow
/// those of the batches before it and, unless switched off, its CRC is right. Owned by one thread;
/// no allocation and no system call per batch.
package struct SegmentScanner: ~Copyable {
  /// What to check.
  package struct Options: Sendable {
    /// Whether each batch's bytes are compared with its CRC.
    var checksCRC = true
    /// Bytes of one read and of the buffer.
    package var chunkBytes = 1 << 20
    /// What else is known of the log's batches.
    var rules: OwnLogRules
    /// Whether another segment follows, so that the offset limit is also the end of the last batch,
    /// and not only a bound.
    var isFollowed: Bool

    /// The defaults: CRC on, 1 MiB.
    package init(rules: OwnLogRules = .none, isFollowed: Bool = false) {
      self.rules = rules
      self.isFollowed = isFollowed
    }
  }

  /// The scanner's position: everything before it was reported.
  package private(set) var position: Int
  /// Lower bound of the next batch's base offset.
  package private(set) var expectedOffset: Int64
  /// Exclusive upper bound of every batch's last offset.
  package let offsetLimit: Int64

  /// After damage, the first offset of the batch that ends it; nil if there is none. Not always
  /// that batch's base: sets of the old formats state their last offset.
  private(set) var offsetBehindDamage: Int64?

  private let options: Options
  private var window: FileWindow
  private var resync: BatchResync?
  /// Whether damage was just skipped, so that the number of its offsets is unknown.
  private var isBehindDamage = false

  /// Prepares a walk; nothing is read yet.
  ///
  /// - Parameters:
  ///   - position: Where a batch is expected to start.
  ///   - endPosition: Where the walk ends, at most the file's size.
  ///   - expectedOffset: The lowest offset that may come: the segment's base at its start.
  ///   - offsetLimit: The next segment's base offset; see `offsetLimit(after:)` if there is none.
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

  /// Upper bound of the offsets of a segment: where the next one begins. (Brokers before 2.0 merged
  /// segments of compacted topics to more than the 2^31 offsets that an index can address.)
  package static func offsetLimit(after baseOffset: Int64, before next: Int64? = nil) -> Int64 {
    max(baseOffset, next ?? Int64.max)
  }

  /// Largest gap before a batch that needs no later batch that confirms it.
  static let jumpMax = Int64(Int32.max)

  /// The first byte of `range`, which was walked over, that the disk cannot read.
  func firstUnreadable(in range: Range<Int>) -> Int? {
    window.file.firstUnreadable(in: range)
  }

  /// Where the walk ends; lower than requested if the file turned out to be shorter.
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

  /// The next event. `body` gets a valid batch's bytes before it is reported; if it throws, the
  /// batch is invalid.
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
      // A large batch is only loaded into memory once its CRC was found right.
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

  /// Reports damage, and drops its pages at once: how far it extends is not known yet. An
  /// incomplete batch may be one that is being written.
  private mutating func invalid(_ fault: BatchFault) -> ScanEvent {
    if !fault.isIncomplete {
      window.drop(position..<position + max(1, window.loadedBytes(from: position)))
    }
    return .invalid(fault, position: position)
  }

  /// Moves past an invalid batch to the next valid one.
  ///
  /// - Returns: The bytes skipped and the batch that ends them; no batch if none follows, and the
  ///   scanner is then at the end.
  package mutating func resume() throws(DiskError) -> (skipped: Range<Int>, header: BatchHeader?) {
    let from = position
    if resync == nil {
      resync = BatchResync(
        window.file, endPosition: window.endPosition, chunkBytes: options.chunkBytes)
    }
    var found = try resync?.find(after: from, expectedOffset: expectedOffset)
    position = found?.position ?? max(from, window.endPosition)
    // A batch whose offset the next batches or the next segment contradict is damaged too, although
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

  /// The header at `position` in the common case: a batch of format 2, completely in the buffer, at
  /// the expected offset, right in all respects. nil in every other case, which `judge` decides.
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

  /// Checks everything about the batch at `position` except its records.
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
    // Last, because an opening may cut off the next segment.
    if header.lastOffset >= offsetLimit {
      return .failure(.offsetBeyondSegment(header.lastOffset, limit: offsetLimit))
    }
    if let fault = epochFault(header) { return .failure(fault) }
    return .success(header)
  }

  /// Checks a leader epoch, if the log's is known.
  private func epochFault(_ header: BatchHeader) -> BatchFault? {
    guard let epoch = options.rules.epochs?.epoch(at: header.baseOffset),
      header.leaderEpoch != epoch, !header.isLegacy
    else { return nil }
    return .leaderEpoch(header.leaderEpoch, expected: epoch)
  }

  /// Checks a base offset that is not simply the next one.
  ///
  /// Gaps are legal (compaction), but the CRC does not cover the offset. So a gap counts only if
  /// the next batches (or the next segment) agree or, if it is not a large one (`allowsGap`), do
  /// not contradict it.
  private mutating func offsetFault(
    _ header: BatchHeader, allowsGap: Bool
  ) throws(DiskError) -> BatchFault? {
    if header.baseOffset < expectedOffset {
      return .offsetBelowExpected(header.baseOffset, expected: expectedOffset)
    }
    // An opening may cut off the next segment: the batch's neighbours come first.
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
    // Old formats state the last offset of a wrapper and not how many it holds: only two
    // consecutive entries that agree with each other outvote one.
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

  /// How many batches, each with a gap before it, are used to confirm the previous one.
  private static let evidenceMax = 8

  /// Whether a batch confirms the offsets of the previous one. A batch that is itself truncated,
  /// wrong, or after an unconfirmed gap is no evidence: it may be gone at the next opening.
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
