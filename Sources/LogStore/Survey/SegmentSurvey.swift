import DiskIO
import RecordFormat

/// Surveys one segment of a log: where to begin the walk over its batches, what the walk found, and
/// which offsets are missing after its end. Only reads.
struct SegmentSurvey {
  /// A last segment of at most this many bytes (one read) is walked over as a whole at a clean stop
  /// if no mark covers it.
  static let wholeWalkBytesMax = 1 << 20

  private let frame: LogFrame
  private let index: Int
  private let options: SurveyOptions
  private let meter: VerificationMeter?
  private var place: SegmentPlace { frame.places[index] }

  /// - Parameter index: Of the segment in the frame.
  init(
    _ frame: LogFrame, _ index: Int, _ options: SurveyOptions, meter: VerificationMeter? = nil
  ) {
    self.frame = frame
    self.index = index
    self.options = options
    self.meter = meter
  }

  /// Surveys the segment; what cannot be read is part of the outcome.
  ///
  /// - Parameter log: Its file, if it is already open.
  func run(_ log: (any DiskFile)? = nil) -> SegmentOutcome {
    do throws(DiskError) {
      return try look(log)
    } catch {
      var outcome = SegmentOutcome(place)
      if error.isNotFound, options.isLive {
        outcome.isGone = true
        outcome.notes.append(
          VerificationNote(file: error.path, text: "was removed while it was to be verified"))
      } else {
        outcome.refusal = error
      }
      meter?.add(0)
      return outcome
    }
  }

  private func look(_ open: (any DiskFile)?) throws(DiskError) -> SegmentOutcome {
    var indexes = SegmentIndexVerifier(place, isLive: options.isLive && isOpenEnded)
    // Before the log's size is read.
    if options.depth >= .standard, hasIndexes { indexes.load() }
    let file: any DiskFile
    if let open { file = open } else { file = try place.directory.disk.open(place.logPath, .read) }
    let log = ReadAroundFile.around(file)
    let size = try log.size()
    var outcome: SegmentOutcome
    if size == 0, frame.emptyRow(isLast: place.nextBaseOffset == nil, place.baseOffset) != nil {
      outcome = try empty(indexes)
    } else if options.depth == .ends {
      outcome = try lookAtEnd(log, size)
    } else {
      outcome = try lookAtAll(log, size, indexes)
    }
    if options.depth != .quick { try findEvidence(&outcome, log) }
    SegmentHole(frame, index).close(&outcome)
    // Pages of damage are dropped from the page cache again: another process may serve the log.
    for range in outcome.damage where !options.isForWriting && !range.bytes.isEmpty {
      log.dropPages(around: range.bytes)
    }
    return outcome
  }

  private var hasIndexes: Bool { !place.isLone }
  private var isOpenEnded: Bool { place.nextBaseOffset == nil && !frame.isCleanStop }

  /// R8, and the first segment, whose name is the log's start.
  private func empty(_ indexes: SegmentIndexVerifier) throws(DiskError) -> SegmentOutcome {
    var outcome = SegmentOutcome(place)
    var indexes = indexes
    indexes.end(at: 0)
    if options.depth >= .standard { indexes.finish(&outcome) }
    if place.nextBaseOffset != nil {
      // Evidence of lost records is not repaired.
      outcome.wrongIndexes.removeAll()
      return outcome
    }
    outcome.rows = [.r8]
    outcome.index = IndexAccumulator(
      baseOffset: place.baseOffset, intervalBytes: options.indexIntervalBytes)
    return outcome
  }

  // MARK: Every batch

  private func lookAtAll(
    _ log: ReadAroundFile, _ size: Int, _ indexes: SegmentIndexVerifier
  ) throws(DiskError) -> SegmentOutcome {
    log.advise(.sequential, at: 0, count: size)
    var setting = SegmentWalk.Setting(
      place: place, log: log, size: size, frame: frame, options: options)
    setting.keeping = indexes.entries
    var outcome = try SegmentWalk(
      setting, SegmentChecks(place, options, indexes, meter: meter)
    ).run(from: nil)
    if outcome.rows.isEmpty { outcome.rows = [row(areIndexesSane: outcome.wrongIndexes.isEmpty)] }
    if options.depth >= .standard, hasIndexes { indexes.findUseless(&outcome) }
    outcome.kept = indexes.entries
    // Right entries stay unchanged; only the log's end needs the entries after them.
    if outcome.wrongIndexes.isEmpty, index < frame.firstWalked {
      outcome.index = nil
      outcome.rest = nil
    }
    return outcome
  }

  private func probe(_ log: any DiskFile) throws(DiskError) -> IndexProbe {
    try IndexProbe(
      baseOffset: place.baseOffset, log: log, disk: place.directory.disk, path: place.path)
  }

