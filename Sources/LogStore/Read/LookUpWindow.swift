internal import DiskIO
internal import RecordFormat

/// Finds one record of an uncompressed, checked batch with one read of a part of the batch.
///
/// The index gives two batches around the wanted offset. The growth of offsets and bytes between
/// them predicts where the record ends, and only that much is read. If a guess fails, and for every
/// other kind of batch, the reader's general method is used, which checks and repairs the index.
/// The last bytes read are kept, so that neighbours cost no read at all: bytes below a published
/// end never change (I4). Owned by one reader.
struct LookUpWindow {
  /// The result of an attempt.
  enum Attempt: Equatable {
    /// `body` was run with the record; its batch begins at the position, with the offset.
    case found(position: Int, baseOffset: Int64)
    /// Use the general method.
    case unknown
  }

  /// Index entries nearer than this (by default they are 4 KiB apart, or a batch if that is larger)
  /// usually have several batches between them: all are read.
  private static let nearBytes = 5 << 10
  /// Larger reads are left to the general method.
  private static let readBytesMax = 256 << 10

  private var file: (any DiskFile)?
  private var start = 0
  private var count = 0
  private var bytes: [UInt8] = []

  /// Runs `body` with the record at exactly `offset`, if that takes no search.
  ///
  /// - Parameters:
  ///   - end: The segment's published end; nothing after it is read.
  ///   - decoder: Of the reader; findings are replaced.
  mutating func withRecord(
    at offset: Int64, in view: SegmentView, _ index: OffsetIndex, end: Int,
    _ decoder: inout RecordDecoder, _ body: (borrowing RecordView) -> Void
  ) throws(DiskError) -> Attempt {
    guard var guess = Guess(index, offset, end: end) else { return .unknown }
    // At most three reads: after the skipped batches, then before them, then the rest of the batch.
    // The general method takes as many.
    for _ in 0..<3 {
      guard guess.byteCount <= Self.readBytesMax else { return .unknown }
      do throws(DiskError) {
        try fill(view.files.log, guess.position, guess.byteCount, end: end)
      } catch {
        // The bad sector may not be in bytes that are needed; the general method reads around it.
        if error.isUnreadableSector { return .unknown }
        throw error
      }
      switch walk(to: offset, guess, view.segment, end: end, &decoder, body) {
      case .done(let attempt): return attempt
      case .bytesMissing(let byteCount):
        guard byteCount > count else { return .unknown }
        guess.byteCount = byteCount
      case .passed:
        guard let earlier = guess.earlier else { return .unknown }
        guess = Guess(position: earlier.position, byteCount: earlier.byteCount)
      }
    }
    return .unknown
  }

  private enum Step {
    case done(Attempt)
    /// This many bytes are needed from the guessed position on.
    case bytesMissing(Int)
    /// The record is before the guessed batch.
    case passed
  }

  /// Steps from batch to batch within the loaded bytes.
  private func walk(
    to offset: Int64, _ guess: Guess, _ segment: Segment, end: Int,
    _ decoder: inout RecordDecoder, _ body: (borrowing RecordView) -> Void
  ) -> Step {
    var position = guess.position
    while position - start + BatchHeader.byteCountMin <= count {
      guard let brief = BatchBrief(bytes.span.extracting(position - start..<count)),
        !brief.isLegacy, position + brief.byteCount <= end
      else { return .done(.unknown) }
      // The first batch is the one that the entry points to, or the entry is wrong (I9).
      if position == guess.position, let entry = guess.entryOffset, brief.lastOffset != entry {
        return .done(.unknown)
      }
      if brief.baseOffset > offset { return position == guess.position ? .passed : .done(.unknown) }
      if brief.lastOffset < offset {
        position += brief.byteCount
        continue
      }
      // Check all skipped bytes, too: a corrupted length could lead into the middle of a batch.
      guard segment.verified.contains(guess.position..<position + brief.byteCount) else {
        return .done(.unknown)
      }
      switch seek(offset, brief, at: position, &decoder, body) {
      case .found: return .done(.found(position: position, baseOffset: brief.baseOffset))
      case .notHere: return .done(.unknown)
      case .beyondPrefix: return .bytesMissing(position + brief.byteCount - guess.position)
      }
    }
    return .bytesMissing(position + BatchHeader.byteCountMin - guess.position + Self.nearBytes)
  }

  private func seek(
    _ offset: Int64, _ brief: BatchBrief, at position: Int, _ decoder: inout RecordDecoder,
    _ body: (borrowing RecordView) -> Void
  ) -> PrefixSeek {
    let upTo = min(count, position - start + brief.byteCount)
    do throws(BatchError) {
      return try RecordBatch.seekRecord(
        at: offset, inPrefix: bytes.span.extracting(position - start..<upTo), &decoder, body)
    } catch {
      return .notHere
    }
  }

  private mutating func fill(_ file: any DiskFile, _ position: Int, _ byteCount: Int, end: Int)
    throws(DiskError)
  {
    let wanted = min(byteCount, end - position)
    if self.file === file, start == position, count >= wanted { return }
    if bytes.count < wanted { bytes = [UInt8](repeating: 0, count: max(wanted, 16 << 10)) }
    self.file = nil
    var target = bytes.mutableSpan
    var part = target._mutatingExtracting(first: wanted)
    count = try file.read(into: &part, at: position)
    start = position
    self.file = file
  }

  /// Where the wanted record's batch probably is, and where the record ends.
  private struct Guess {
    /// A batch's first byte, if the entry is right.
    var position: Int
    /// Bytes from there that probably hold the record.
    var byteCount: Int
    /// Last offset of the batch at `position`, if the entry says so.
    var entryOffset: Int64?
    /// Where to look if the record turns out to be before `position`.
    var earlier: (position: Int, byteCount: Int)?

    init(position: Int, byteCount: Int) {
      self.position = position
      self.byteCount = byteCount
    }

    init?(_ index: OffsetIndex, _ offset: Int64, end: Int) {
      let found: OffsetIndex.Bracket?
      do throws(DiskError) {
        found = try index.bracket(offset)
      } catch {
        return nil  // the ordinary way makes the index from the log (I9)
      }
      guard let bracket = found, bracket.above.position < end else { return nil }
      let above = bracket.above
      let from = bracket.below ?? OffsetPosition(offset: index.baseOffset - 1, position: 0)
      let gap = above.position - from.position
      let lastBytes = min(bracket.next?.position ?? end, end) - above.position
      // Positions rise, or the index is wrong (I9).
      guard gap > 0, lastBytes > 0 else { return nil }
      let part = Double(offset - from.offset) / Double(max(above.offset - from.offset, 1))
      // Bytes do not grow evenly with offsets: some records take more than their share.
      let slack = 512
      if gap > LookUpWindow.nearBytes {
        position = above.position
        entryOffset = above.offset
        byteCount = Int(part * Double(lastBytes) * 1.125) + slack
        earlier = (from.position, gap)
      } else {
        position = from.position
        entryOffset = bracket.below?.offset
        byteCount = Int(part * Double(gap + min(lastBytes, gap))) + 4 * slack
      }
    }
  }
}
