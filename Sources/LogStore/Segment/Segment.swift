internal import DiskIO
package import Synchronization

/// One segment of a log: the batches of one `.log` file and what is known of them.
///
/// Immutable but for `end` and `largestTimestamp` (stored by the holder of the writer lock alone;
/// in a read-only log by the refreshing thread), the verified and damaged ranges and the open
/// files, each under its own lock or atomic. Any thread may call any method.
package final class Segment: Sendable {
  /// Offset in the file's name; no batch of the segment begins below it.
  package let baseOffset: Int64
  /// File names: `.log` unless the segment waits under `.swap` in a read-only directory.
  package let logName: String
  /// What this process has checked.
  package let verified = VerifiedRanges()
  private let directory: LogDirectory
  private let packedEnd: Atomic<UInt64>
  private let sealed: Atomic<Bool>
  private let pinned = Atomic<Bool>(false)
  private let retired = Atomic<Bool>(false)
  private let largest: Locked<TimestampOffset?>
  package let damage = SegmentDamage()
  private let opened = Locked(Opened())
  /// Whether what was opened of it may still be read.
  package let service = SegmentService()
  /// Set by each use, cleared by the cache's hand: what was not used since goes first.
  package let recentlyUsed = Atomic<Bool>(false)

  /// - Parameter end: nil for a sealed segment whose file was not looked at yet.
  package init(
    baseOffset: Int64, logName: String? = nil, directory: LogDirectory, end: SegmentEnd?,
    isSealed: Bool, largestTimestamp: TimestampOffset? = nil
  ) {
    self.baseOffset = baseOffset
    self.logName = logName ?? SegmentName(baseOffset, .log).fileName
    self.directory = directory
    packedEnd = Atomic(end?.packed ?? Self.unknownEnd)
    sealed = Atomic(isSealed)
    largest = Locked(largestTimestamp)
  }

  private static let unknownEnd = UInt64.max

  /// Path of one of the segment's files.
  package func path(_ kind: SegmentName.Kind) -> String {
    kind == .log ? directory.path(logName) : directory.path(SegmentName(baseOffset, kind).fileName)
  }

  /// Whether nothing is appended any more (I3).
  package var isSealed: Bool { sealed.load(ordering: .acquiring) }

  package func markSealed() { sealed.store(true, ordering: .releasing) }

  /// The last segment of a writable log, before it is opened for going on.
  package func markUnsealed() { sealed.store(false, ordering: .releasing) }

  /// Whether the writer holds the files open, so that the cache must not close them.
  package var isPinned: Bool { pinned.load(ordering: .acquiring) }

  package func setPinned(_ value: Bool) { pinned.store(value, ordering: .releasing) }

  /// Whether the segment is no part of its log any more: its names may be other files' by now, and
  /// what was opened before is still right.
  package var isRetired: Bool { retired.load(ordering: .acquiring) }

  /// Comes before any file of the segment loses its name.
  func retire() { retired.store(true, ordering: .releasing) }

  // MARK: End

  /// The published end (acquire): all bytes below it are whole batches and never change (I4, I5).
  @inline(__always)
  package var publishedEnd: SegmentEnd { SegmentEnd(packed: packedEnd.load(ordering: .acquiring)) }

  /// Whether `publishedEnd` is known without a look at the file.
  package var isEndKnown: Bool { packedEnd.load(ordering: .acquiring) != Self.unknownEnd }

  /// Publishes a new end; pairs with the acquire in `publishedEnd`: whoever sees the end sees the
  /// bytes and the index entries stored before.
  @inline(__always)
  package func publish(_ end: SegmentEnd) { packedEnd.store(end.packed, ordering: .releasing) }

  // MARK: Time

  /// The greatest record time and the batch that reached it, where known.
  package var largestTimestamp: TimestampOffset? { largest.withLock { $0 } }

  package func setLargestTimestamp(_ value: TimestampOffset?) { largest.withLock { $0 = value } }

  // MARK: Damage

  /// Damaged ranges found so far, by position.
  package var damagedRanges: [DamagedRange] { damage.ranges }

  /// Notes a damaged range; the same one twice is one. Returns whether it is new.
  @discardableResult
  package func addDamage(_ range: DamagedRange) -> Bool { damage.add(range) }

  /// The damaged range that begins at `position`, where one was found.
  package func damage(at position: Int) -> DamagedRange? {
    damagedRanges.first { $0.bytes.lowerBound == position }
  }

  /// Where the damage ends that was found before `target`, if reading goes on there.
  package func position(behindDamageBefore target: Int64) -> Int? {
    damagedRanges.last { $0.offsets?.upperBound == target }?.bytes.upperBound
  }

  /// Where a read of `target` begins that an index sends to `entry`: there, unless what was found
  /// of the segment's damage contradicts the entry, and then where that damage begins.
  package func start(at entry: OffsetPosition, for target: Int64) -> Int {
    for range in damagedRanges {
      guard let offsets = range.offsets else { continue }
      let isBehind = entry.position >= range.bytes.upperBound
      let isBefore = entry.position < range.bytes.lowerBound
      let agrees =
        isBehind && entry.offset >= offsets.upperBound
        || isBefore && entry.offset < offsets.lowerBound
      if !agrees { return target >= offsets.lowerBound ? range.bytes.lowerBound : 0 }
    }
    return entry.position
  }

  // MARK: Files

  private struct Opened {
    /// What whoever opens the segment gets; nil where the cache has let go of it.
    var kept: SegmentFiles?
    /// What was kept before and may have users left.
    var used: [UsedFiles] = []
    /// Whether nothing of the segment is read any more.
    var isAbandoned = false

    mutating func noteUsed(_ files: SegmentFiles) {
      used.removeAll { $0.files == nil }
      used.append(UsedFiles(files: files))
    }
  }

  private struct UsedFiles {
    weak let files: SegmentFiles?
  }

  /// The open files, where they are open.
  package var openFiles: SegmentFiles? { opened.withLock { $0.kept } }

  /// Keeps `files` open (nil: lets them close with their last user). Returns what is kept: the
  /// files that another thread opened first, if one did; nil after `abandonFiles`.
  @discardableResult
  package func keepOpen(_ files: SegmentFiles?) -> SegmentFiles? {
    opened.withLock { opened in
      if opened.isAbandoned { return nil }
      if let kept = opened.kept {
        if files != nil { return kept }
        opened.noteUsed(kept)
      }
      opened.kept = files
      return files
    }
  }

  /// Puts `files` in the place of whatever was open, as after an index was rebuilt.
  package func replaceOpen(_ files: SegmentFiles) {
    opened.withLock { opened in
      if let kept = opened.kept { opened.noteUsed(kept) }
      opened.kept = files
    }
  }

  /// Lets go of every file of the segment that is open, whoever uses it, so that deleted files take
  /// no space: reads fail from then on.
  ///
  /// - Throws: Where that did not succeed with all; it may be tried again.
  func abandonFiles() throws(DiskError) {
    let open = opened.withLock { opened in
      opened.isAbandoned = true
      if let kept = opened.kept { opened.noteUsed(kept) }
      opened.kept = nil
      return opened.used.compactMap(\.files)
    }
    for files in open { try files.abandon() }
  }
}
