internal import CoreMetrics
internal import DiskIO
internal import Glibc
internal import Logging
internal import RecordFormat

/// Accepts a log's known damage, so that readers can pass it.
///
/// The damaged bytes are kept in `.bad/`, durably → `mkstore.accepted` names them → each damaged
/// segment is replaced by one with a batch without records over the lost offsets, and segments of
/// such batches are added where whole segments or ends are lost (`SegmentStore.replaceRange`) →
/// `mkstore.lost` is rewritten without them. After a crash in between the remaining damage is
/// reported as before, and accepting it again continues. No sealed file is changed in place.
struct LossAcceptance {
  let log: Log
  private let writing: Log.Writing
  private var environment: LogEnvironment { log.environment }
  var directory: LogDirectory { log.environment.directory }

  /// A segment that is to be rewritten.
  private struct Rewrite {
    var segment: Segment
    var view: SegmentView
    var pieces: [DamagePieces.Piece]
  }

  init(_ log: Log, _ writing: Log.Writing) {
    self.log = log
    self.writing = writing
  }

  /// Accepts everything that `damage` names, and any other damage in the same segments.
  ///
  /// - Returns: What was accepted.
  func run(_ damage: [DamagedRange]) throws(LogError) -> [AcceptedLoss] {
    if damage.isEmpty { return [] }
    try seal(damage)
    let state = log.store.state
    var rewrites: [Rewrite] = []
    var spans: [Range<Int64>] = []
    let files = Set(damage.filter { !$0.bytes.isEmpty }.map(\.file))
    let lost = damage.filter(\.bytes.isEmpty).compactMap(\.offsets)
    for (segment, next) in zip(state.segments, state.segments.dropFirst()) {
      let base = segment.baseOffset
      guard files.contains(segment.path(.log)) else {
        // Where the segment ends only matters if it ends before a hole.
        let isAsked = lost.contains { $0.overlaps(base..<next.baseOffset) }
        spans.append(base..<(isAsked ? try reached(segment) : next.baseOffset))
        continue
      }
      let view = try log.access.open(segment)
      let found = try DamagePieces(of: view, state.epochs)
      spans.append(segment.baseOffset..<max(segment.baseOffset, found.nextOffset))
      if found.isDamaged {
        rewrites.append(Rewrite(segment: segment, view: view, pieces: found.pieces))
      }
    }
    let holes = holes(damage, spans)
    var accepted: [AcceptedLoss] = []
    for rewrite in rewrites { accepted += try keep(rewrite) }
    accepted += holes.map { hole in
      AcceptedLoss(
        offsets: hole.offsets, file: SegmentName(hole.offsets.lowerBound, .log).fileName,
        bytes: 0..<0, keptAs: nil, acceptedMs: environment.context.nowMs(), reason: hole.reason)
    }
    if accepted.isEmpty { return [] }
    let before = try AcceptedLossesFile.known(in: directory)
    try note(before + accepted.filter { new in !before.contains { $0.isSame(as: new) } })
    for rewrite in rewrites { try replace(rewrite) }
    for hole in holes { try fill(hole.offsets, state.epochs) }
    try forget(accepted)
    environment.context.metrics.acceptedLosses.increment(by: accepted.count)
    for loss in accepted {
      environment.context.logger.notice(
        "a loss was accepted", metadata: ["log": "\(log.topicPartition)", "loss": "\(loss)"])
    }
    return accepted
  }

  /// The error to throw if the disk refused something.
  private func failure(_ error: DiskError) -> LogError {
    log.health.failIfNamesMayBeLost(error)
    return LogError(error)
  }

  func note(_ losses: [AcceptedLoss]) throws(LogError) {
    do throws(DiskError) {
      try AcceptedLossesFile.write(losses, directory)
    } catch {
      throw failure(error)
    }
  }

  // MARK: What is lost

  /// Makes appends continue in a new segment if the last one is damaged, or ends before the log
  /// does.
  func seal(_ damage: [DamagedRange]) throws(LogError) {
    let last = log.store.state.segments.last
    let isTouched = damage.contains { range in
      range.file == last?.path(.log)
        || (range.offsets?.upperBound ?? Int64.max) > last?.baseOffset ?? -1
    }
    guard isTouched else { return }
    try writing.pipeline.beginSession()
    try writing.pipeline.rollNow()
  }

  /// The offset after a segment's last batch.
  private func reached(_ segment: Segment) throws(LogError) -> Int64 {
    var next = segment.baseOffset
    let view = try log.access.open(segment)
    try view.walk(from: 0) { (header, _, _) throws(LogError) in
      next = header.nextOffset
      return true
    }
    return next
  }

  private struct Hole {
    var offsets: Range<Int64>
    var reason: String
  }

