import DiskIO

/// Turns the result of a survey into a plan. Decides about the log as a whole; the recovery table
/// decides about each segment. Reads only small files beside the segments.
struct PlanMaker {
  private let frame: LogFrame
  private let options: SurveyOptions
  /// For the frame's places, in their order; nil if a segment was not surveyed.
  private let outcomes: [SegmentOutcome?]
  private var plan: RecoveryPlan
  private var findings = LossFindings()
  private var nextOffset: Int64 = 0

  init(_ frame: LogFrame, _ outcomes: [SegmentOutcome?], _ options: SurveyOptions) {
    self.frame = frame
    self.outcomes = outcomes
    self.options = options
    plan = RecoveryPlan(frame, options.depth)
  }

  /// Makes the plan.
  consuming func make() throws(DiskError) -> RecoveryPlan {
    takeNames()
    takeSegments()
    takeNoted()
    try findEnds()
    plan.damage = findings.told
    if options.depth > .ends {
      plan.damage += EpochOrder.damage(plan.segments.compactMap(\.outcome))
    }
    try takeSideFiles()
    endOwnSession()
    noteLosses()
    count()
    return plan
  }

  // MARK: Names

  private mutating func takeNames() {
    for range in frame.names.damage { findings.add(range, .bySegmentNames) }
    plan.sideFileDamage += frame.names.sideFileDamage
    plan.unreadable += frame.names.unreadable
    plan.notes += frame.names.notes
    plan.details += frame.names.details
    plan.actions += frame.names.actions
    for place in frame.emptied {
      plan.rows.append(.r9)
      plan.details.append(
        VerificationNote(
          file: place.logPath, text: "\(Self.isEmpty); the next open for writing removes it"))
      for kind in [SegmentName.Kind.log, .index, .timeindex, .txnindex] where has(kind, place) {
        plan.actions.append(
          .remove(
            SegmentName(place.baseOffset, kind).fileName,
            reason: kind == .log ? Self.isEmpty : Self.isOfEmpty))
      }
    }
  }

  private static let isEmpty = "an empty segment that another one follows"
  private static let isOfEmpty = "belongs to an empty segment"

  private func has(_ kind: SegmentName.Kind, _ place: SegmentPlace) -> Bool {
    switch kind {
    case .index: place.entry.hasOffsetIndex
    case .timeindex: place.entry.hasTimeIndex
    case .txnindex: place.entry.hasTransactionIndex
    case .log, .snapshot: true
    }
  }

  // MARK: Segments

  private mutating func takeSegments() {
    for (index, place) in frame.places.enumerated() {
      guard let outcome = outcomes[index] else {
        plan.segments.append((place, nil))
        continue
      }
      if let refusal = outcome.refusal {
        plan.unreadable.append(refusal)
        plan.segments.append((place, outcome))
        continue
      }
      take(outcome)
      plan.segments.append((place, outcome))
      if outcome.cut != nil { return cut(at: index, outcome) }
    }
  }

  private mutating func take(_ outcome: SegmentOutcome) {
    plan.rows += outcome.rows
    for range in outcome.damage { findings.add(range, .byRecoveryPoint) }
    plan.unreadable += outcome.unreadable
    plan.sideFileDamage += outcome.sideFileDamage
    plan.details += outcome.notes
    plan.sawProducers = plan.sawProducers || outcome.sawProducers
    plan.greatestProducerId = max(plan.greatestProducerId, outcome.greatestProducerId)
    plan.bytesScanned += outcome.bytesScanned
    for wrong in outcome.wrongIndexes {
      let path = outcome.place.plainPath(wrong.kind)
      if wrong.isMissing {
        plan.details.append(
          VerificationNote(file: path, text: "missing; the next open for writing rebuilds it"))
      } else {
        plan.sideFileDamage.append(
          SideFileDamage(file: path, reason: wrong.reason, remedy: nil))
      }
    }
    guard let index = outcome.index else { return }
    let isLast = outcome.place.baseOffset == frame.places.last?.baseOffset
    let wrong = Set(outcome.wrongIndexes.map(\.kind))
    // An opening that surveys only the end knows from which offset on both are written.
    let isWhole = options.depth > .ends
    func part(_ kind: SegmentName.Kind, _ kept: Int) -> RecoveryAction.IndexWork.Part {
      guard isWhole else { return .init(kept: kept, source: index) }
      return wrong.contains(kind)
        ? .init(kept: 0, source: index) : .init(kept: kept, source: outcome.rest ?? index)
    }
    let faults = outcome.indexFaults.compactMap { fault in
      SegmentName(PathText.lastComponent(fault.path)).map { ($0.kind, fault) }
    }
    plan.actions.append(
      .writeIndexes(
        .init(
          baseOffset: outcome.place.baseOffset,
          offsets: part(.index, outcome.kept.offsetEntries),
          times: part(.timeindex, outcome.kept.timeEntries), faults: faults,
          goesOn: isLast && !outcome.endsDamaged, isTold: wrong)))
  }

