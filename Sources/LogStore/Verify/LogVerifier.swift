public import DiskIO

/// Checks stores, logs and single segments without changing a byte, also on read-only media and
/// while a writer runs; the engine behind `mkstore verify`.
///
/// Takes no lock. Several segments are looked at in parallel.
public struct LogVerifier: Sendable {
  private let disk: any Disk
  private let options: VerificationOptions

  /// Prepares; nothing is read yet.
  public init(
    _ disk: any Disk = PosixDisk(), _ options: VerificationOptions = VerificationOptions()
  ) {
    self.disk = disk
    self.options = options
  }

  /// Verifies what the paths name: log directories, store directories, single `.log` files.
  ///
  /// - Parameters:
  ///   - paths: What is to be verified.
  ///   - progress: Called now and then, from several threads at a time.
  /// - Throws: Where a path or a directory cannot be looked at at all; a file that cannot be read
  ///   is a finding.
  public func verify(
    _ paths: [String], progress: (@Sendable (VerificationProgress) -> Void)? = nil
  ) throws(DiskError) -> VerificationReport {
    var planner = VerificationPlanner(disk, depth: options.depth)
    for path in paths { try planner.add(path) }
    let segments = planner.logs.flatMap(\.segments)
    let meter = VerificationMeter(
      totalBytes: segments.reduce(0) { $0 + $1.byteCount }, report: progress)
    let findings = WorkerThreads.map(
      jobCount: segments.count, threadCount: options.threadCount
    ) { [disk, options] job in
      SegmentVerifier(disk, segments[job], options: options, meter: meter).run()
    }
    var report = planner.report
    var start = 0
    for log in planner.logs {
      let end = start + log.segments.count
      try add(log, Array(findings[start..<end]), to: &report)
      start = end
    }
    return report
  }

  /// Joins what was found in a log's segments, and looks at what concerns all of them.
  private func add(
    _ log: LogPlan, _ segments: [SegmentFindings], to report: inout VerificationReport
  ) throws(DiskError) {
    var sums = VerificationReport.Log(path: log.path)
    var gaps: [Range<Int64>] = []
    sums.segmentCount = segments.count
    sums.startOffset = log.segments.first?.baseOffset ?? 0
    sums.endOffset = segments.last?.nextOffset ?? 0
    for (plan, segment) in zip(log.segments, segments) {
      let lost =
        (log.rules.isGapless ? lostBehind(segment, plan, log) : nil) ?? lostBehind(segment, plan)
      sums.recordCount += segment.recordCount
      sums.batchCount += segment.batchCount
      sums.byteCount += segment.byteCount
      sums.missingOffsetCount += segment.missingOffsetCount
      gaps += segment.gaps
      if let lost {
        report.damage.append(lost)
      } else if let next = plan.nextBaseOffset, next > segment.nextOffset,
        segment.unreadable.allSatisfy({ $0.path != plan.path })
      {
        sums.missingOffsetCount += next - segment.nextOffset
        gaps.append(segment.nextOffset..<next)
      }
      report.damage += segment.damage
      report.sideFileDamage += segment.sideFileDamage
      report.unreadable += segment.unreadable
      report.notes += segment.notes
      if let tail = segment.tornTail { report.tornTails.append(tail) }
    }
    report.damage += EpochOrder.damage(log.segments, segments)
    do throws(DiskError) {
      if let lost = try lostEnd(log, segments) { report.damage.append(lost) }
    } catch {
      if !error.isNotFound { report.unreadable.append(error) }
    }
    if sums.missingOffsetCount > 0 {
      report.notes.append(
        VerificationNote(
          file: log.path,
          text: "\(sums.missingOffsetCount) offsets hold no record, as after compaction: "
            + Self.text(gaps, of: sums.missingOffsetCount)))
    }
    report.logs.append(sums)
    if options.depth != .quick {
      let findings = SideFileVerifier(disk).logFindings(log, segments)
      report.sideFileDamage += findings.damage
      report.unreadable += findings.unreadable
    }
  }

  /// Names gaps, the largest ones where there are many: a lost segment is among them.
  private static func text(_ gaps: [Range<Int64>], of count: Int64) -> String {
    let largest = gaps.sorted { $0.count > $1.count }.prefix(SegmentFindings.gapsMax)
    let named = largest.sorted { $0.lowerBound < $1.lowerBound }
      .map { "\($0.lowerBound) to \($0.upperBound - 1)" }
    let isAll = largest.reduce(0) { $0 + Int64($1.count) } == count
    return named.joined(separator: ", ") + (isAll ? "" : " and more")
  }

  /// Synced offsets that are missing between a segment and the next one, where none is missing by
  /// right.
  private func lostBehind(
    _ segment: SegmentFindings, _ plan: SegmentPlan, _ log: LogPlan
  ) -> DamagedRange? {
    guard let next = plan.nextBaseOffset, next <= log.point.offset, segment.nextOffset < next,
      segment.unreadable.isEmpty, !segment.isGone
    else { return nil }
    return DamagedRange(
      file: plan.path, bytes: segment.byteCount..<segment.byteCount,
      offsets: segment.nextOffset..<next, reason: Log.missingEnd)
  }

  /// The same of a broker's segment, whose indexes tell that it was no compaction.
  private func lostBehind(_ segment: SegmentFindings, _ plan: SegmentPlan) -> DamagedRange? {
    guard let next = plan.nextBaseOffset, let evidence = segment.evidence,
      segment.nextOffset < next, segment.unreadable.isEmpty
    else { return nil }
    return evidence.loss(
      in: plan.path, at: segment.byteCount, from: segment.nextOffset, before: next)
  }

  /// Offsets that were synced, or that other files tell of, and that are not there any more, though
  /// what is there is valid.
  private func lostEnd(
    _ log: LogPlan, _ segments: [SegmentFindings]
  ) throws(DiskError) -> DamagedRange? {
    // Where damage reaches to the end, all from there on is told to be lost.
    guard let plan = log.segments.last, let last = segments.last, last.unreadable.isEmpty,
      !last.isGone, last.damage.allSatisfy({ $0.offsets != nil })
    else { return nil }
    let next = last.nextOffset
    let end = last.tornTail?.bytes.lowerBound ?? last.byteCount
    var found = plan.nextBaseOffset == nil ? last.evidence : nil
    if !log.point.isOwn, options.depth != .quick {
      let directory = LogDirectory(disk: disk, path: log.path)
      found = EndEvidence.further(
        found, try EndEvidence.inSnapshots(log.snapshots, behind: next, in: directory))
    }
    if let found, found.nextOffset > max(next, log.point.offset) {
      return found.loss(in: plan.path, at: end, from: next, before: nil)
    }
    guard next < log.point.offset else { return nil }
    return DamagedRange(
      file: plan.path, bytes: end..<end, offsets: next..<log.point.offset,
      reason: "the log ends before the offset up to which it was synced")
  }
}
