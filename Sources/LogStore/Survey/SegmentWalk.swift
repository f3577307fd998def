import DiskIO
import MkstoreBytes
import RecordFormat

/// Walks over one segment's batches from a start to the end and asks the recovery table about every
/// invalid one. Only reads.
///
/// Opening, verifying and a reader's opening all use this walk, from different starts.
struct SegmentWalk: ~Copyable {
  /// How often the file's size is read again if its last batch is incomplete: a writer may be
  /// appending it right now.
  private static let tailRetriesMax = 64

  /// The segment's surroundings, as far as the walk needs them.
  struct Setting {
    var place: SegmentPlace
    var log: ReadAroundFile
    var size: Int
    var frame: LogFrame
    var options: SurveyOptions
    var areIndexesSane = true
    /// Index entries that stay if all of the indexes turn out right.
    var keeping = IndexProbe.Prefix.none

    var isLast: Bool { place.nextBaseOffset == nil }
  }

  private let setting: Setting
  /// The recovery point, while the walk is before it.
  private var bound: Int64?
  private var outcome: SegmentOutcome
  /// Damage, by its index in the outcome, that does not fit before the recovery point although the
  /// file continues.
  private var unfitting: [(index: Int, expected: Int64)] = []
  /// Whether the current batch continues the last run of offsets.
  private var goesOn = false
  private var index: IndexAccumulator
  /// The index entries after those that stay.
  private var rest: IndexAccumulator
  /// Checks besides the batches' own bytes; nil if not requested.
  private var checks: SegmentChecks?

  init(_ setting: Setting, _ checks: consuming SegmentChecks?) {
    self.setting = setting
    self.checks = checks
    outcome = SegmentOutcome(setting.place)
    outcome.size = setting.size
    index = IndexAccumulator(
      baseOffset: setting.place.baseOffset, intervalBytes: setting.options.indexIntervalBytes)
    rest = IndexAccumulator(
      baseOffset: setting.place.baseOffset, intervalBytes: setting.options.indexIntervalBytes,
      cursor: IndexCursor(
        lastIndexedPosition: setting.keeping.lastOffset?.position ?? 0,
        largest: index.cursor.largest),
      lastTimestamp: setting.keeping.lastTime?.timestamp ?? -1,
      lastOffset: setting.keeping.lastOffset?.offset ?? -1)
  }

  /// Walks from `start` (nil: the segment's first byte).
  consuming func run(from start: WalkStart?) throws(DiskError) -> SegmentOutcome {
    if let start { begin(at: start) }
    let first = outcome.position
    try walkToOwnPoint()
    if outcome.cut == nil {
      var scanner = scanner(endPosition: outcome.size)
      try walk(&scanner)
    }
    try nameWhatDoesNotFit()
    outcome.bytesScanned = max(0, outcome.position - first)
    outcome.index = index
    outcome.rest = rest
    outcome.largest = index.cursor.largest
    if checks != nil {
      checks!.end(at: outcome.end, isCut: outcome.cut != nil)
      checks!.finish(&outcome)
    }
    return outcome
  }

  private mutating func begin(at start: WalkStart) {
    outcome.position = start.position
    outcome.nextOffset = start.offset
    outcome.kept = start.prefix
    index = IndexAccumulator(
      baseOffset: setting.place.baseOffset, intervalBytes: setting.options.indexIntervalBytes,
      cursor: IndexCursor(
        lastIndexedPosition: start.prefix.lastOffset?.position ?? 0, largest: start.largest),
      lastTimestamp: start.prefix.lastTime?.timestamp ?? -1)
  }

  /// Walks over what was synced before our own point, if the segment contains it, as if the file
  /// ended there: afterwards only what an opening that begins there sees may count.
  private mutating func walkToOwnPoint() throws(DiskError) {
    guard let point = setting.frame.ownPoint(in: setting.place, size: outcome.size),
      point.position > outcome.position
    else { return }
    bound = point.offset
    defer { bound = nil }
    var scanner = scanner(endPosition: point.position)
    try walk(&scanner)
    guard outcome.cut == nil else { return }
    outcome.position = point.position
    outcome.nextOffset = point.offset
    goesOn = false
  }

  private func scanner(endPosition: Int) -> SegmentScanner {
    var options = SegmentScanner.Options(
      rules: setting.frame.rules, isFollowed: bound == nil && !setting.isLast)
    options.chunkBytes = setting.options.chunkBytes
    return SegmentScanner(
      setting.log, from: outcome.position, endPosition: endPosition,
      expectedOffset: outcome.nextOffset,
      offsetLimit: min(bound ?? Int64.max, setting.place.offsetLimit),
      options: options)
  }