  /// Cuts the end of a segment and moves later segments to `.bad/`, the last first, so that a crash
  /// in between leaves no gap.
  private mutating func cut(at index: Int, _ outcome: SegmentOutcome) {
    guard let cut = outcome.cut else { return }
    for later in frame.places[(index + 1)...].reversed() {
      plan.actions.append(
        .setAside(
          SegmentName(later.baseOffset, .log), byteCount: byteCount(later),
          reason: "comes after a cut: \(cut.reason)"))
    }
    plan.actions.append(
      .cut(
        outcome.place.baseOffset, position: cut.position, byteCount: outcome.size - cut.position,
        reason: cut.reason))
    plan.tornTails.append(
      TornTail(
        file: outcome.place.logPath, bytes: cut.position..<max(cut.position, outcome.size),
        offset: cut.offset, reason: cut.reason))
  }

  private func byteCount(_ place: SegmentPlace) -> Int {
    do throws(DiskError) {
      return try frame.directory.disk.status(place.logPath)?.size ?? 0
    } catch {
      return 0
    }
  }

  // MARK: Ends

  private mutating func findEnds() throws(DiskError) {
    let names = frame.names
    if let last = plan.segments.last {
      nextOffset = last.outcome?.nextOffset ?? last.place.baseOffset
    }
    let first =
      plan.segments.first?.place.baseOffset ?? names.lost.first?.lowerBound ?? nextOffset
    let start = max(first, frame.startHint)
    let reached = max(nextOffset, start)
    nextOffset = max(reached, names.lostEnd)
    let told = try snapshotEvidence(behind: plan.segments.isEmpty ? 0 : reached)
    if plan.segments.isEmpty { nextOffset = max(nextOffset, told?.nextOffset ?? 0) }
    // Without a segment nothing contradicts a mark, which has a CRC, whoever stopped last.
    if plan.segments.isEmpty, let newest = frame.mark.newest {
      nextOffset = max(nextOffset, newest.recoveryPoint)
    }
    if frame.point.isOwn || frame.isCleanStop { nextOffset = max(nextOffset, frame.point.offset) }
    plan.logStartOffset = start
    plan.logEndOffset = nextOffset
    if plan.segments.isEmpty {
      noteLostLog(from: max(start, names.lostEnd))
    } else {
      noteLostEnd(from: reached, told)
    }
    noteShortCopy()
  }

  private mutating func noteShortCopy() {
    guard frame.isCopy, let newest = frame.mark.newest, nextOffset < newest.recoveryPoint else {
      return
    }
    plan.notes.append(
      VerificationNote(
        file: frame.directory.path(DurableMark.fileName),
        text: "was copied later than the segments: it says that the log had reached offset "
          + "\(newest.recoveryPoint), but the copied segments end at offset \(nextOffset)"))
  }

  private func snapshotEvidence(behind offset: Int64) throws(DiskError) -> EndEvidence? {
    guard frame.isEndTold, options.depth != .quick else { return nil }
    return try EndEvidence.inSnapshots(
      frame.layout.snapshots, behind: offset, in: frame.directory)
  }

