public import DiskIO

/// The findings of a verification.
///
/// ```swift
/// let report = try LogVerifier().verify(["data"])
/// for range in report.damage { print(range) }
/// for log in report.logs { print("\(log.path): \(log.recordCount) records") }
/// print(report.summary)
/// ```
public struct VerificationReport: Sendable {
  /// Counts of one log.
  public struct Log: Sendable, Equatable {
    /// Path of the log's directory, or of the single file that was verified.
    public var path: String
    /// `.log` files.
    public var segmentCount = 0
    /// Records in valid batches.
    public var recordCount = 0
    /// Valid batches.
    public var batchCount = 0
    /// Bytes of the `.log` files.
    public var byteCount = 0
    /// Base offset of the first segment; 0 if there is none.
    public var startOffset: Int64 = 0
    /// Offset after the last valid batch.
    public var endOffset: Int64 = 0
    /// Offsets between them that no batch covers: removed by compaction, or lost.
    public var missingOffsetCount: Int64 = 0
  }

  /// One entry per log, in the order of the given paths.
  public var logs: [Log] = []
  /// Damage of batches, by file and position.
  public var damage: [DamagedRange] = []
  /// Unfinished writes at the ends of logs.
  public var tornTails: [TornTail] = []
  /// Indexes, checkpoints and the like that are wrong.
  public var sideFileDamage: [SideFileDamage] = []
  /// Files that the disk refused to read.
  public var unreadable: [DiskError] = []
  /// Other notes.
  public var notes: [VerificationNote] = []
  /// What the next opening of each log does.
  package var plans: [RecoveryPlan] = []
  /// Whether one of the paths is a store.
  package var isStore = false

  /// Records in valid batches of all logs.
  public var recordCount: Int { logs.reduce(0) { $0 + $1.recordCount } }
  /// `.log` files of all logs.
  public var segmentCount: Int { logs.reduce(0) { $0 + $1.segmentCount } }
  /// Valid batches of all logs.
  public var batchCount: Int { logs.reduce(0) { $0 + $1.batchCount } }
  /// Bytes of all `.log` files.
  public var byteCount: Int { logs.reduce(0) { $0 + $1.byteCount } }

  /// Whether there is damage. Neither an unfinished write, nor a file that the next opening
  /// rebuilds, nor one that could not be read is damage.
  public var hasDamage: Bool {
    !damage.isEmpty || sideFileDamage.contains { !$0.isMendedByOpen }
  }

  /// The last line of the command: `ok: N records, M segments, no damage` if nothing is wrong.
  public var summary: String {
    let counts = "\(recordCount) records, \(segmentCount) segments"
    let lasting = sideFileDamage.count { !$0.isMendedByOpen }
    let mended = sideFileDamage.count - lasting
    var findings: [String] = []
    if !damage.isEmpty { findings.append(Self.count(damage.count, "damaged range")) }
    if lasting > 0 { findings.append(Self.count(lasting, "wrong side file")) }
    if !unreadable.isEmpty { findings.append(Self.count(unreadable.count, "unreadable file")) }
    if findings.isEmpty { findings.append("no damage") }
    if mended > 0 { findings.append(Self.count(mended, "side file") + " to be repaired") }
    let tornBytes = tornTails.reduce(0) { $0 + $1.bytes.count }
    if !tornTails.isEmpty { findings.append("\(tornBytes) bytes of unfinished writes") }
    let verdict = hasDamage ? "damage" : unreadable.isEmpty ? "ok" : "incomplete"
    return "\(verdict): \(counts), \(findings.joined(separator: ", "))"
  }

  /// Adds the findings of a log's plan.
  mutating func add(_ plan: RecoveryPlan) {
    logs.append(plan.counts)
    damage += plan.damage
    tornTails += plan.tornTails
    sideFileDamage += plan.sideFileDamage
    unreadable += plan.unreadable
    notes += plan.notes + plan.details
    plans.append(plan)
  }

  /// Adds the findings of a single file.
  mutating func add(_ outcome: SegmentOutcome, path: String) {
    var counts = Log(path: path)
    counts.segmentCount = 1
    counts.recordCount = outcome.recordCount
    counts.batchCount = outcome.batchCount
    counts.byteCount = outcome.size
    counts.startOffset = outcome.place.baseOffset
    counts.endOffset = outcome.nextOffset
    counts.missingOffsetCount = outcome.missingOffsetCount
    logs.append(counts)
    damage += outcome.damage
    sideFileDamage += outcome.sideFileDamage
    for wrong in outcome.wrongIndexes where !wrong.isMissing {
      sideFileDamage.append(
        SideFileDamage(
          file: outcome.place.path(wrong.kind), reason: wrong.reason, remedy: nil))
    }
    unreadable += outcome.unreadable + (outcome.refusal.map { [$0] } ?? [])
    notes += outcome.notes
    if let cut = outcome.cut {
      tornTails.append(
        TornTail(
          file: outcome.place.logPath, bytes: cut.position..<max(cut.position, outcome.size),
          offset: cut.offset, reason: cut.reason))
    }
  }

  private static func count(_ count: Int, _ noun: String) -> String {
    count == 1 ? "1 \(noun)" : "\(count) \(noun)s"
  }
}
