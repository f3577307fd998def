package import DiskIO

/// What a log's names, mark and checkpoints say, before any of its segments is looked at: the start
/// of every survey.
package struct LogFrame: Sendable {
  package let directory: LogDirectory
  package let hints: LogHints
  /// What tells where the log begins.
  package let startEvidence: StartEvidence
  package let mark: DurableMark.Contents
  package let layout: SegmentLayout
  /// How far the log is known to be durable, and what may be concluded from it.
  package let point: RecoveryPoint
  /// Whether another program wrote behind the end that a clean mark tells.
  package let isOutrun: Bool
  /// Whether the store's last stop was clean, as far as that may be said of this log.
  package let isCleanStop: Bool
  /// What is known of the batches where this engine alone has written the log.
  package let rules: OwnLogRules
  /// What the log's files say of its epochs.
  package let epochEvidence: EpochEvidence
  /// Losses that an earlier opening noted, and damaged bytes that it fenced at or after the point.
  package internal(set) var noted: KnownLosses.Content
  /// The segments by rising base offset.
  package internal(set) var places: [SegmentPlace]
  /// Index of the first segment that opening walks over.
  package internal(set) var firstWalked: Int
  /// Empty segments that count for nothing (R9).
  package internal(set) var emptied: [SegmentPlace] = []
  /// What the names tell.
  package internal(set) var names: NameFindings

  /// What the names of a directory tell, and what is done about them.
  package struct NameFindings: Sendable {
    /// Files that a plan keeps aside, removes or renames, in this order.
    package var actions: [RecoveryAction] = []
    package var damage: [DamagedRange] = []
    package var sideFileDamage: [SideFileDamage] = []
    /// Files that could not be read.
    package var unreadable: [DiskError] = []
    /// Names that could not be followed.
    package var broken: [DiskError] = []
    /// Those of segments.
    package var brokenLogs: [SegmentName] {
      broken.compactMap { SegmentName(PathText.lastComponent($0.path)) }.filter(\.isLog)
    }
    package var notes: [VerificationNote] = []
    /// Notes that only a verification tells.
    package var details: [VerificationNote] = []
    /// Offsets of the segments that are known to be lost, by rising base offset.
    package var lost: [Range<Int64>] = []
    /// Offset behind the last of them.
    package var lostEnd: Int64 { lost.map(\.upperBound).max() ?? 0 }
  }

  /// The log's epochs as they are on disk; nil where they are missing or do not read.
  package var epochs: LeaderEpochCheckpoint? { epochEvidence.epochs }
  /// Whether the mark was copied here, as a file among others: the files are of different moments
  /// (docs/durability.md#copies).
  package var isCopy: Bool { mark.isCopy }
  /// Whether files beside a segment may tell of records between its end and the next segment, which
  /// begins at `next`; not where a mark does, because a power cut can keep an index page whose
  /// records it takes. What is below the point was synced, whoever wrote it.
  package func isHoleTold(before next: Int64?) -> Bool {
    !isOwnUnclean || next.map { $0 <= point.offset } ?? false
  }
  /// Whether they may tell of records behind the log's end.
  package var isEndTold: Bool { !isOwnUnclean && !isCopy }
  /// Whether this engine was writing when the last session ended.
  package var isOwnUnclean: Bool { point.isOwn && !isCleanStop }
  /// What the log had reached at least: its recovery point, or the end of a segment that is lost.
  package var reachedOffset: Int64 { max(point.offset, names.lostEnd) }
  /// First offset that may be read, as far as anything but the segments tells it.
  package var startHint: Int64 { startEvidence.start ?? 0 }
  /// Base offset of the segment after a place, be it one that is lost.
  package func nextBase(after place: SegmentPlace) -> Int64? {
    let lost = names.lost.first { $0.lowerBound > place.baseOffset }?.lowerBound
    return [place.nextBaseOffset, lost].compactMap { $0 }.min()
  }

  /// Whether opening looks at the log's end alone.
  package func looksAtEndOnly(isForWriting: Bool) -> Bool {
    isCleanStop || !isForWriting && !point.isOwn
  }

  /// Where a segment holds the recovery point of our own last session: a batch begins there, or the
  /// segment ends, also by what an earlier opening noted. What is damaged before it ends there at
  /// the latest, and what follows is judged by itself, wherever the walk began.
  func ownPoint(in place: SegmentPlace, size: Int) -> (position: Int, offset: Int64)? {
    if let end = noted.ends.first(where: { $0.isOf(place, size: size) }) {
      return (end.byteCount, end.offset)
    }
    guard let newest = mark.newest, newest.segmentBaseOffset == place.baseOffset,
      newest.position <= size, newest.recoveryPoint >= place.baseOffset
    else { return nil }
    // A broker may have cut the log below a clean mark since, and gone on.
    let endsThere = newest.isClean && !isOutrun && !isCopy && newest.position == size
    guard isOwnUnclean || endsThere else { return nil }
    return (newest.position, newest.recoveryPoint)
  }

  /// Where an invalid batch is that was to have the offset `expected`.
  package func place(ofFaultAt expected: Int64) -> FaultFacts.Place {
    if isCleanStop { return .afterCleanStop }
    if expected < point.offset { return .belowPoint }
    return point.isOwn ? .aboveOwnPoint : .aboveForeignPoint
  }

  /// A lost range without what lies below the log's start, which was deleted, and without what a
  /// `.log` may hold that cannot be opened; nil where that is all of it.
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

  /// The row of an empty segment; nil where records are missing in it or behind it, so that it is
  /// looked at like any other.
  func emptyRow(isLast: Bool, _ baseOffset: Int64) -> RecoveryRow? {
    if !isLast { return isOwnUnclean || isCopy && rules.isGapless ? nil : .r9 }
    let isExpected = baseOffset >= point.offset
    return isExpected || !(point.isOwn || isCleanStop) ? .r8 : nil
  }
}