  private mutating func noteLostLog(from start: Int64) {
    guard start < nextOffset else { return }
    let range = DamagedRange(
      file: frame.directory.path(SegmentName(start, .log).fileName), bytes: 0..<0,
      offsets: start..<nextOffset,
      reason: "the log has no segment, but had reached offset \(nextOffset)")
    if let range = frame.loss(range) { findings.add(range, .byRecoveryPoint) }
  }

  /// The records after the last segment's end, by the evidence of other files, and any other
  /// offsets that new records skip.
  private mutating func noteLostEnd(from end: Int64, _ told: EndEvidence?) {
    guard let last = plan.segments.last, let outcome = last.outcome, outcome.refusal == nil,
      !outcome.isGone
    else { return }
    let isLast = frame.nextBase(after: last.place) == nil
    let known = isLast ? end : max(end, frame.names.lostEnd)
    let found = EndEvidence.further(isLast ? outcome.evidence : nil, told)
    var reached = known
    if frame.isEndTold, let found, found.nextOffset > known {
      let range = found.loss(in: last.place.toldPath, at: outcome.end, from: known, before: nil)
      if let range = frame.loss(range) { findings.add(range, .otherwise) }
      reached = found.nextOffset
    }
    guard reached < nextOffset else { return }
    let range = DamagedRange(
      file: last.place.toldPath, bytes: outcome.end..<outcome.end, offsets: reached..<nextOffset,
      reason: SegmentHole.lostBelowPoint)
    if let range = frame.loss(range) { findings.add(range, .byRecoveryPoint) }
  }

  /// Reports losses that earlier openings recorded, except where valid batches exist now. Skips
  /// segments that were not surveyed.
  private mutating func takeNoted() {
    let walked =
      options.depth > .ends || plan.segments.isEmpty
      ? Int64.min
      : plan.segments[min(frame.firstWalked, plan.segments.count - 1)].place.baseOffset
    for noted in frame.noted.losses where noted.offsets?.lowerBound ?? 0 >= walked {
      if let range = frame.loss(noted).flatMap(withoutFound) { findings.add(range, .byNote) }
    }
  }

  /// A loss up to the first existing batch; nil if that is at its first offset.
  private func withoutFound(_ loss: DamagedRange) -> DamagedRange? {
    guard let offsets = loss.offsets, !offsets.isEmpty else { return loss }
    var end = offsets.upperBound
    for run in plan.segments.flatMap({ $0.outcome?.runs ?? [] }) where run.overlaps(offsets) {
      end = min(end, max(run.lowerBound, offsets.lowerBound))
    }
    guard end > offsets.lowerBound else { return nil }
    var loss = loss
    loss.offsets = offsets.lowerBound..<end
    return loss
  }

  // MARK: Small files

  private mutating func takeSideFiles() throws(DiskError) {
    var files = SideFilePlan(frame, end: plan.logEndOffset, start: plan.logStartOffset)
    files.keepSnapshots(of: plan.segments.map(\.place.baseOffset))
    files.fitEpochs()
    try files.fitProducers()
    files.keepStart()
    if options.depth >= .standard { files.check(plan.segments.compactMap(\.outcome)) }
    plan.epochs = files.epochs
    plan.snapshots = files.snapshots
    plan.actions += files.actions
    plan.sideFileDamage += files.damage
    // A file with a finding needs no note.
    plan.notes.removeAll { note in files.damage.contains { $0.file == note.file } }
    plan.unreadable += files.unreadable
  }

  /// After a killed session of ours, and a broker that stopped cleanly since, the mark still says
  /// that everything after its point may be unfinished. Now everything up to the log's end was
  /// synced. The new mark names no position in a segment, because the bytes there were not walked
  /// over.
  private mutating func endOwnSession() {
    guard frame.point.isOwn, frame.isCleanStop, var record = frame.mark.newest else { return }
    record.recoveryPoint = plan.logEndOffset
    record.segmentBaseOffset = plan.logEndOffset
    record.position = 0
    record.largest = TimestampOffset(timestamp: -1, offset: plan.logEndOffset)
    record.offsetEntries = 0
    record.timeEntries = 0
    record.isClean = true
    record.isWithoutProducers = false
    plan.actions.insert(.writeMark(record), at: 0)
  }

