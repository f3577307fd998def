internal import DiskIO

/// A log's names, mark and checkpoints, before any of its segments is examined: the start of every
/// survey.
package struct LogFrame: Sendable {
  package let directory: LogDirectory
  let hints: LogHints
  /// Evidence of where the log begins.
  let startEvidence: StartEvidence
  let mark: DurableMark.Contents
  let layout: SegmentLayout
  /// How far the log is known to be durable, and what follows from that.
  let point: RecoveryPoint
  /// Whether another program wrote after the end of a clean mark.
  let isOutrun: Bool
  /// Whether the store's last stop was clean, as far as this applies to the log.
  let isCleanStop: Bool
  /// The rules for batches if only this engine has written the log.
  package let rules: OwnLogRules
  /// The log's epochs by its files.
  let epochEvidence: EpochEvidence
  /// Losses that an earlier opening recorded, and damaged bytes at or after the point.
  var noted: KnownLosses.Content
  /// The segments by rising base offset.
  var places: [SegmentPlace]
  /// Index of the first segment that opening walks over.
  var firstWalked: Int
  /// Empty segments that do not count (R9).
  var emptied: [SegmentPlace] = []
  /// What the names show.
  var names: NameFindings

  /// What the names of a directory show, and what to do about them.
  struct NameFindings: Sendable {
    /// Files that a plan moves to `.bad/`, removes or renames, in this order.
    var actions: [RecoveryAction] = []
    var damage: [DamagedRange] = []
    var sideFileDamage: [SideFileDamage] = []
    /// Files that could not be read.
    var unreadable: [DiskError] = []
    /// Names that could not be followed.
    var broken: [DiskError] = []
    /// Those of segments.
    var brokenLogs: [SegmentName] {
      broken.compactMap { SegmentName(PathText.lastComponent($0.path)) }.filter(\.isLog)
    }
    var notes: [VerificationNote] = []
    /// Notes that only a verification reports.
    var details: [VerificationNote] = []
    /// Offsets of the segments that are known to be lost, by rising base offset.
    var lost: [Range<Int64>] = []
    /// Offset after the last of them.
    var lostEnd: Int64 { lost.map(\.upperBound).max() ?? 0 }
  }

  /// The log's epochs as stored on disk; nil if they are missing or unreadable.
  package var epochs: LeaderEpochCheckpoint? { epochEvidence.epochs }
  /// Whether the mark was copied here, as one file among others: the files are from different
  /// moments (docs/durability.md#copies).
  package var isCopy: Bool { mark.isCopy }
  /// Whether files beside a segment may be evidence of records between its end and the next
  /// segment, which begins at `next`. Not where the mark decides, because a power cut can keep an
  /// index page whose records it removes. Everything below the point was synced, whoever wrote it.
  func isHoleTold(before next: Int64?) -> Bool {
    !isOwnUnclean || next.map { $0 <= point.offset } ?? false
  }
  /// Whether they may be evidence of records after the log's end.
  var isEndTold: Bool { !isOwnUnclean && !isCopy }
  /// Whether this engine was writing when the last session ended.
  var isOwnUnclean: Bool { point.isOwn && !isCleanStop }
  /// Lower bound of what the log had reached: its recovery point, or the end of a lost segment.
  var reachedOffset: Int64 { max(point.offset, names.lostEnd) }
  /// First offset that may be read, by everything but the segments.
  var startHint: Int64 { startEvidence.start ?? 0 }
  /// Base offset of the segment after a place, even if that one is lost.
  func nextBase(after place: SegmentPlace) -> Int64? {
    let lost = names.lost.first { $0.lowerBound > place.baseOffset }?.lowerBound
    return [place.nextBaseOffset, lost].compactMap { $0 }.min()
  }

  /// Whether opening surveys only the log's end.
  func looksAtEndOnly(isForWriting: Bool) -> Bool {
    isCleanStop || !isForWriting && !point.isOwn
  }

  /// The recovery point of our own last session, if a segment contains it: a batch begins there, or
  /// the segment ends, possibly by what an earlier opening recorded. Damage before it ends there at
  /// the latest, and what follows is judged by itself, wherever the walk began.
  func ownPoint(in place: SegmentPlace, size: Int) -> (position: Int, offset: Int64)? {
    if let end = noted.ends.first(where: { $0.isOf(place, size: size) }) {
      return (end.byteCount, end.offset)
    }
    guard let newest = mark.newest, newest.segmentBaseOffset == place.baseOffset,
      newest.position <= size, newest.recoveryPoint >= place.baseOffset
    else { return nil }
    // A broker may have truncated the log below a clean mark since, and continued.
    let endsThere = newest.isClean && !isOutrun && !isCopy && newest.position == size
    guard isOwnUnclean || endsThere else { return nil }
    return (newest.position, newest.recoveryPoint)
  }

  /// Place of an invalid batch whose offset was expected to be `expected`.
  func place(ofFaultAt expected: Int64) -> FaultFacts.Place {
    if isCleanStop { return .afterCleanStop }
    if expected < point.offset { return .belowPoint }
    return point.isOwn ? .aboveOwnPoint : .aboveForeignPoint
  }

  /// A lost range without offsets below the log's start, which were deleted, and without those that
  /// a `.log` which cannot be opened may hold; nil if nothing remains.
  package func loss(_ range: DamagedRange) -> DamagedRange? {
    guard let offsets = range.offsets, range.bytes.isEmpty else { return range }
    let start = max(offsets.lowerBound, startHint)
    let end = names.brokenLogs.map(\.baseOffset).filter { $0 >= offsets.lowerBound }.min()
    let bounded = start..<max(start, min(end ?? Int64.max, offsets.upperBound))
    guard !bounded.isEmpty else { return nil }
    var range = range
    range.offsets = bounded
    return range
  }

  /// The row of an empty segment; nil if records are missing in it or after it, so that it is
  /// examined like any other.
  func emptyRow(isLast: Bool, _ baseOffset: Int64) -> RecoveryRow? {
    if !isLast { return isOwnUnclean || isCopy && rules.isGapless ? nil : .r9 }
    let isExpected = baseOffset >= point.offset
    return isExpected || !(point.isOwn || isCleanStop) ? .r8 : nil
  }
}
