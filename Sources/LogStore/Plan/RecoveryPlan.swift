package import DiskIO

/// What a log's directory contains and what to do about it, as data.
///
/// Opening for writing executes it, `recover --dry-run` prints it, `verify` reports it, a read-only
/// opening reads through it.
package struct RecoveryPlan: Sendable, CustomStringConvertible {
  package let frame: LogFrame
  let depth: SurveyOptions.Depth
  /// The log's segments after the plan was executed, with the outcome of those that were surveyed.
  var segments: [(place: SegmentPlace, outcome: SegmentOutcome?)] = []
  /// The changes to make, in this order.
  var actions: [RecoveryAction] = []
  /// Damage: stays, whatever is done.
  package internal(set) var damage: [DamagedRange] = []
  /// Unfinished writes at the log's end, which are cut off.
  package internal(set) var tornTails: [TornTail] = []
  /// Files beside the segments that are wrong.
  package internal(set) var sideFileDamage: [SideFileDamage] = []
  /// Files that could not be read.
  package var unreadable: [DiskError] = []
  /// Notes for an operator.
  package internal(set) var notes: [VerificationNote] = []
  /// Notes only for a verification.
  var details: [VerificationNote] = []
  /// Rows of the recovery table that applied.
  var rows: [RecoveryRow] = []
  package internal(set) var logStartOffset: Int64 = 0
  package internal(set) var logEndOffset: Int64 = 0
  /// The log's epochs between its start and its end.
  package internal(set) var epochs = LeaderEpochCheckpoint([])
  /// Base offsets of the producer snapshots that stay.
  package internal(set) var snapshots: [Int64] = []
  var sawProducers = false
  /// The greatest producer id in the range that a store assigns; -1 if none was found.
  var greatestProducerId: Int64 = -1
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

  /// Whether new records continue in the last segment.
  var goesOnInLast: Bool {
    guard let last = segments.last?.outcome, !last.endsDamaged else { return false }
    return last.nextOffset == logEndOffset
  }
}
