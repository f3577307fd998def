internal import DiskIO
internal import Synchronization

/// One segment of a log: the batches of one `.log` file and what is known of them.
///
/// Immutable except for `end` and `largestTimestamp` (stored only by the holder of the writer lock;
/// in a read-only log by the refreshing thread), the verified and damaged ranges and the open
/// files, each under its own lock or atomic. Any thread may call any method.
package final class Segment: Sendable {
  /// Offset in the file's name; no batch of the segment begins below it.
  package let baseOffset: Int64
  /// File names: `.log` unless the segment is still named `.swap` in a read-only directory.
  package let logName: String
  /// The bytes that this process has checked.
  let verified = VerifiedRanges()
  private let directory: LogDirectory
  private let packedEnd: Atomic<UInt64>
  private let sealed: Atomic<Bool>
  private let pinned = Atomic<Bool>(false)
  private let retired = Atomic<Bool>(false)
  private let largest: Locked<TimestampOffset?>
  let damage = SegmentDamage()
  private let opened = Locked(Opened())
  /// Whether opened files of it may still be read.
  let service = SegmentService()
  /// Set by each use, cleared by the cache's hand: segments unused since are evicted first.
  let recentlyUsed = Atomic<Bool>(false)

  /// - Parameter end: nil for a sealed segment whose file was not examined yet.
  init(
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
  var isSealed: Bool { sealed.load(ordering: .acquiring) }

  func markSealed() { sealed.store(true, ordering: .releasing) }

  /// Marks the last segment of a writable log, before it is opened for appending.
  func markUnsealed() { sealed.store(false, ordering: .releasing) }

  /// Whether the writer holds the files open, so that the cache must not close them.
  var isPinned: Bool { pinned.load(ordering: .acquiring) }

  func setPinned(_ value: Bool) { pinned.store(value, ordering: .releasing) }

  /// Whether the segment is no part of its log any more: its names may belong to other files by
  /// now, while files opened before are still right.
  var isRetired: Bool { retired.load(ordering: .acquiring) }

  /// Called before any file of the segment loses its name.
  func retire() { retired.store(true, ordering: .releasing) }

  // MARK: End

  /// The published end (acquire): all bytes below it are whole batches and never change (I4, I5).
  @inline(__always)
  var publishedEnd: SegmentEnd { SegmentEnd(packed: packedEnd.load(ordering: .acquiring)) }

  /// Whether `publishedEnd` is known without reading the file's size.
  var isEndKnown: Bool { packedEnd.load(ordering: .acquiring) != Self.unknownEnd }

  /// Publishes a new end; pairs with the acquire in `publishedEnd`: a reader that sees the end sees
  /// the bytes and the index entries stored before.
  @inline(__always)
  func publish(_ end: SegmentEnd) { packedEnd.store(end.packed, ordering: .releasing) }

  // MARK: Time

  /// The greatest record time and the batch that reached it, if known.
  var largestTimestamp: TimestampOffset? { largest.withLock { $0 } }

  func setLargestTimestamp(_ value: TimestampOffset?) { largest.withLock { $0 = value } }

  // MARK: Damage

  /// Damaged ranges found so far, by position.
  package var damagedRanges: [DamagedRange] { damage.ranges }

  /// Records a damaged range; the same one twice counts once. Returns whether it is new.
  @discardableResult
  func addDamage(_ range: DamagedRange) -> Bool { damage.add(range) }

  /// The damaged range that begins at `position`, if one was found.
  package func damage(at position: Int) -> DamagedRange? {
    damagedRanges.first { $0.bytes.lowerBound == position }
  }

  /// Where the damage before `target` ends, if reading continues there.
  package func position(behindDamageBefore target: Int64) -> Int? {
    damagedRanges.last { $0.offsets?.upperBound == target }?.bytes.upperBound
  }

  /// Where a read of `target` begins if an index gives `entry`: there, unless known damage of the
  /// segment contradicts the entry, and then where that damage begins.
  func start(at entry: OffsetPosition, for target: Int64) -> Int {
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
    /// The files for later users; nil if the cache has released them.
    var kept: SegmentFiles?
    /// Files that were kept before and may still have users.
    var used: [UsedFiles] = []
    /// Whether the segment may not be read any more.
    var isAbandoned = false

    mutating func noteUsed(_ files: SegmentFiles) {
      used.removeAll { $0.files == nil }
      used.append(UsedFiles(files: files))
    }
  }

  private struct UsedFiles {
    weak let files: SegmentFiles?
  }

  /// The open files, if they are open.
  var openFiles: SegmentFiles? { opened.withLock { $0.kept } }

  /// Keeps `files` open (nil: lets them close with their last user). Returns the kept files: those
  /// of another thread if it opened them first; nil after `abandonFiles`.
  @discardableResult
  func keepOpen(_ files: SegmentFiles?) -> SegmentFiles? {
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

  /// Replaces the open files by `files`, as after an index was rebuilt.
  func replaceOpen(_ files: SegmentFiles) {
    opened.withLock { opened in
      if let kept = opened.kept { opened.noteUsed(kept) }
      opened.kept = files
    }
  }

  /// Closes every open file of the segment, even if in use, so that deleted files take no space:
  /// reads fail from then on.
  ///
  /// - Throws: If that did not succeed with all; it may be called again.
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
