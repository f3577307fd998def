public import DiskIO

/// Checks stores, logs and single segments without changing a byte, also on read-only media and
/// while a writer runs; the engine behind `mkstore verify`.
///
/// ```swift
/// let report = try LogVerifier().verify(["data/orders-0"])
/// print(report.summary)
/// ```
///
/// Takes no lock. Several segments are examined in parallel.
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
  ///   - paths: What to verify.
  ///   - progress: Called periodically, from several threads at a time.
  /// - Throws: If a path or a directory cannot be examined at all; a file that cannot be read is a
  ///   finding.
  public func verify(
    _ paths: [String], progress: (@Sendable (VerificationProgress) -> Void)? = nil
  ) throws(DiskError) -> VerificationReport {
    var found = VerificationTargets(disk, depth: options.depth)
    for path in paths { try found.add(path) }
    var report = found.report
    let outcomes = survey(found.targets, progress)
    for (target, outcomes) in zip(found.targets, outcomes) {
      try add(target, outcomes, to: &report)
    }
    return report
  }

  /// Surveys the segments of all targets, in parallel.
  private func survey(
    _ targets: [VerificationTargets.Target],
    _ progress: (@Sendable (VerificationProgress) -> Void)?
  ) -> [[SegmentOutcome]] {
    let jobs = targets.flatMap { target in target.indices.map { (target.frame, $0) } }
    let meter = VerificationMeter(
      totalBytes: progress == nil ? 0 : jobs.reduce(0) { $0 + size(of: $1.0.places[$1.1]) },
      report: progress)
    let options = surveyOptions
    let found = WorkerThreads.map(
      jobCount: jobs.count, threadCount: self.options.threadCount
    ) { job in
      SegmentSurvey(jobs[job].0, jobs[job].1, options, meter: meter).run()
    }
    var start = 0
    return targets.map { target in
      defer { start += target.indices.count }
      return Array(found[start..<start + target.indices.count])
    }
  }

  private func size(of place: SegmentPlace) -> Int {
    do throws(DiskError) {
      return try disk.status(place.logPath)?.size ?? 0
    } catch {
      return 0
    }
  }

  private var surveyOptions: SurveyOptions {
    let depth: SurveyOptions.Depth =
      switch options.depth {
      case .quick: .quick
      case .standard: .standard
      case .deep: .deep
      }
    var survey = SurveyOptions(depth: depth)
    survey.chunkBytes = options.chunkBytes
    survey.isLive = true
    return survey
  }

  private func add(
    _ target: VerificationTargets.Target, _ outcomes: [SegmentOutcome],
    to report: inout VerificationReport
  ) throws(DiskError) {
    if target.only != nil, let outcome = outcomes.first {
      return report.add(outcome, path: target.path)
    }
    var plan = try PlanMaker(target.frame, outcomes, surveyOptions).make()
    // What looks like damage may come from a concurrent writer.
    for _ in 1..<VerificationTargets.attemptsMax {
      guard !plan.damage.isEmpty, try hasChanged(plan.frame),
        let again = try lookAgain(target.path)
      else { break }
      plan = again
    }
    report.add(plan)
  }

  /// Whether a running writer changed what the plan was based on.
  private func hasChanged(_ frame: LogFrame) throws(DiskError) -> Bool {
    let store = PathText.parent(frame.directory.path)
    let isClean = try disk.status("\(store)/\(CleanShutdownFile.name)") != nil
    if isClean != frame.hints.isCleanStop { return true }
    return try DurableMark.read(frame.directory) != frame.mark
  }

  /// nil if the log no longer exists.
  private func lookAgain(_ path: String) throws(DiskError) -> RecoveryPlan? {
    do throws(DiskError) {
      let hints = try StoreHints(disk, directory: PathText.parent(path))
      let target = try VerificationTargets.target(path, hints, disk)
      return try PlanMaker(target.frame, survey([target], nil)[0], surveyOptions).make()
    } catch {
      if error.isNotFound { return nil }
      throw error
    }
  }
}
