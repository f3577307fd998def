package import DiskIO
internal import RecordFormat

/// What opening a log found: everything `Log` starts from.
package struct LoadedLog {
  package var topicPartition: TopicPartition
  package var directory: LogDirectory
  package var segments: [Segment]
  /// nil in a log opened for reading only.
  package var writer: LogWriter?
  package var logStartOffset: Int64
  package var logEndOffset: Int64
  package var recoveryPoint: Int64
  /// Whether the directory has a durable mark.
  package var hasMark: Bool
  /// What is known of the batches where this engine alone has written the log.
  package var rules: OwnLogRules
  package var producers: ProducerTracking
  /// The greatest producer id of those that a store gives out in what was scanned, -1 none.
  package var greatestProducerId: Int64
  package var epochs: LeaderEpochCheckpoint
  package var report: RecoveryReport
}

/// Opens one log by the recovery table (docs/durability.md#recovery).
///
/// Reads a handful of bytes of index files and the log's unsynced tail, whatever its size; segments
/// below the recovery point are not even opened. With `access` `.write` it carries the plan out,
/// durably, before it returns; with `.read` it changes nothing and gives the same view.
package struct LogLoader {
  /// Whether the directory may be changed.
  package enum Access: Sendable { case read, write }

  /// What the store knows about the log.
  package struct Hints: Sendable {
    /// Whether the clean-shutdown marker stood.
    package var isCleanStop: Bool
    /// This log's lines in the store's checkpoints.
    package var recoveryPoint: Int64?
    package var logStartOffset: Int64?
    /// Whether all that stands in the directory was made durable since nobody else writes to it.
    package var isSynced: Bool

    package init(
      isCleanStop: Bool, recoveryPoint: Int64?, logStartOffset: Int64?, isSynced: Bool = false
    ) {
      self.isCleanStop = isCleanStop
      self.recoveryPoint = recoveryPoint
      self.logStartOffset = logStartOffset
      self.isSynced = isSynced
    }
  }

  private let topicPartition: TopicPartition
  let directory: LogDirectory
  let config: LogConfig
  let access: Access
  let hints: Hints
  let nowMs: Int64
  var disk: any Disk { directory.disk }
  var report: RecoveryReport
  var segments: [Segment] = []
  var tail = Tail()
  /// The log's epochs as they stand on disk; nil where they are missing or do not read.
  private var epochsOnDisk: LeaderEpochCheckpoint?
  private var rules = OwnLogRules.none
  /// Base offset of the first segment that is known to be lost, offset behind the last one.
  var lostStart: Int64?
  var lostEnd: Int64 = 0
  /// Index files that cannot be opened or read, and why.
  var unreadableIndexes: [String: DiskError] = [:]
  /// Whether the files beside a segment may tell of records behind its end; not where a mark does.
  var isEndTold = false

  /// A last segment of at most so many bytes (one read) is walked over as a whole at a clean stop
  /// that no mark vouches for.
  package static let wholeWalkBytesMax = 1 << 20

  /// The log's end as far as it is known.
  struct Tail {
    var nextOffset: Int64 = 0
    var dormant: DormantSegment?
    /// Names or sizes changed: the directory needs a sync.
    var isDirectoryDirty = false
    var sawProducers = false
    var greatestProducerId: Int64 = -1
    /// Of records behind the last segment's end.
    var evidence: EndEvidence?
  }

  package init(
    _ topicPartition: TopicPartition, in directory: LogDirectory, config: LogConfig,
    access: Access, hints: Hints, nowMs: Int64
  ) {
    self.topicPartition = topicPartition
    self.directory = directory
    self.config = config
    self.access = access
    self.hints = hints
    self.nowMs = nowMs
    report = RecoveryReport(wasClean: hints.isCleanStop)
  }

  /// Opens the log.
  package mutating func load() throws(DiskError) -> LoadedLog {
    let mark = try DurableMark.read(directory)
    var layout = try readLayout(isForeign: mark.newest == nil)
    let point = RecoveryPoint.judge(
      mark, checkpoint: hints.recoveryPoint, bootIdentifier: disk.bootIdentifier)
    // Sealed segments of a log that this engine wrote are not even opened.
    if mark.newest == nil { try setStraysAside(&layout) }
    segments = layout.entries.map {
      Segment(
        baseOffset: $0.baseOffset, logName: access == .read ? $0.logName : nil,
        directory: directory, end: nil, isSealed: true)
    }
    report.segmentCount = segments.count
    report.notes += layout.unknown.map { "\($0) is none of Kafka's files and was left alone" }
    epochsOnDisk = readEpochs()
    rules = OwnLogRules(
      mark.newest, standsBeyondMark: try standsBeyond(mark.newest, layout), epochs: epochsOnDisk)
    isEndTold = !point.isOwn
    try recover(point)
    let start = logStart()
    let reached = max(tail.nextOffset, start)
    tail.nextOffset = max(tail.nextOffset, start, lostEnd, reachedOffset(layout))
    if point.isOwn || hints.isCleanStop { tail.nextOffset = max(tail.nextOffset, point.offset) }
    let untold = max(start, lostEnd)
    if segments.isEmpty, untold < tail.nextOffset {
      report.damage.append(
        DamagedRange(
          file: directory.path(SegmentName(untold, .log).fileName), bytes: 0..<0,
          offsets: untold..<tail.nextOffset,
          reason: "the log has no segment, but had reached offset \(tail.nextOffset)"))
    }
    noteLostTail(layout, from: reached)
    report.logStartOffset = start
    report.logEndOffset = tail.nextOffset
    let epochs = try leaderEpochs(epochsOnDisk, from: start)
    let producers = try producerTracking(layout, mark)
    try finish()
    return LoadedLog(
      topicPartition: topicPartition, directory: directory, segments: segments,
      writer: access == .write
        ? LogWriter(dormant: usableDormant(), leaderEpoch: epochs.latest) : nil,
      logStartOffset: start, logEndOffset: tail.nextOffset, recoveryPoint: tail.nextOffset,
      hasMark: mark.newest != nil, rules: finalRules(layout, mark), producers: producers,
      greatestProducerId: tail.greatestProducerId, epochs: epochs, report: report)
  }

  // MARK: Ends

  /// The start by the store's checkpoint, else the first segment's base; never beyond the log's
  /// end.
  private func logStart() -> Int64 {
    let first = segments.first?.baseOffset ?? lostStart ?? tail.nextOffset
    return max(first, hints.logStartOffset ?? first)
  }

  /// Whether somebody else wrote behind the mark.
  private func standsBeyond(
    _ newest: MarkRecord?, _ layout: SegmentLayout
  ) throws(DiskError) -> Bool {
    guard let newest, newest.isGapless, newest.isClean else { return false }
    for entry in layout.entries where entry.baseOffset >= newest.segmentBaseOffset {
      let name = access == .read ? entry.logName : SegmentName(entry.baseOffset, .log).fileName
      let size = try disk.status(directory.path(name))?.size ?? 0
      if newest.isOutrun(by: entry.baseOffset, byteCount: size) { return true }
    }
    return layout.entries.last.map { newest.isOutrun(by: $0.baseOffset, byteCount: 0) } ?? false
  }

  /// What may be held against the log's batches from now on: what was held against them now, or
  /// they would be judged otherwise the next time; and of a log that begins empty, that this engine
  /// writes it from its first record on.
  private func finalRules(_ layout: SegmentLayout, _ mark: DurableMark.Contents) -> OwnLogRules {
    guard mark.newest == nil else { return rules }
    // The first session may have been killed between its first segment and its first mark.
    let isEmpty = segments.allSatisfy { $0.isEndKnown && $0.publishedEnd.position == 0 }
    let isNew = tail.nextOffset == 0 && isEmpty && layout.snapshots.isEmpty
    return isNew ? OwnLogRules(epochs: epochsOnDisk) : .none
  }

  /// The last segment, if the log really ends in it.
  private func usableDormant() -> DormantSegment? {
    guard let dormant = tail.dormant, dormant.nextOffset == tail.nextOffset else { return nil }
    dormant.segment.markUnsealed()
    return dormant
  }

  // MARK: Recovery

  private mutating func recover(_ point: RecoveryPoint) throws(DiskError) {
    // A clean stop, and a reader of somebody else's directory, look at the log's end only.
    let looksAtEndOnly = hints.isCleanStop || (access == .read && !point.isOwn)
    var index =
      looksAtEndOnly
      ? segments.count - 1
      : (segments.lastIndex {
        $0.baseOffset <= min(point.offset, point.segmentBaseOffset)
      } ?? 0)
    index = max(0, index)
    while index < segments.count {
      let segment = segments[index]
      guard let log = try open(segment) else {
        segments.remove(at: index)
        index = max(0, index - 1)
        continue
      }
      let size = try log.size()
      if access == .write, !hints.isCleanStop { try syncAndForget(segment, log, size, point) }
      if size == 0, let row = emptyRow(index, point) {
        if row == .r8 { return try keepEmptyLast(segment) }
        try removeEmpty(at: index)
        continue
      }
      try removeEmptyOnes(after: index, point)
      let outcome = try scan(index, log, size: size, point, fromLastEntry: looksAtEndOnly)
      try settle(outcome, segment: segment, log: log)
      if outcome.cut != nil {
        try dropSegments(after: index)
        return
      }
      index += 1
    }
  }

  /// Opens a segment's file; nil where a reader is refused, who then does without it.
  private mutating func open(_ segment: Segment) throws(DiskError) -> (any DiskFile)? {
    let path = segment.path(.log)
    do throws(DiskError) {
      return try disk.open(path, access == .write ? .readWrite : .read)
    } catch {
      guard access == .read, segments.count > 1, !error.isNotFound else { throw error }
      report.damage.append(
        DamagedRange(file: path, bytes: 0..<0, offsets: nil, reason: "\(error)"))
      return nil
    }
  }

  /// Empty segments that count for nothing (R9) go before the one in front of them is scanned:
  /// their names bound nobody's offsets.
  private mutating func removeEmptyOnes(
    after index: Int, _ point: RecoveryPoint
  ) throws(DiskError) {
    let next = index + 1
    while next < segments.count - 1, emptyRow(next, point) == .r9,
      try disk.status(segments[next].path(.log))?.size == 0
    {
      try removeEmpty(at: next)
    }
  }

  /// The row of an empty segment; nil where records are missing in it or behind it, so that it is
  /// looked at like any other.
  private func emptyRow(_ index: Int, _ point: RecoveryPoint) -> RecoveryRow? {
    let isLast = index == segments.count - 1
    if !isLast { return point.isOwn && !hints.isCleanStop ? nil : .r9 }
    let isExpected = segments[index].baseOffset >= point.offset
    return isExpected || !(point.isOwn || hints.isCleanStop) ? .r8 : nil
  }

  private mutating func scan(
    _ index: Int, _ log: any DiskFile, size: Int, _ point: RecoveryPoint, fromLastEntry: Bool
  ) throws(DiskError) -> SegmentRecovery.Outcome {
    let segment = segments[index]
    let next = index + 1 < segments.count ? segments[index + 1].baseOffset : nil
    let disk = disk
    var probe = try IndexProbe(segment, log: log, disk: disk)
    defer { for fault in probe.faults { unreadableIndexes[fault.path] = fault } }
    let areIndexesSane = try probe.prefix(below: size, offset: Int64.max) != nil
    if hints.isCleanStop, !areIndexesSane { report.rebuiltIndexes.append(segment.path(.index)) }
    let walk = SegmentRecovery(
      .init(
        segment: segment, log: log, size: size, isLast: next == nil,
        isCleanStop: hints.isCleanStop, point: point, rules: rules, nextBaseOffset: next,
        intervalBytes: config.indexIntervalBytes, areIndexesSane: areIndexesSane))
    let start = try scanStart(segment, &probe, size, point, fromLastEntry: fromLastEntry)
    let outcome = try walk.run(from: start)
    report.bytesScanned += outcome.position - outcome.scanStart
    // A fault seen from a start that an index gave may be the index's fault, and so may a greatest
    // time that the walk did not confirm; and a mark that is not this session's may point into the
    // middle of what a broker wrote since. Then look from the first byte.
    let isDoubtful = !outcome.damage.isEmpty || outcome.cut != nil
    if let start, fromLastEntry || !point.isOwn,
      isDoubtful || !start.isConfirmed(by: outcome.index.cursor)
    {
      let whole = try walk.run(from: nil)
      report.bytesScanned += whole.position
      return whole
    }
    // What an index leads to need not be what the batches before it lead to; where looking costs
    // next to nothing, they are asked.
    if start?.claimed != nil, size <= Self.wholeWalkBytesMax {
      let whole = try walk.run(from: nil)
      report.bytesScanned += whole.position
      if !whole.damage.isEmpty || whole.nextOffset != outcome.nextOffset { return whole }
    }
    return outcome
  }

  /// Where the walk may begin without losing index entries; nil: at the first byte.
  private func scanStart(
    _ segment: Segment, _ probe: inout IndexProbe, _ size: Int, _ point: RecoveryPoint,
    fromLastEntry: Bool
  ) throws(DiskError) -> WalkStart? {
    if let start = point.scanStart, start.segmentBaseOffset == segment.baseOffset,
      start.position <= size, start.offset >= segment.baseOffset,
      let prefix = try probe.prefix(countedBy: start)
    {
      return WalkStart(
        position: start.position, offset: start.offset, prefix: prefix, largest: start.largest)
    }
    // Without a mark only an index that was trimmed at a clean stop may be believed, and only its
    // last entries, which the walk begins at.
    guard fromLastEntry, let whole = try probe.prefix(below: size, offset: Int64.max),
      let lastTime = whole.lastTime, whole.offsetEntries > 0
    else { return nil }
    return try probe.start(before: lastTime)
  }
}