  /// The lost offsets that no segment covers.
  private func holes(_ damage: [DamagedRange], _ spans: [Range<Int64>]) -> [Hole] {
    var holes: [Hole] = []
    for range in damage where range.bytes.isEmpty {
      guard let offsets = range.offsets, !offsets.isEmpty else { continue }
      var next = offsets.lowerBound
      for span in spans + [log.logEndOffset..<Int64.max] {
        let end = min(span.lowerBound, offsets.upperBound)
        if next < end, !holes.contains(where: { $0.offsets.overlaps(next..<end) }) {
          holes.append(Hole(offsets: next..<end, reason: range.reason))
        }
        next = max(next, span.upperBound)
      }
    }
    return holes.sorted { $0.offsets.lowerBound < $1.offsets.lowerBound }
  }

  // MARK: Replacing it

  /// Copies a segment's damaged bytes into `.bad/`.
  private func keep(_ rewrite: Rewrite) throws(LogError) -> [AcceptedLoss] {
    let name = SegmentName(rewrite.segment.baseOffset, .log).fileName
    let source = ReadAroundFile.around(rewrite.view.files.log)
    var losses: [AcceptedLoss] = []
    for case .damaged(let bytes, let offsets, _, let reason) in rewrite.pieces {
      let kept: String?
      do throws(DiskError) {
        kept = try KeptBytes.keep(bytes, of: source, named: name, in: directory)
        if kept == nil, try !KeptBytes.isAllZeros(bytes, of: source) {
          throw DiskError(.write, directory.path(KeptBytes.directoryName), code: ENOSPC)
        }
      } catch {
        throw failure(error)
      }
      losses.append(
        AcceptedLoss(
          offsets: offsets, file: name, bytes: bytes, keptAs: kept.map(PathText.lastComponent),
          acceptedMs: environment.context.nowMs(), reason: reason))
    }
    return losses
  }

  private func replace(_ rewrite: Rewrite) throws(LogError) {
    try replace([rewrite.segment], at: rewrite.segment.baseOffset) { (writer) throws(DiskError) in
      for piece in rewrite.pieces {
        switch piece {
        case .valid(let bytes): try writer.append(bytes, of: rewrite.view.files.log)
        case .damaged(_, let offsets, let epoch, _):
          if !offsets.isEmpty {
            try writer.append(emptyBatch(over: offsets, leaderEpoch: epoch).span)
          }
        }
      }
    }
  }

  /// Replaces segments by one with what `body` writes.
  ///
  /// - Parameter isDamaged: Whether it may contain bytes that are no valid batch.
  func replace(
    _ old: [Segment], at baseOffset: Int64, isDamaged: Bool = false,
    _ body: (inout ReplacementWriter) throws(DiskError) -> Void
  ) throws(LogError) {
    let files: ReplacementFiles
    do throws(DiskError) {
      var writer = try ReplacementWriter(
        baseOffset: baseOffset, in: directory, intervalBytes: log.config.indexIntervalBytes)
      try body(&writer)
      files = try writer.finish(isDamaged: isDamaged)
    } catch {
      throw failure(error)
    }
    try log.context.endJournalEntries(
      of: log.topicPartition, below: log.recoveryPoint)
    do throws(DiskError) {
      guard try log.store.replaceRange(old, with: files) == nil else { return }
    } catch {
      throw failure(error)
    }
    throw .closed(path: log.path)
  }

  /// Adds segments of batches without records over missing offsets.
  private func fill(_ offsets: Range<Int64>, _ epochs: LeaderEpochCheckpoint) throws(LogError) {
    var next = offsets.lowerBound
    while next < offsets.upperBound {
      let end = min(offsets.upperBound, next + Int64(Int32.max))
      let batch = emptyBatch(over: next..<end, leaderEpoch: epochs.epochOfBatch(at: next))
      try replace(log.store.state.segments.filter { $0.baseOffset == next }, at: next) {
        (writer) throws(DiskError) in
        try writer.append(batch.span)
      }
      next = end
    }
    // The segment before the hole was recorded as ending too early.
    let segments = log.store.state.segments
    segments.last { $0.baseOffset < offsets.lowerBound }?.damage.forgetMissing(offsets)
  }

  /// Removes accepted losses from the notes of earlier openings.
  private func forget(_ losses: [AcceptedLoss]) throws(LogError) {
    do throws(DiskError) {
      try KnownLosses.forget(in: directory) { noted in
        losses.contains { $0.offsets.overlaps(noted.offsets ?? 0..<0) || $0.isPlace(of: noted) }
      }
    } catch {
      throw failure(error)
    }
  }
}

extension AcceptedLoss {
  /// Whether the other one is the same damage, accepted once more after a crash.
  func isSame(as other: AcceptedLoss) -> Bool {
    offsets == other.offsets && file == other.file && bytes == other.bytes
  }

  fileprivate func isPlace(of noted: DamagedRange) -> Bool {
    !noted.bytes.isEmpty && file == PathText.lastComponent(noted.file)
  }
}
