package import DiskIO
internal import RecordFormat

/// Walks one segment from a start to its end and decides about every invalid batch by the recovery
/// table. Changes nothing on disk; `LogLoader` carries out what it finds.
package struct SegmentRecovery {
  /// What the walk needs to know about the segment's surroundings.
  package struct Setting {
    package var segment: Segment
    package var log: any DiskFile
    package var size: Int
    package var isLast: Bool
    package var isCleanStop: Bool
    package var point: RecoveryPoint
    /// What is known of the log's batches.
    package var rules: OwnLogRules
    /// Base offset of the next segment, where there is one.
    package var nextBaseOffset: Int64?
    package var intervalBytes: Int
    package var areIndexesSane: Bool
  }

  /// What the walk found.
  package struct Outcome {
    /// Position behind the last byte that belongs to the log, and the offset that follows.
    package var position: Int
    package var nextOffset: Int64
    /// Where and why the file is to be cut, if it is.
    package var cut: (position: Int, reason: String)?
    package var damage: [DamagedRange] = []
    /// Whether damaged bytes stand at the end, so that nothing may be appended behind them.
    package var endsDamaged = false
    package var rows: [RecoveryRow] = []
    package var index: IndexAccumulator
    /// Leading entries of the existing indexes that are kept.
    package var kept: IndexProbe.Prefix
    package var scanStart: Int
    /// Runs of valid batches.
    package var verified: [Range<Int>] = []
    /// Whether a batch of a producer was walked over.
    package var sawProducers = false
    /// The greatest producer id of those that a store gives out, -1 where none was walked over.
    package var greatestProducerId: Int64 = -1
  }

  private let setting: Setting

  package init(_ setting: Setting) { self.setting = setting }

  /// Walks from `start` (nil: the segment's first byte).
  package func run(from start: WalkStart?) throws(DiskError) -> Outcome {
    let base = setting.segment.baseOffset
    let position = start?.position ?? 0
    let kept = start?.prefix ?? .none
    let cursor = start.map {
      IndexCursor(lastIndexedPosition: kept.lastOffset?.position ?? 0, largest: $0.largest)
    }
    var outcome = Outcome(
      position: position, nextOffset: start?.offset ?? base,
      index: IndexAccumulator(
        baseOffset: base, intervalBytes: setting.intervalBytes, cursor: cursor,
        lastTimestamp: kept.lastTime?.timestamp ?? -1),
      kept: kept, scanStart: position)
    var scanner = SegmentScanner(
      setting.log, from: position, endPosition: setting.size, expectedOffset: outcome.nextOffset,
      offsetLimit: SegmentScanner.offsetLimit(after: base, before: setting.nextBaseOffset),
      options: SegmentScanner.Options(
        rules: setting.rules, isFollowed: setting.nextBaseOffset != nil))
    try walk(&scanner, &outcome)
    noteMissingEnd(&outcome)
    noteHole(&outcome)
    if outcome.rows.isEmpty { outcome.rows = [row(fault: nil)] }
    return outcome
  }

  private func walk(_ scanner: inout SegmentScanner, _ outcome: inout Outcome) throws(DiskError) {
    var runStart = outcome.position
    while true {
      switch try scanner.next() {
      case .batch(let header, let position):
        outcome.index.note(header, at: position)
        if header.producerId >= 0 { outcome.sawProducers = true }
        if ProducerIdRange.contains(header.producerId) {
          outcome.greatestProducerId = max(outcome.greatestProducerId, header.producerId)
        }
        outcome.position = position + header.byteCount
        outcome.nextOffset = header.nextOffset
      case .end:
        outcome.verified.append(runStart..<outcome.position)
        return
      case .invalid(let fault, let position):
        outcome.verified.append(runStart..<position)
        guard try decide(fault, at: position, &scanner, &outcome) else { return }
        runStart = outcome.position
      }
    }
  }

  /// Decides about an invalid batch. Returns whether the walk goes on behind it.
  private func decide(
    _ fault: BatchFault, at position: Int, _ scanner: inout SegmentScanner,
    _ outcome: inout Outcome
  ) throws(DiskError) -> Bool {
    let expected = outcome.nextOffset
    let isPromised = setting.isCleanStop || expected < setting.point.offset
    if !isPromised && setting.point.isOwn {
      outcome.rows.append(row(fault: .aboveOwnPoint))
      outcome.cut = (position, fault.description)
      return false
    }
    let (skipped, next) = try scanner.resume()
    // Behind damage nothing is cut: the bytes there took part in judging what is damaged, and what
    // is served now is to be served when they are judged again. Nor where a segment follows: its
    // name says that the offsets before it were given out.
    let isEnd = next == nil && setting.nextBaseOffset == nil
    let isUnfinished = isEnd && position == 0 ? try start.isPlausible() : true
    if !isPromised, isEnd, isUnfinished, outcome.damage.isEmpty {
      outcome.rows.append(row(fault: .aboveForeignPointLast))
      outcome.cut = (position, fault.description)
      return false
    }
    outcome.rows.append(
      row(fault: isPromised ? .belowRecoveryPoint : .aboveForeignPointFollowed))
    var end = scanner.offsetBehindDamage ?? setting.nextBaseOffset ?? setting.point.offset
    if next == nil, setting.nextBaseOffset == nil {
      end = max(end, try statedEnd(at: position, expected: expected))
    }
    outcome.damage.append(
      DamagedRange(
        file: setting.segment.path(.log), bytes: skipped, offsets: expected..<max(expected, end),
        reason: isUnfinished ? fault.description : UnfinishedStart.noBatch(fault)))
    outcome.position = skipped.upperBound
    outcome.nextOffset = max(expected, end)
    outcome.endsDamaged = next == nil
    return next != nil
  }

  /// What a segment without a valid batch may be.
  private var start: UnfinishedStart {
    let base = setting.segment.baseOffset
    return UnfinishedStart(
      setting.log, byteCount: setting.size, baseOffset: base,
      offsetLimit: SegmentScanner.offsetLimit(after: base))
  }

  /// The offset behind a damaged end that no later batch bounds: what the damaged batch's own
  /// header says, where it agrees with itself (a consumer may have seen those offsets, so they are
  /// not given out again), else that at least one record stood there.
  private func statedEnd(at position: Int, expected: Int64) throws(DiskError) -> Int64 {
    let next = expected == Int64.max ? expected : expected + 1
    var bytes = [UInt8](repeating: 0, count: BatchHeader.byteCountMin)
    var target = bytes.mutableSpan
    let count = try setting.log.read(into: &target, at: position)
    do throws(BatchError) {
      let header = try BatchHeader(bytes.span.extracting(first: count))
      let isWhole =
        header.baseOffset == expected && header.recordCount == header.lastOffsetDelta &+ 1
      return isWhole ? header.nextOffset : next
    } catch {
      return next
    }
  }

  /// A segment may end, between two batches, before the durable point: those records are lost. Not
  /// the last segment of a directory that somebody else wrote: it may have been compacted.
  private func noteMissingEnd(_ outcome: inout Outcome) {
    guard setting.isLast || isOwnUnclean, outcome.cut == nil, !outcome.endsDamaged else { return }
    let end = min(setting.point.offset, setting.nextBaseOffset ?? Int64.max)
    guard outcome.nextOffset < end else { return }
    outcome.damage.append(
      DamagedRange(
        file: setting.segment.path(.log), bytes: outcome.position..<outcome.position,
        offsets: outcome.nextOffset..<end,
        reason: "the file ends before the offset up to which it was synced"))
    outcome.rows.append(row(fault: .belowRecoveryPoint))
    outcome.nextOffset = end
    outcome.endsDamaged = true
  }

  /// This engine leaves no gap between segments: where one ends, at or after the durable point,
  /// before the next begins, a power cut took its unsynced end but left the next one's name. What
  /// stands there was promised to nobody, and without what came before it, it is no log.
  private func noteHole(_ outcome: inout Outcome) {
    guard isOwnUnclean, outcome.cut == nil, let next = setting.nextBaseOffset,
      next > max(outcome.nextOffset, setting.point.offset)
    else { return }
    outcome.rows.append(row(fault: .aboveOwnPoint))
    outcome.cut = (
      outcome.position,
      "offsets \(outcome.nextOffset) to \(next - 1) are missing before the next segment"
    )
  }

  private var isOwnUnclean: Bool { setting.point.isOwn && !setting.isCleanStop }

  private func row(fault: SegmentFacts.Fault?) -> RecoveryRow {
    SegmentFacts(
      isCleanStop: setting.isCleanStop, isEmpty: false, isLast: setting.isLast,
      reachesRecoveryPoint: true, areIndexesSane: setting.areIndexesSane, fault: fault
    ).row
  }
}