  /// An opening that surveys only the log's end does not know losses before it.
  private mutating func noteLosses() {
    let isPart = options.depth == .ends
    func updated(_ noted: [DamagedRange], _ told: [DamagedRange]) -> [DamagedRange] {
      noted.filter { isPart && !told.contains($0) } + told
    }
    let lost = findings.told.filter { $0.bytes.isEmpty && !($0.offsets?.isEmpty ?? true) }
    let notes = KnownLosses.Content(
      losses: updated(frame.noted.losses, lost), fenced: updated(frame.noted.fenced, fenced),
      ends: ends)
    let isWrong = KnownLosses.isWrong(frame.names.sideFileDamage, in: frame.directory)
    guard notes != frame.noted || isWrong else { return }
    plan.actions.insert(.noteLosses(notes), at: 0)
  }

  /// The segment that holds our own point, if the next one's name does not say how it ends, and
  /// segments recorded by earlier openings that are unchanged.
  private var ends: [KnownEnd] {
    frame.places.enumerated().compactMap { index, place in
      let outcome = outcomes[index]
      guard outcome?.cut == nil, outcome?.isGone != true, let next = place.nextBaseOffset else {
        return nil
      }
      let isNamed =
        frame.mark.newest?.segmentBaseOffset == place.baseOffset
        || frame.noted.ends.contains { $0.file == place.entry.logName }
      guard isNamed else { return nil }
      let size = outcome?.size ?? byteCount(place)
      guard let point = frame.ownPoint(in: place, size: size) else { return nil }
      let end = outcome?.nextOffset ?? point.offset
      guard outcome != nil || point.position == size, end != next else { return nil }
      return KnownEnd(
        offset: end, byteCount: size, nextBaseOffset: next, file: place.entry.logName)
    }
  }

  /// Damaged bytes at or after the recovery point. Below it nothing is taken for unfinished. Above
  /// it they differ from an unfinished write only by what is known now (such as the clean stop).
  private var fenced: [DamagedRange] {
    findings.told.filter { range in
      guard let offsets = range.offsets, !range.bytes.isEmpty else { return false }
      return offsets.lowerBound >= frame.point.offset
    }
  }

  // MARK: Counts

  private mutating func count() {
    var gaps: [Range<Int64>] = []
    plan.counts.segmentCount = plan.segments.count + frame.emptied.count
    plan.counts.startOffset = plan.segments.first?.place.baseOffset ?? 0
    plan.counts.endOffset = plan.segments.last?.outcome?.nextOffset ?? 0
    for (place, outcome) in plan.segments {
      guard let outcome else { continue }
      plan.counts.recordCount += outcome.recordCount
      plan.counts.batchCount += outcome.batchCount
      plan.counts.byteCount += outcome.size
      plan.counts.missingOffsetCount += outcome.missingOffsetCount
      gaps += outcome.gaps
      if let next = place.nextBaseOffset, next > outcome.nextOffset, outcome.refusal == nil,
        outcome.cut == nil, !outcome.isGone,
        !outcome.damage.contains(where: { $0.bytes.isEmpty && $0.offsets?.upperBound == next })
      {
        plan.counts.missingOffsetCount += next - outcome.nextOffset
        gaps.append(outcome.nextOffset..<next)
      }
    }
    let count = plan.counts.missingOffsetCount
    guard count > 0, options.depth > .ends else { return }
    plan.details.append(
      VerificationNote(
        file: frame.directory.path,
        text: "\(count) offsets hold no record, as after compaction: \(text(gaps, of: count))"))
  }

  /// Lists gaps, only the largest if there are many: a lost segment is among them.
  private func text(_ gaps: [Range<Int64>], of count: Int64) -> String {
    let largest = gaps.sorted { $0.count > $1.count }.prefix(SegmentOutcome.gapsMax)
    let named = largest.sorted { $0.lowerBound < $1.lowerBound }
      .map { "\($0.lowerBound) to \($0.upperBound - 1)" }
    let isAll = largest.reduce(0) { $0 + Int64($1.count) } == count
    return named.joined(separator: ", ") + (isAll ? "" : " and more")
  }
}
