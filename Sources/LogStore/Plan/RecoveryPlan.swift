package import DiskIO

/// What is in a log's directory and what is to be done about it, as data.
///
/// Opening for writing carries it out, `recover --dry-run` prints it, `verify` reports it, a
/// read-only opening looks through it.
package struct RecoveryPlan: Sendable, CustomStringConvertible {
  package let frame: LogFrame
  package let depth: SurveyOptions.Depth
  /// The segments that the log has once the plan was carried out, with what was found in those that
  /// were looked at.
  var segments: [(place: SegmentPlace, outcome: SegmentOutcome?)] = []
  /// What is to be done, in this order.
  package internal(set) var actions: [RecoveryAction] = []
  /// Damage: remains as it is, whatever is done.
  package internal(set) var damage: [DamagedRange] = []
  /// Unfinished writes at the log's end, which are cut off.
  package internal(set) var tornTails: [TornTail] = []
  /// Files beside the segments that are wrong.
  package internal(set) var sideFileDamage: [SideFileDamage] = []
  /// Files that could not be read.
  package internal(set) var unreadable: [DiskError] = []
  /// What an operator may want to know.
  package internal(set) var notes: [VerificationNote] = []
  /// The same, of interest to a verification only.
  package internal(set) var details: [VerificationNote] = []
  /// Rows of the recovery table that applied.
  package internal(set) var rows: [RecoveryRow] = []
  package internal(set) var logStartOffset: Int64 = 0
  package internal(set) var logEndOffset: Int64 = 0
  /// The log's epochs between its start and its end.
  package internal(set) var epochs = LeaderEpochCheckpoint([])
  /// Base offsets of the producer snapshots that stay.
  package internal(set) var snapshots: [Int64] = []
  package internal(set) var sawProducers = false
  /// The greatest producer id of those that a store gives out, -1 where none was walked over.
  package internal(set) var greatestProducerId: Int64 = -1
  package internal(set) var bytesScanned = 0
  /// What a verification counts.
  package internal(set) var counts: VerificationReport.Log

  init(_ frame: LogFrame, _ depth: SurveyOptions.Depth) {
    self.frame = frame
    self.depth = depth
    counts = VerificationReport.Log(path: frame.directory.path)
  }

  /// Short, for messages that show a report.
  package var description: String { "plan of \(frame.directory.path)" }

  /// Whether new records go on in the last segment.
  package var goesOnInLast: Bool {
    guard let last = segments.last?.outcome, !last.endsDamaged else { return false }
    return last.nextOffset == logEndOffset
  }
}
