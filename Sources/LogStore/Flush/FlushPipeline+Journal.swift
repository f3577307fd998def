internal import CMkstoreShims
internal import CoreMetrics
internal import DiskIO
internal import RecordFormat

/// A flush whose bytes are written to the store's journal, with those of other logs. The thread
/// that began it holds the flush role until it ends, as for any other flush.
struct JournaledFlush: JournalMember {
  let pipeline: FlushPipeline
  let work: FlushWork
  let active: ActiveSegment
  let entry: JournalEntry

  var client: any JournalClient { pipeline }

  func read(into bytes: inout MutableSpan<UInt8>) throws(DiskError) {
    let log = active.log
    if log.isUnlinked { throw DiskError.notFound(.sync, log.path) }
    guard try log.read(into: &bytes, at: entry.position) == bytes.count,
      Self.holdsBatches(bytes.span, entry.offsets)
    else { throw .cutUnderWriter(log.path) }
  }

  func end(isDurable: Bool) { pipeline.endJournaledFlush(self, isDurable: isDurable) }

  /// Whether the bytes are those that were appended: whole batches with right checksums.
  private static func holdsBatches(_ bytes: Span<UInt8>, _ offsets: Range<Int64>) -> Bool {
    var position = 0
    var next = offsets.lowerBound
    while position < bytes.count {
      do throws(BatchError) {
        let header = try BatchHeader(bytes.extracting(position...))
        guard header.baseOffset >= next, header.byteCount <= bytes.count - position else {
          return false
        }
        let part = bytes.extracting(position..<position + header.byteCount)
        try RecordBatch(part, header: header).checkCRC()
        next = header.nextOffset
        position += header.byteCount
      } catch {
        return false
      }
    }
    return next == offsets.upperBound
  }
}

extension FlushPipeline {
  /// Begins a flush of what was appended so far, for the journal.
  ///
  /// Only for appends to the active segment. What a roll leaves (trimmed indexes, new names,
  /// producer snapshots) is rare and takes a flush of its own; so does a file that a failed write
  /// may have left bytes in.
  func beginJournaledFlush(bytesMax: Int) -> JournalStart {
    guard log.config.durability == .flushed, !health.isFailed, role.tryTake() else {
      return .alone
    }
    guard !health.isGone else {
      giveBackRole()
      return .alone
    }
    var isIdle = false
    let work = writer.takeFlushWork { state in
      isIdle = offsets.end.value == offsets.flushed.value
      guard let active = state.active, state.unsyncedSealed.isEmpty, !state.isDirectoryDirty,
        state.pendingSnapshots.isEmpty, !active.hadStrayTail
      else { return false }
      return !isIdle && active.position - durablePosition(in: active) <= bytesMax
    }
    guard let work, let active = work.active else {
      giveBackRole()
      return isIdle ? .idle : .alone
    }
    let from = durablePosition(in: active)
    let entry = JournalEntry(
      logName: logName, topicId: topicId, segmentBase: active.baseOffset, position: from,
      byteCount: active.position - from, offsets: offsets.flushed.value..<work.target,
      payloadStart: 0, crc: 0)
    return .begun(JournaledFlush(pipeline: self, work: work, active: active, entry: entry))
  }

  /// Ends the flush and wakes its waiters.
  func endJournaledFlush(_ flush: JournaledFlush, isDurable: Bool) {
    defer { giveBackRole() }
    guard isDurable, !health.isFailed else {
      // A failure fails the log and reaches every waiter; no other caller needs it.
      _ = finish(flush.work)
      return
    }
    withState { state in
      state.durableBase = flush.active.baseOffset
      state.durablePosition = flush.active.position
    }
    let metrics = log.context.metrics
    metrics.flushTime.recordNanoseconds(mk_monotonic_ns() - flush.work.startedNs)
    metrics.flushedRecords.record(flush.work.target - offsets.flushed.value)
    offsets.flushed.publish(flush.work.target)
  }

  /// Up to where the segment's bytes are durable, in it or in the journal.
  private func durablePosition(in active: ActiveSegment) -> Int {
    let noted = mark.flushedPosition(in: active)
    return withState { state in
      state.durableBase == active.baseOffset ? max(state.durablePosition, noted) : noted
    }
  }

  /// The topic's id as the log's directory has it; zero if it has none.
  private var topicId: Uuid {
    if let known = withState({ $0.topicId }) { return known }
    var id: Uuid?
    do throws(CheckpointError) {
      id = try PartitionMetadata.read(log.disk, directory: log.path)?.topicId
    } catch {
      // The entries then tell the log by its mark.
      id = nil
    }
    let found = id ?? .zero
    withState { $0.topicId = found }
    return found
  }
}

extension FlushPipeline: JournalClient {
  var logName: String { PathText.lastComponent(log.path) }
  var recoveryPoint: Int64 { offsets.recoveryPoint }
  var needsNoJournal: Bool { health.isDeleted }
  var isFailed: Bool { health.isFailed }

  func beginOwnSync() -> OwnSync? {
    if health.isFailed || health.isGone { return nil }
    guard let work = writer.activeFlushWork() else {
      // What a roll left takes a flush of its own. A failure fails the log.
      do throws(LogError) { try syncOwnFiles() } catch { return nil }
      return nil
    }
    guard work.target > offsets.recoveryPoint, let active = work.active else { return nil }
    do throws(DiskError) {
      try active.log.writeOut()
    } catch {
      health.fail(error)
      return nil
    }
    return OwnSync(work: work, log: active.log)
  }

  func endOwnSync(_ sync: OwnSync, isSynced: Bool) {
    do throws(DiskError) {
      if isSynced { try sync.log.checkWritten() } else { try sync.log.sync() }
    } catch {
      if !health.isGone { health.fail(error) }
      return
    }
    role.take()
    defer { giveBackRole() }
    if health.isFailed || health.isGone { return }
    noteOwnSync(sync.work)
  }

  func keepEntries(_ groups: [UInt8]) throws(DiskError) {
    try KeptEntries.add(groups, to: log.directory)
  }
}
