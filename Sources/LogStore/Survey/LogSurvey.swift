package import DiskIO

/// Surveys one log: reads, never writes, and gives the plan that everybody goes by.
package struct LogSurvey {
  private let frame: LogFrame
  private let options: SurveyOptions

  /// - Parameter frame: What names, mark and checkpoints say.
  package init(_ frame: LogFrame, _ options: SurveyOptions) {
    self.frame = frame
    self.options = options
  }

  /// The plan of an opening, by one thread.
  ///
  /// - Parameter prepare: Opens a segment's file that opening looks at, before it is read.
  /// - Throws: What keeps a log from being opened; a reader does without a segment that it may not
  ///   open, unless it is the only one.
  package func run(
    _ prepare: (SegmentPlace) throws(DiskError) -> any DiskFile
  ) throws(DiskError) -> RecoveryPlan {
    if options.isForWriting, let error = brokenLog { throw error }
    var outcomes = [SegmentOutcome?](repeating: nil, count: frame.places.count)
    var index = options.depth == .ends ? frame.firstWalked : 0
    while index < outcomes.count {
      let outcome = try look(index, prepare)
      outcomes[index] = outcome
      if outcome.refusal != nil, index > 0, outcomes[index - 1] == nil {
        // The log's end is looked for before it.
        index -= 1
        continue
      }
      if outcome.cut != nil { break }
      index = (outcomes[(index + 1)...].firstIndex { $0 == nil }) ?? outcomes.count
    }
    return try PlanMaker(frame, outcomes, options).make()
  }

  private func look(
    _ index: Int, _ prepare: (SegmentPlace) throws(DiskError) -> any DiskFile
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

  /// Whoever goes on without a `.log` that its name leads to nowhere would give its offsets out
  /// again.
  private var brokenLog: DiskError? {
    frame.names.broken.first {
      guard let name = SegmentName(PathText.lastComponent($0.path)) else { return false }
      return name.kind == .log && name.stage == nil
    }
  }
}