  private mutating func walk(_ scanner: inout SegmentScanner) throws(DiskError) {
    var runStart = outcome.position
    while true {
      switch try next(&scanner) {
      case .batch(let header, let position):
        pass(header, position, &runStart)
      case .end:
        note(verified: runStart..<outcome.position)
        return
      case .invalid(let fault, let position):
        if let grown = try grownSize(fault, scanner) {
          outcome.size = grown
          scanner = self.scanner(endPosition: grown)
          continue
        }
        note(verified: runStart..<position)
        guard try decide(fault, at: position, &scanner) else { return }
        runStart = outcome.position
      }
    }
  }

  private mutating func next(_ scanner: inout SegmentScanner) throws(DiskError) -> ScanEvent {
    guard checks != nil else { return try scanner.next() }
    return try checks!.next(&scanner)
  }

  private mutating func pass(_ header: BatchHeader, _ position: Int, _ runStart: inout Int) {
    index.note(header, at: position)
    rest.note(header, at: position)
    if header.producerId >= 0 { outcome.sawProducers = true }
    if ProducerIdRange.contains(header.producerId) {
      outcome.greatestProducerId = max(outcome.greatestProducerId, header.producerId)
    }
    let end = position + header.byteCount
    if let fault = checks?.recordFault {
      // Its CRC is right, so it was written as a whole: damage, and never an unfinished write.
      note(verified: runStart..<position)
      runStart = end
      outcome.damage.append(
        DamagedRange(
          file: setting.place.toldPath, bytes: position..<end,
          offsets: min(outcome.nextOffset, header.nextOffset)..<header.nextOffset,
          reason: "\(fault)"))
    }
    checks?.pass(header, position, after: outcome.nextOffset)
    if checks?.recordFault == nil { noteRun(header) } else { goesOn = false }
    outcome.position = end
    outcome.nextOffset = header.nextOffset
    outcome.endsDamaged = false
  }

  private mutating func noteRun(_ header: BatchHeader) {
    // Entries of the old formats may state the last offset of several.
    let start = header.isLegacy ? outcome.nextOffset : header.baseOffset
    let offsets = min(start, header.nextOffset)..<header.nextOffset
    if goesOn, let last = outcome.runs.popLast() {
      outcome.runs.append(last.lowerBound..<max(last.upperBound, offsets.upperBound))
    } else {
      outcome.runs.append(offsets)
    }
    goesOn = true
  }

  private mutating func note(verified range: Range<Int>) {
    if !range.isEmpty { outcome.verified.append(range) }
  }

  /// The file's new size, if an incomplete batch at its end is being written right now.
  private func grownSize(
    _ fault: BatchFault, _ scanner: borrowing SegmentScanner
  ) throws(DiskError) -> Int? {
    guard setting.options.isLive, setting.isLast, !setting.frame.isCleanStop, bound == nil,
      fault.isIncomplete
    else { return nil }
    for _ in 0..<Self.tailRetriesMax {
      let size = try setting.log.size()
      if size > scanner.endPosition { return size }
    }
    return nil
  }

  // MARK: Invalid batches

  /// Asks the table about an invalid batch. Returns whether the walk continues after it.
  private mutating func decide(
    _ fault: BatchFault, at position: Int, _ scanner: inout SegmentScanner
  ) throws(DiskError) -> Bool {
    let expected = outcome.nextOffset
    let place = setting.frame.place(ofFaultAt: expected)
    let isNoted = setting.frame.noted.isFenced(setting.place.toldPath, at: position)
    if place == .aboveOwnPoint, !fault.isUnreadable, !isNoted {
      let row = row(FaultFacts(place: place))
      outcome.rows.append(row)
      if row.treatment == .cut {
        cut(at: position, expected, fault)
        return false
      }
    }
    let (skipped, next) = try scanner.resume()
    let nextSegment = bound ?? setting.frame.nextBase(after: setting.place)
    let isFollowed = next != nil || nextSegment != nil
    let unreadable = setting.log.firstUnreadable(in: skipped)
    // The words must not depend on what follows at the moment.
    let couldBeUnfinished =
      next != nil || position > 0 || unreadable != nil ? true : try start.isPlausible()
    let row = row(
      FaultFacts(
        place: place, isFollowed: isFollowed, couldBeUnfinished: couldBeUnfinished,
        isAfterDamage: !outcome.damage.isEmpty, isUnreadable: unreadable != nil,
        isNoted: isNoted))
    outcome.rows.append(row)
    if row.treatment == .cut {
      cut(at: position, expected, fault)
      return false
    }
    let end: Int64
    if let behind = scanner.offsetBehindDamage {
      end = max(expected, behind)
    } else {
      end = max(expected, try endOfDamage(skipped, expected, nextSegment))
    }
    if bound != nil, fault.isIncomplete, couldBeUnfinished {
      unfitting.append((outcome.damage.count, expected))
    }
    outcome.damage.append(
      DamagedRange(
        file: setting.place.toldPath, bytes: skipped, offsets: expected..<end,
        reason: couldBeUnfinished
          ? text(fault, unreadable: unreadable) : UnfinishedStart.noBatch(fault)))
    checks?.passDamage(skipped, before: next == nil ? Int64.max : end)
    outcome.position = skipped.upperBound
    outcome.nextOffset = end
    outcome.endsDamaged = next == nil
    goesOn = false
    return next != nil
  }

