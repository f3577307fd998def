internal import DiskIO
internal import Logging
internal import RecordFormat
internal import Synchronization

/// A log: one `<topic>-<partition>` directory of Kafka's format, appended to by any number of
/// threads and read by any number of `LogReader`s.
///
/// Offsets, all "next offset" style, keep this order (I1):
/// `logStartOffset ≤ recoveryPoint ≤ highWatermark ≤ logEndOffset`.
///
/// **Invariants** (docs/architecture.md): I2 base offsets ascend and segment ranges do not overlap;
/// I3 only the last segment is writable; I4 bytes below a segment's published end never change; I5
/// they are whole batches; I6 index entries ascend; I7 the recovery point passes bytes only once
/// they, their directory entry and, at a segment's end, its indexes are synced; I8 a failed write
/// or sync is final; I9 an index is never evidence.
///
/// **Threads.** Every method may be called from any thread. Locks, in this order: the flush role
/// (one flush at a time), the writer lock (append, roll; no sync under it), and the small locks
/// inside segments (docs/architecture.md#locks-and-threads).
public final class Log: Sendable {
  /// The topic and partition that the directory's name states.
  public let topicPartition: TopicPartition
  /// Settings; fixed while the log is open.
  public let config: LogConfig
  /// What opening found and did.
  public let recovery: RecoveryReport

  package let directory: LogDirectory
  package let context: StoreContext
  package let segments: SegmentList
  /// nil in a log that was opened for reading only.
  package let writer: Locked<LogWriter>?
  package let logEnd: OffsetNotifier
  package let flushed: OffsetNotifier
  package let flushRole = Locked(FlushRole())
  package let poison = Poison()
  /// Producers whose batches were refused, and must come again first.
  package let refused: RefusedBatches
  /// Whom to wake when another object has taken this one's place: its value is 1 from then on.
  package let replaced = OffsetNotifier(0)
  /// Idle builders of `append(records)`.
  package let assemblers = ReusePool<BatchAssembler>()
  /// Idle decoders that check ready batches.
  package let validators = ReusePool<BatchValidator>()
  /// What is known of the log's producers beside the writer's state.
  package let producers: ProducerTracking
  /// The state of the log's producers in a log opened for reading only, as of the last look.
  package let followedProducers: Locked<ProducerState?>
  /// Which leader epoch each part of the log was written in; the last one is the epoch of new
  /// batches.
  package let epochs: LeaderEpochCheckpoint
  /// Settings of the topic that differ from the store's.
  public let overrides: TopicConfig
  /// Why every append is refused: the topic's settings cannot be read. nil where they can.
  public let settingsFault: LogError?
  let deleted = Atomic<Bool>(false)
  let givenUp = Atomic<Bool>(false)
  private let startOffset: Atomic<Int64>
  private let isMarkCurrent = Atomic<Bool>(false)
  /// Threads that are in `prepareToAppend`.
  let preparations = Atomic<Int>(0)
  /// Whether the log had a mark when it was opened, so that a clean close must make it clean.
  package let hadMark: Bool
  /// Whether the mark was copied here, so that the first write replaces it.
  package let hadMarkCopy: Bool
  /// What is known of the batches where this engine alone has written the log.
  package let rules: OwnLogRules
  package let isReadOnly: Bool

  /// Takes over what the loader found. See `LogManager` for opening.
  ///
  /// - Parameter refused: Of the object that this one takes the place of.
  init(
    _ loaded: LoadedLog, config: LogConfig, context: StoreContext,
    settings: LogSettings = LogSettings(), refused: RefusedBatches? = nil
  ) {
    topicPartition = loaded.topicPartition
    self.config = config
    overrides = settings.overrides
    settingsFault = settings.fault
    self.context = context
    self.refused = refused ?? RefusedBatches(expirationMs: context.producerExpirationMs)
    directory = loaded.directory
    recovery = loaded.report
    segments = SegmentList(loaded.segments)
    let producerState = ProducerState(
      endOffset: loaded.logEndOffset, expirationMs: context.producerExpirationMs)
    writer = loaded.writer.map { state in
      var state = state
      state.producers = producerState
      return Locked(state)
    }
    producers = loaded.producers
    context.knownProducerIds.note(loaded.greatestProducerId)
    followedProducers = Locked(loaded.producers.isLoaded ? producerState : nil)
    epochs = loaded.epochs
    isReadOnly = loaded.writer == nil
    logEnd = OffsetNotifier(loaded.logEndOffset)
    flushed = OffsetNotifier(loaded.recoveryPoint)
    startOffset = Atomic(loaded.logStartOffset)
    hadMark = loaded.hasMark
    hadMarkCopy = loaded.isMarkCopy
    rules = loaded.rules
  }

  /// Path of the log's directory.
  public var path: String { directory.path }

  /// Whether the mark says durably that this session appends.
  @inline(__always)
  package var hasCurrentMark: Bool { isMarkCurrent.load(ordering: .acquiring) }

  package func setCurrentMark() { isMarkCurrent.store(true, ordering: .releasing) }

  /// Whether this engine alone has written the log, so that no offset is missing by right.
  package var isGapless: Bool { rules.isGapless }

  // MARK: Offsets

  /// Offset of the first record that may be read.
  public var logStartOffset: Int64 { startOffset.load(ordering: .acquiring) }

  /// Offset that the next appended record gets.
  public var logEndOffset: Int64 { logEnd.value }

  /// All records below this offset survive a power cut.
  public var recoveryPoint: Int64 { flushed.value }

  /// All records below this offset are acknowledged: the recovery point where an acknowledgement
  /// means durable, else the log end offset. In a log opened for reading only, the log end offset.
  public var highWatermark: Int64 {
    !isReadOnly && config.durability == .flushed ? recoveryPoint : logEndOffset
  }

  /// Moves the log start offset (never back); the files below it go with retention.
  package func advanceLogStartOffset(to offset: Int64) {
    var current = startOffset.load(ordering: .relaxed)
    while offset > current {
      let (exchanged, original) = startOffset.compareExchange(
        expected: current, desired: offset, ordering: .acquiringAndReleasing)
      if exchanged { return }
      current = original
    }
  }

  /// Damaged ranges of this log known so far, by offset: found in recovery or by a read.
  public var damagedRanges: [DamagedRange] {
    segments.snapshot.segments.flatMap(\.damagedRanges)
  }

  /// The damage found at opening that took the record at an offset, where some did.
  func lostRange(at offset: Int64) -> DamagedRange? {
    recovery.damage.first { $0.offsets?.contains(offset) ?? false }
  }

  /// Base offsets and sizes of the segments, oldest first.
  ///
  /// - Throws: `LogError` where a file's size cannot be read.
  public func segmentInfo() throws(LogError) -> [SegmentInfo] {
    var result: [SegmentInfo] = []
    for segment in segments.snapshot.segments {
      let end = try end(of: segment)
      result.append(
        SegmentInfo(
          baseOffset: segment.baseOffset, path: segment.path(.log), bytes: Int(end.position),
          isActive: !segment.isSealed))
    }
    return result
  }
}

/// One segment, for people and metrics.
public struct SegmentInfo: Sendable, Equatable {
  /// First offset the segment may hold.
  public var baseOffset: Int64
  /// Path of its `.log` file.
  public var path: String
  /// Bytes of whole batches.
  public var bytes: Int
  /// Whether it is the one that is appended to.
  public var isActive: Bool
}
