import DiskIO
import RecordFormat

/// Verifies one segment: its batches, and its index files against them.
///
/// Owned by one thread. Only reads; the file may grow meanwhile.
struct SegmentVerifier: ~Copyable {
  /// How often the file's size is asked for again when its last batch is incomplete: a writer that
  /// is just appending needs a moment.
  private static let tailRetriesMax = 64
  /// Bytes between two reports of progress.
  private static let progressBytes = 4 << 20

  private let disk: any Disk
  private let plan: SegmentPlan
  private let options: VerificationOptions
  private let meter: VerificationMeter
  private var decoder = RecordDecoder(tolerance: .kafka)
  /// Of the batch that passes, where its records were looked at.
  private var summary: BatchSummary?
  private var oddities: BatchFindings = []
  private var indexes: SegmentIndexVerifier
  private var findings = SegmentFindings()
  private var reportedBytes = 0

  init(
    _ disk: any Disk, _ plan: SegmentPlan, options: VerificationOptions, meter: VerificationMeter
  ) {
    self.disk = disk
    self.plan = plan
    self.options = options
    self.meter = meter
    indexes = SegmentIndexVerifier(disk, plan)
    findings.nextOffset = plan.baseOffset
  }

  /// Looks at everything.
  consuming func run() -> SegmentFindings {
    do throws(DiskError) {
      try indexes.load()
    } catch {
      // The batches are looked at all the same.
      refused(error)
    }
    do throws(DiskError) {
      let file = try disk.open(plan.path, .read)
      try scan(file)
      indexes.finish(&findings)
      // An index that the disk refused is said once.
      if findings.unreadable.isEmpty { try findLostEnd() }
      // Once more: what was asked about the damage may have read it again.
      for range in findings.damage { file.dropPages(around: range.bytes) }
    } catch {
      refused(error)
    }
    meter.add(plan.byteCount - reportedBytes)
    return findings
  }

  private mutating func scan(_ file: any DiskFile) throws(DiskError) {
    findings.byteCount = try file.size()
    file.advise(.sequential, at: 0, count: findings.byteCount)
    var scanner = scanner(file, from: 0, endPosition: findings.byteCount)
    while true {
      switch try next(&scanner) {
      case .batch(let header, let position): pass(header, position)
      case .invalid(let fault, let position):
        if let grown = try grownFile(file, fault, scanner) {
          findings.byteCount = grown
          scanner = self.scanner(file, from: position, endPosition: grown)
        } else {
          if try !passDamage(&scanner, fault, file) { return indexes.end(at: position) }
        }
      case .end(let position):
        indexes.end(at: position)
        return
      }
    }
  }

  /// Asks the indexes of a broker's segment what stood behind its end.
  private mutating func findLostEnd() throws(DiskError) {
    guard plan.indexes != nil, !plan.point.isOwn else { return }
    let damage = findings.damage.last?.bytes
    let damagedEnd = damage.flatMap { $0.upperBound == findings.byteCount ? $0.lowerBound : nil }
    findings.evidence = try EndEvidence.inIndexes(
      of: plan.baseOffset,
      behind: EndEvidence.End(
        offset: findings.nextOffset,
        position: findings.tornTail?.bytes.lowerBound ?? damagedEnd ?? findings.byteCount,
        largestTimestamp: indexes.largestTimestamp, size: findings.byteCount),
      in: LogDirectory(disk: disk, path: PathText.parent(plan.path)))
  }

  private func scanner(
    _ file: any DiskFile, from position: Int, endPosition: Int
  ) -> SegmentScanner {
    var scanOptions = SegmentScanner.Options(
      rules: plan.rules, isFollowed: plan.nextBaseOffset != nil)
    scanOptions.chunkBytes = options.chunkBytes
    return SegmentScanner(
      file, from: position, endPosition: endPosition, expectedOffset: findings.nextOffset,
      offsetLimit: plan.offsetLimit, options: scanOptions)
  }

  private mutating func next(_ scanner: inout SegmentScanner) throws(DiskError) -> ScanEvent {
    summary = nil
    if options.depth == .quick { return try scanner.next() }
    let isDeep = options.depth == .deep
    return try scanner.next { (header, bytes) throws(BatchError) in
      // Sets of the old formats do not even tell how many records they hold.
      guard isDeep || header.isLegacy else { return }
      summary = try RecordBatch(bytes).validate(.stored, decoder: &decoder)
    }
  }

