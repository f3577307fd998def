internal import DiskIO
internal import RecordFormat

/// A log: one `<topic>-<partition>` directory of Kafka's format, appended to by any number of
/// threads and read by any number of `LogReader`s.
///
/// ```swift
/// let orders = try await store.log("orders", .createIfMissing)
/// try await orders.append([NewRecord(key: "anna", value: "2 apples")])
/// for try await record in orders.records(through: .currentEnd) { print(record.text ?? "") }
/// ```
///
/// A facade: each part of its state has an owner of its own (docs/architecture.md#owners).
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
/// **Threads.** Every method may be called from any thread.
public final class Log: Sendable {
  /// What opening found and did.
  public let recovery: RecoveryReport

  package let environment: LogEnvironment
  package let store: SegmentStore
  package let offsets: LogOffsets
  package let health: LogHealth
  let access: SegmentAccess
  package let producers: ProducerKeeper
  /// nil in a log that was opened for reading only.
  package let writing: Writing?
  /// Of the last check for what retention deletes.
  let retentionNote = RetentionNote()
  /// Becomes 1 once another object has taken this one's place.
  package let replaced = OffsetNotifier(0)

  /// The owners of what only a log that is appended to has.
  package final class Writing: Sendable {
    package let writer: Writer
    package let pipeline: FlushPipeline
    package let appender: Appender

    init(_ writer: Writer, _ pipeline: FlushPipeline, _ appender: Appender) {
      self.writer = writer
      self.pipeline = pipeline
      self.appender = appender
    }
  }

  /// Takes over what the loader found. See `Store` for opening.
  ///
  /// - Parameter refused: Of the object that this one takes the place of.
  init(
    _ loaded: LoadedLog, config: LogConfig, context: StoreContext,
    settings: LogSettings = LogSettings(), refused: RefusedBatches? = nil
  ) {
    recovery = loaded.report
    environment = LogEnvironment(
      loaded.topicPartition, in: loaded.directory, config: config, settings: settings,
      context: context, isReadOnly: loaded.writer == nil)
    precondition(
      loaded.state.startOffset <= loaded.recoveryPoint,
      "I1: a log that starts at \(loaded.state.startOffset) is durable to \(loaded.recoveryPoint)")
    store = SegmentStore(loaded.state, environment)
    offsets = LogOffsets(
      end: loaded.logEndOffset, flushed: loaded.recoveryPoint,
      isAcknowledgedOnceFlushed: loaded.writer != nil && config.durability == .flushed)
    let role = FlushRole()
    health = LogHealth(environment, offsets, role)
    var writer: Writer?
    let nothingKnown = ProducerState(
      endOffset: loaded.logEndOffset, expirationMs: context.producerExpirationMs)
    if var state = loaded.writer {
      state.producers = nothingKnown
      writer = Writer(
        environment, store, offsets, health, loaded.producers,
        refused ?? RefusedBatches(expirationMs: context.producerExpirationMs), state: state)
    }
    context.knownProducerIds.note(loaded.greatestProducerId)
    access = SegmentAccess(environment, store, offsets, health, writer)
    producers = ProducerKeeper(
      access, loaded.producers, role, followed: loaded.producers.isLoaded ? nothingKnown : nil)
    guard let writer else {
      writing = nil
      return
    }
    let pipeline = FlushPipeline(
      environment, store, offsets, health, role, writer, access, producers,
      opened: .init(
        hadMark: loaded.hasMark, isCopy: loaded.isMarkCopy, wasClean: loaded.report.wasClean))
    writing = Writing(writer, pipeline, Appender(environment, health, writer, pipeline))
  }

  // MARK: What it is

  /// The topic and partition that the directory's name states.
  public var topicPartition: TopicPartition { environment.topicPartition }
  /// Path of the log's directory.
  public var path: String { environment.path }
  /// What the log goes by now; `Store.alterTopic` changes it.
  public var config: LogConfig { environment.config }
  /// Settings of the topic that differ from the store's.
  public var overrides: TopicConfig { environment.settings.overrides }
  /// Why every append is refused: the topic's settings cannot be read. nil where they can.
  public var settingsFault: LogError? { environment.settingsFault }
  /// Whether the retention policy was set or confirmed since the last session of a broker
  /// in the store's directory.
  public var isPolicyConfirmed: Bool { context.policies.counts(environment.settings.policySession) }
  package var context: StoreContext { environment.context }

  // MARK: Offsets

  /// Offset of the first record that may be read.
  public var logStartOffset: Int64 { store.startOffset }
  /// Offset that the next appended record gets.
  public var logEndOffset: Int64 { offsets.end.value }
  /// All records below this offset are durable in the log's own files: what Kafka calls the
  /// recovery point. Records up to `durableEndOffset` may be durable in the store's journal alone.
  public var recoveryPoint: Int64 { offsets.recoveryPoint }
  /// All records below this offset survive a power cut.
  public var durableEndOffset: Int64 { offsets.flushed.value }
  /// All records below this offset are acknowledged: the durable end where an acknowledgement
  /// means durable, else the log end offset. In a log opened for reading only, the log end offset.
  public var highWatermark: Int64 { offsets.acknowledged.value }

  /// The epoch that appended batches are stamped with.
  public var leaderEpoch: Int32 { store.state.epochs.latest }

  /// Where `epoch` ends, as Kafka's `LeaderEpochFileCache.endOffsetFor` tells it: a consumer that
  /// read further in that epoch has read what is no longer part of the log.
  ///
  /// - Returns: nil where the log knows no such epoch: above the last one, or nothing is known.
  package func endOffset(forLeaderEpoch epoch: Int32) -> EpochEnd? {
    store.state.epochs.end(of: epoch, logEnd: logEndOffset)
  }

  // MARK: Segments

  /// Damaged ranges of this log known so far, by offset: found in recovery or by a read.
  public var damagedRanges: [DamagedRange] { store.state.segments.flatMap(\.damagedRanges) }

  /// Base offsets and sizes of the segments, oldest first.
  ///
  /// - Throws: `LogError` where a file's size cannot be read.
  public func segmentInfo() throws(LogError) -> [SegmentInfo] {
    try access.retrying { () throws(LogError) in
      var result: [SegmentInfo] = []
      for segment in store.state.segments {
        let end =
          segment.isEndKnown ? segment.publishedEnd : try access.open(segment).end()
        result.append(
          SegmentInfo(
            baseOffset: segment.baseOffset, path: segment.path(.log), bytes: Int(end.position),
            isActive: !segment.isSealed))
      }
      return result
    }
  }

  // MARK: End of use

  /// Makes everything durable and the directory as a clean stop leaves it; see
  /// `FlushPipeline.close`.
  package func close() throws(LogError) { try writing?.pipeline.close(after: recovery) }

  /// Ends every use of the log before its directory goes: appends and waits fail with `.closed`,
  /// no flush runs any more, and no file is kept open.
  func endForDeletion() {
    endUse { health.markDeleted() }
    store.end(removingAll: true).forEach(letGo)
  }

  /// Ends every use of the files, before the store gives its lock back: what they hold after that
  /// is for the next session to say, which may cut them. Changes nothing on disk. Idempotent.
  func giveUp() {
    if health.giveUp() { return }
    endUse {}
    store.end(removingAll: false).filter { $0.openFiles != nil }.forEach(letGo)
  }

  private func endUse(marking: () -> Void) {
    guard let writing else {
      marking()
      return health.endWaits()
    }
    writing.pipeline.endUse(marking: marking)
  }

  private func letGo(of segment: Segment) {
    segment.setPinned(false)
    context.fileCache.remove(segment)
  }
}
