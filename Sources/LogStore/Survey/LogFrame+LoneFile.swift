internal import DiskIO

extension LogFrame {
  /// A single `.log` file, known only by its bytes and perhaps its name.
  ///
  /// - Parameter baseOffset: From the name; nil if the name has none.
  init(loneFile name: String, baseOffset: Int64?, in directory: LogDirectory) {
    let entry = SegmentLayout.Entry(
      baseOffset: baseOffset ?? 0, logName: name, hasOffsetIndex: false, hasTimeIndex: false)
    var place = SegmentPlace(directory: directory, entry: entry)
    place.isNamed = baseOffset != nil
    place.isLone = true
    self.init(
      directory: directory,
      hints: LogHints(isCleanStop: false, recoveryPoint: nil, logStartOffset: nil),
      startEvidence: StartEvidence(own: .missing, line: nil),
      mark: DurableMark.Contents(), layout: SegmentLayout(), point: .unknown,
      isOutrun: false, isCleanStop: false, rules: .none,
      epochEvidence: EpochEvidence(told: nil), noted: KnownLosses.Content(), places: [place],
      firstWalked: 0,
      names: NameFindings())
  }
}