  private mutating func pass(_ header: BatchHeader, _ position: Int) {
    findings.recordCount += summary?.recordCount ?? max(0, Int(header.recordCount))
    findings.batchCount += 1
    if let odd = summary?.findings, !oddities.isSuperset(of: odd) {
      note(odd.subtracting(oddities), position)
      oddities.formUnion(odd)
    }
    // Sets of the old formats state only their last offset: nothing can be said of gaps.
    if !header.isLegacy {
      passGap(before: header.baseOffset)
      passEpoch(header, position)
    }
    findings.nextOffset = header.nextOffset
    indexes.pass(header, position)
    if position + header.byteCount - reportedBytes >= Self.progressBytes {
      meter.add(position + header.byteCount - reportedBytes)
      reportedBytes = position + header.byteCount
    }
  }

  private mutating func passGap(before offset: Int64) {
    let start = findings.nextOffset
    guard start < offset else { return }
    findings.missingOffsetCount += offset - start
    if findings.gaps.count < SegmentFindings.gapsMax { findings.gaps.append(start..<offset) }
  }

  /// Tells of records that break the rules and that Kafka's readers let pass: once for each kind.
  private mutating func note(_ odd: BatchFindings, _ position: Int) {
    let texts = odd.descriptions.joined(separator: "; ")
    findings.notes.append(
      VerificationNote(
        file: plan.path, text: "Kafka tolerates it: \(texts) (first at position \(position))"))
  }

  private mutating func passEpoch(_ header: BatchHeader, _ position: Int) {
    guard header.leaderEpoch != findings.epochStarts.last?.epoch,
      findings.epochStarts.count < SegmentFindings.epochStartsMax
    else { return }
    findings.epochStarts.append(
      SegmentFindings.EpochStart(
        epoch: header.leaderEpoch, offset: header.baseOffset, position: position))
  }

  /// The file's new size, if an incomplete batch at its end is one that is being written right now.
  private func grownFile(
    _ file: any DiskFile, _ fault: BatchFault, _ scanner: borrowing SegmentScanner
  ) throws(DiskError) -> Int? {
    guard plan.isOpenEnded, fault.isIncomplete else { return nil }
    for _ in 0..<Self.tailRetriesMax {
      let size = try file.size()
      if size > scanner.endPosition { return size }
    }
    return nil
  }

  /// Goes on behind an invalid batch, and records what that costs; by the rules of recovery.
  ///
  /// - Returns: Whether the walk goes on: not behind an unfinished write.
  private mutating func passDamage(
    _ scanner: inout SegmentScanner, _ fault: BatchFault, _ file: any DiskFile
  ) throws(DiskError) -> Bool {
    let expected = scanner.expectedOffset
    let isPromised = plan.isClean || expected < plan.point.offset
    let (bytes, header) = try scanner.resume()
    let isOwn = plan.point.isOwn && !isPromised
    let isEnd = header == nil && plan.nextBaseOffset == nil
    let start = UnfinishedStart(
      file, byteCount: scanner.endPosition, baseOffset: plan.baseOffset,
      offsetLimit: plan.offsetLimit)
    let isUnfinished = isEnd && !isOwn && bytes.lowerBound == 0 ? try start.isPlausible() : true
    if !isPromised, isOwn || (isEnd && isUnfinished && findings.damage.isEmpty) {
      let tail = bytes.lowerBound..<scanner.endPosition
      findings.tornTail = TornTail(
        file: plan.path, bytes: tail, offset: expected, reason: "\(fault)")
      indexes.passTornTail(tail)
      return false
    }
    let promised = plan.point.offset > expected ? plan.point.offset : nil
    let next = scanner.offsetBehindDamage ?? plan.nextBaseOffset ?? promised
    indexes.passDamage(bytes, before: next ?? Int64.max)
    let reason = isUnfinished ? "\(fault)" : UnfinishedStart.noBatch(fault)
    addDamage(bytes, next.map { expected..<max(expected, $0) }, reason)
    // Lost offsets are told with the damage, not among the gaps.
    findings.nextOffset = max(findings.nextOffset, next ?? 0)
    return true
  }

  /// Appends a damaged range; one that goes on where the last ended is one range with it.
  private mutating func addDamage(_ bytes: Range<Int>, _ offsets: Range<Int64>?, _ reason: String) {
    guard let last = findings.damage.last, last.bytes.upperBound == bytes.lowerBound else {
      findings.damage.append(
        DamagedRange(file: plan.path, bytes: bytes, offsets: offsets, reason: reason))
      return
    }
    let start = last.offsets?.lowerBound ?? 0
    findings.damage[findings.damage.count - 1] = DamagedRange(
      file: plan.path, bytes: last.bytes.lowerBound..<bytes.upperBound,
      offsets: offsets.map { min(start, $0.lowerBound)..<$0.upperBound }, reason: last.reason)
  }

  /// The disk refused: a file that is gone was removed by a running writer, else it is a finding.
  private mutating func refused(_ error: DiskError) {
    if error.isNotFound {
      findings.isGone = true
      findings.notes.append(
        VerificationNote(file: error.path, text: "was removed while it was to be verified"))
    } else {
      findings.unreadable.append(error)
    }
  }
}
