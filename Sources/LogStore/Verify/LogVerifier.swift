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
    sums.segmentCount = segments.count
    sums.startOffset = log.segments.first?.baseOffset ?? 0
    sums.endOffset = segments.last?.nextOffset ?? 0
    for (plan, segment) in zip(log.segments, segments) {
      let lost = log.rules.isGapless ? lostBehind(segment, plan, log) : nil
      sums.recordCount += segment.recordCount
      sums.batchCount += segment.batchCount
      sums.byteCount += segment.byteCount
      sums.missingOffsetCount += segment.missingOffsetCount
      if let lost {
        report.damage.append(lost)
      } else if let next = plan.nextBaseOffset {
        sums.missingOffsetCount += max(0, next - segment.nextOffset)
      }
      report.damage += segment.damage
      report.sideFileDamage += segment.sideFileDamage
      report.unreadable += segment.unreadable
      report.notes += segment.notes
      if let tail = segment.tornTail { report.tornTails.append(tail) }
    }
    report.damage += EpochOrder.damage(log.segments, segments)
    if let lost = lostEnd(log, segments) { report.damage.append(lost) }
    if sums.missingOffsetCount > 0 {
      report.notes.append(
        VerificationNote(
          file: log.path,
          text: "\(sums.missingOffsetCount) offsets hold no record, as after compaction"))
    }
    report.logs.append(sums)
    if options.depth != .quick {
      let findings = SideFileVerifier(disk).logFindings(log, segments)
      report.sideFileDamage += findings.damage
      report.unreadable += findings.unreadable
    }
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

  /// Offsets that were synced and are not there any more, though what is there is valid.
  private func lostEnd(_ log: LogPlan, _ segments: [SegmentFindings]) -> DamagedRange? {
    guard let plan = log.segments.last, let last = segments.last, last.damage.isEmpty,
      last.unreadable.isEmpty, !last.isGone,
      last.nextOffset < log.point.offset
    else { return nil }
    let end = last.byteCount
    return DamagedRange(
      file: plan.path, bytes: end..<end, offsets: last.nextOffset..<log.point.offset,
      reason: "the log ends before the offset up to which it was synced")
  }
}
