internal import DiskIO

/// Surveys one log: reads, never writes, and gives the plan that all callers use.
struct LogSurvey: Sendable {
  private let frame: LogFrame
  private let options: SurveyOptions

  /// - Parameter frame: The log's names, mark and checkpoints.
  init(_ frame: LogFrame, _ options: SurveyOptions) {
    self.frame = frame
    self.options = options
  }

  /// Opens a segment's file that opening examines, before it is read. Called by several threads at
  /// a time.
  typealias Preparation = @Sendable (SegmentPlace) throws(DiskError) -> any DiskFile

  /// The plan of an opening.
  ///
  /// - Throws: What prevents a log from being opened; a reader skips a segment that it may not
  ///   open, unless it is the only one.
  func run(_ prepare: @escaping Preparation) throws(DiskError) -> RecoveryPlan {
    if options.isForWriting, let error = brokenLog { throw error }
    let outcomes =
      options.depth == .ends ? try lookAtEnd(prepare) : try lookAtAll(prepare)
    return try PlanMaker(frame, outcomes, options).make()
  }

  /// From the first segment that opening walks over. If the end cannot be read, also earlier ones,
  /// one by one.
  private func lookAtEnd(_ prepare: Preparation) throws(DiskError) -> [SegmentOutcome?] {
    var outcomes = [SegmentOutcome?](repeating: nil, count: frame.places.count)
    var index = frame.firstWalked
    while index < outcomes.count {
      let outcome = try look(index, prepare)
      outcomes[index] = outcome
      if outcome.refusal != nil, index > 0, outcomes[index - 1] == nil {
        // The log's end is searched before it.
        index -= 1
        continue
      }
      if outcome.cut != nil { break }
      index = (outcomes[(index + 1)...].firstIndex { $0 == nil }) ?? outcomes.count
    }
    return outcomes
  }

  /// Every segment, several at a time. Segments after a cut are treated as not surveyed, whichever
  /// was done first.
  private func lookAtAll(
    _ prepare: @escaping Preparation
  ) throws(DiskError) -> [SegmentOutcome?] {
    let results = WorkerThreads.map(
      jobCount: frame.places.count, threadCount: options.threadCount
    ) { index in
      Result { () throws(DiskError) in try look(index, prepare) }
    }
    var outcomes = [SegmentOutcome?](repeating: nil, count: results.count)
    for (index, result) in results.enumerated() {
      let outcome = try result.get()
      outcomes[index] = outcome
      if outcome.cut != nil { break }
    }
    return outcomes
  }

  private func look(
    _ index: Int, _ prepare: Preparation
  ) throws(DiskError) -> SegmentOutcome {
    let survey = SegmentSurvey(frame, index, options)
    let outcome: SegmentOutcome
    if index >= frame.firstWalked {
      do throws(DiskError) {
        outcome = survey.run(try prepare(frame.places[index]))
      } catch {
        guard mayDoWithout(error) else { throw error }
        var refused = SegmentOutcome(frame.places[index])
        refused.refusal = error
        return refused
      }
    } else {
      outcome = survey.run()
    }
    if let error = outcome.refusal, !mayDoWithout(error) { throw error }
    return outcome
  }

  private func mayDoWithout(_ error: DiskError) -> Bool {
    !options.isForWriting && frame.places.count > 1 && !error.isNotFound
  }

  /// If a `.log` is a broken link, continuing without it would assign its offsets again.
  private var brokenLog: DiskError? {
    frame.names.broken.first { SegmentName(PathText.lastComponent($0.path))?.isLog ?? false }
  }
}