  // MARK: The end alone

  private func lookAtEnd(_ log: ReadAroundFile, _ size: Int) throws(DiskError) -> SegmentOutcome {
    var probe = try probe(log)
    let areIndexesSane = try probe.prefix(below: size, offset: Int64.max) != nil
    let setting = SegmentWalk.Setting(
      place: place, log: log, size: size, frame: frame, options: options,
      areIndexesSane: areIndexesSane)
    let start = try scanStart(&probe, size)
    var outcome = try SegmentWalk(setting, nil).run(from: start)
    if let start, try isDoubtful(outcome, start, setting) {
      let scanned = outcome.bytesScanned
      outcome = try SegmentWalk(setting, nil).run(from: nil)
      outcome.bytesScanned += scanned
    }
    if outcome.rows.isEmpty { outcome.rows = [row(areIndexesSane: areIndexesSane)] }
    outcome.indexFaults = probe.faults
    outcome.wrongIndexes = probe.missing.map {
      .init(kind: $0, reason: "missing", isMissing: true)
    }
    if frame.isCleanStop, !areIndexesSane, outcome.wrongIndexes.isEmpty {
      outcome.wrongIndexes = [.init(kind: .index, reason: "its last entry contradicts the log")]
    }
    return outcome
  }

  /// Where the walk may begin without losing index entries; nil: at the first byte.
  private func scanStart(_ probe: inout IndexProbe, _ size: Int) throws(DiskError) -> WalkStart? {
    if let start = frame.point.scanStart, start.segmentBaseOffset == place.baseOffset,
      start.position <= size, start.offset >= place.baseOffset,
      let prefix = try probe.prefix(countedBy: start)
    {
      return WalkStart(
        position: start.position, offset: start.offset, prefix: prefix, largest: start.largest)
    }
    // Without a mark only an index that was trimmed at a clean stop may be used, and only its last
    // entries, at which the walk begins.
    guard frame.looksAtEndOnly(isForWriting: options.isForWriting),
      let whole = try probe.prefix(below: size, offset: Int64.max),
      let lastTime = whole.lastTime, whole.offsetEntries > 0
    else { return nil }
    return try probe.start(before: lastTime)
  }

  /// Whether a walk from a start must be repeated from the first byte. A fault may be that of the
  /// index that gave the start, and so may a greatest time that the walk did not confirm. A mark
  /// that is not this session's may point into the middle of what a broker wrote since.
  private func isDoubtful(
    _ outcome: SegmentOutcome, _ start: WalkStart, _ setting: SegmentWalk.Setting
  ) throws(DiskError) -> Bool {
    let looksAtEndOnly = frame.looksAtEndOnly(isForWriting: options.isForWriting)
    let hasFault = !outcome.damage.isEmpty || outcome.cut != nil
    // Damage exactly at the start may begin before it.
    if outcome.damage.contains(where: { $0.bytes.lowerBound == start.position }) { return true }
    if looksAtEndOnly || !frame.isOwnUnclean,
      hasFault || !(outcome.index.map { start.isConfirmed(by: $0.cursor) } ?? true)
    {
      return true
    }
    // The index entry may be wrong; the segment is small, so scan all of it.
    guard start.claimed != nil, setting.size <= Self.wholeWalkBytesMax else { return false }
    let whole = try SegmentWalk(setting, nil).run(from: nil)
    return !whole.damage.isEmpty || whole.nextOffset != outcome.nextOffset
  }

  // MARK: After the end

  /// Reads from the indexes of a broker's segment what was after its end, before they are rebuilt.
  private func findEvidence(
    _ outcome: inout SegmentOutcome, _ log: ReadAroundFile
  ) throws(DiskError) {
    // A replacement's indexes are right, or rebuilt.
    guard frame.isHoleTold(before: frame.nextBase(after: place)), hasIndexes,
      !place.entry.isReplacement, outcome.unreadable.isEmpty
    else { return }
    let damagedEnd = outcome.endsDamaged ? outcome.damage.last?.bytes.lowerBound : nil
    outcome.evidence = try EndEvidence.inIndexes(
      of: place.baseOffset,
      behind: EndEvidence.End(
        offset: outcome.nextOffset, position: damagedEnd ?? outcome.end,
        largestTimestamp: outcome.largest.timestamp < 0 ? nil : outcome.largest.timestamp,
        size: outcome.size),
      in: place.directory)
  }

  private func row(areIndexesSane: Bool) -> RecoveryRow {
    SegmentFacts(
      isCleanStop: frame.isCleanStop, isEmpty: false, isLast: place.nextBaseOffset == nil,
      reachesRecoveryPoint: index >= frame.firstWalked, areIndexesSane: areIndexesSane, fault: nil
    ).row
  }
}