  /// For damage before the recovery point, describes what is wrong with it in the file without that
  /// bound: the point moves on, and the file then does not end there.
  private mutating func nameWhatDoesNotFit() throws(DiskError) {
    for (index, expected) in unfitting {
      let position = outcome.damage[index].bytes.lowerBound
      var scanner = SegmentScanner(
        setting.log, from: position, endPosition: outcome.cut?.position ?? outcome.size,
        expectedOffset: expected, offsetLimit: setting.place.offsetLimit,
        options: SegmentScanner.Options(rules: setting.frame.rules, isFollowed: !setting.isLast))
      guard case .invalid(let fault, _) = try scanner.next() else { continue }
      let unreadable = setting.log.firstUnreadable(in: outcome.damage[index].bytes)
      outcome.damage[index].reason = text(fault, unreadable: unreadable)
    }
  }

  /// What is wrong with damaged bytes, some of which the disk may not be able to read.
  private func text(_ fault: BatchFault, unreadable: Int?) -> String {
    guard let unreadable, !fault.isUnreadable else { return fault.description }
    return "\(fault); \(BatchFault.unreadable(position: unreadable))"
  }

  /// The offset after damage that extends to the segment's end. An end of the log below its start
  /// is invalid: it proves no record.
  private func endOfDamage(
    _ bytes: Range<Int>, _ expected: Int64, _ nextSegment: Int64?
  ) throws(DiskError) -> Int64 {
    let known = nextSegment ?? setting.frame.reachedOffset
    guard nextSegment == nil || known <= setting.frame.startHint else {
      return known
    }
    let stated = try statedEnd(of: bytes, expected: expected)
    return known <= setting.frame.startHint ? stated : max(known, stated)
  }

  private mutating func cut(at position: Int, _ expected: Int64, _ fault: BatchFault) {
    outcome.cut = .init(position: position, offset: expected, reason: fault.description)
    checks?.passCut(at: position)
  }

  /// What a segment without a valid batch may be.
  private var start: UnfinishedStart {
    UnfinishedStart(
      setting.log, byteCount: outcome.size, baseOffset: setting.place.baseOffset,
      isNamed: setting.place.isNamed)
  }

  /// The offset after a damaged end that no later batch bounds. It comes from the damaged batch's
  /// own header if that is consistent (a consumer may have seen those offsets, so they are not
  /// assigned again); otherwise at least one record is assumed. Bytes after the damaged ones may be
  /// cut off, and are not used.
  private func statedEnd(of damaged: Range<Int>, expected: Int64) throws(DiskError) -> Int64 {
    let next = expected == Int64.max ? expected : expected + 1
    var bytes = [UInt8](repeating: 0, count: min(damaged.count, BatchHeader.byteCountMin))
    var target = bytes.mutableSpan
    let count = try setting.log.read(into: &target, at: damaged.lowerBound)
    do throws(BatchError) {
      let header = try BatchHeader(bytes.span.extracting(first: count))
      let isWhole =
        header.baseOffset == expected && header.recordCount == header.lastOffsetDelta &+ 1
      return isWhole ? header.nextOffset : next
    } catch {
      return next
    }
  }

  private func row(_ facts: FaultFacts) -> RecoveryRow {
    SegmentFacts(
      isCleanStop: setting.frame.isCleanStop, isEmpty: false, isLast: setting.isLast,
      reachesRecoveryPoint: true, areIndexesSane: setting.areIndexesSane, fault: facts.fault
    ).row
  }
}
