public import DiskIO

/// What a verification found.
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
    /// Base offset of the first segment; 0 where there is none.
    public var startOffset: Int64 = 0
    /// Offset after the last valid batch.
    public var endOffset: Int64 = 0
    /// Offsets between them that no batch covers: removed by compaction, or lost.
    public var missingOffsetCount: Int64 = 0
  }

  /// One entry a log, in the order of the paths that were given.
  public var logs: [Log] = []
  /// Damage of batches, by file and position.
  public var damage: [DamagedRange] = []
  /// Unfinished writes at the ends of logs.
  public var tornTails: [TornTail] = []
  /// Indexes, checkpoints and the like that are wrong.
  public var sideFileDamage: [SideFileDamage] = []
  /// Files that the disk refused to read.
  public var unreadable: [DiskError] = []
  /// The rest.
  public var notes: [VerificationNote] = []

  /// Records in valid batches of all logs.
  public var recordCount: Int { logs.reduce(0) { $0 + $1.recordCount } }
  /// `.log` files of all logs.
  public var segmentCount: Int { logs.reduce(0) { $0 + $1.segmentCount } }
  /// Valid batches of all logs.
  public var batchCount: Int { logs.reduce(0) { $0 + $1.batchCount } }
  /// Bytes of all `.log` files.
  public var byteCount: Int { logs.reduce(0) { $0 + $1.byteCount } }

  /// Whether something is wrong; an unfinished write alone is not.
  public var hasDamage: Bool {
    !damage.isEmpty || !sideFileDamage.isEmpty || !unreadable.isEmpty
  }

  /// The last line of the command: `ok: N records, M segments, no damage` where nothing is wrong.
  public var summary: String {
    let counts = "\(recordCount) records, \(segmentCount) segments"
    if !hasDamage && tornTails.isEmpty { return "ok: \(counts), no damage" }
    var findings: [String] = []
    if !damage.isEmpty { findings.append(Self.count(damage.count, "damaged range")) }
    if !sideFileDamage.isEmpty {
      findings.append(Self.count(sideFileDamage.count, "wrong side file"))
    }
    if !unreadable.isEmpty { findings.append(Self.count(unreadable.count, "unreadable file")) }
    if !hasDamage { findings.append("no damage") }
    let tornBytes = tornTails.reduce(0) { $0 + $1.bytes.count }
    if !tornTails.isEmpty { findings.append("\(tornBytes) bytes of unfinished writes") }
    return "\(hasDamage ? "damage" : "ok"): \(counts), \(findings.joined(separator: ", "))"
  }

  private static func count(_ count: Int, _ noun: String) -> String {
    count == 1 ? "1 \(noun)" : "\(count) \(noun)s"
  }
}
