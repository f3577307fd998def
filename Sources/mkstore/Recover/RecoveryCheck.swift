import DiskIO
import LogStore

/// What `recover` looks at beside what opening does: everything. Opening reads the unsynced ends of
/// logs alone; damage before them, and wrong indexes, are found by the check that `verify` runs.
struct RecoveryCheck {
  /// Of each log, by the path of its directory.
  private var findings: [String: Findings] = [:]
  /// What nobody mends and what belongs to no log: one sentence each.
  private(set) var remaining: [String] = []

  private struct Findings {
    var damage: [DamagedRange] = []
    var tails: [TornTail] = []
    var mendable: [SideFileDamage] = []
  }

  /// Looks at the whole store.
  init(_ store: StoreLocation) throws(CommandFailure) {
    var options = VerificationOptions()
    options.threadCount = Processors.count
    let path = store.path
    let report = try withDiskErrors { () throws(DiskError) in
      try LogVerifier(PosixDisk(), options).verify([path])
    }
    for range in report.damage { self[range.file].damage.append(range) }
    for tail in report.tornTails { self[tail.file].tails.append(tail) }
    for damage in report.sideFileDamage {
      if damage.isMendedByOpen {
        self[damage.file].mendable.append(damage)
      } else {
        remaining.append("\(damage)")
      }
    }
    remaining += report.unreadable.map { "\($0)" }
  }

  private subscript(file: String) -> Findings {
    get { findings[PathText.parent(file)] ?? Findings() }
    set { findings[PathText.parent(file)] = newValue }
  }

  /// Files of the store's own directory that are written again.
  func mendable(inStore path: String) -> [SideFileDamage] { findings[path]?.mendable ?? [] }

  /// Adds what opening did not see to a log's report.
  func complete(_ report: inout RecoveryReport, of path: String) {
    for range in findings[path]?.damage ?? [] {
      let isKnown = report.damage.contains {
        $0.file == range.file && $0.bytes.lowerBound == range.bytes.lowerBound
      }
      if !isKnown { report.damage.append(range) }
    }
  }

  /// Adds what opening for writing would do.
  func foresee(_ report: inout RecoveryReport, of path: String) {
    let found = findings[path] ?? Findings()
    for tail in found.tails {
      report.cuts.append(
        .init(
          file: tail.file, position: tail.bytes.lowerBound, bytes: tail.bytes.count,
          reason: tail.reason))
    }
    for damage in found.mendable where SegmentFile(damage.file) != nil {
      report.rebuiltIndexes.append(damage.file)
    }
  }

  /// Builds wrong indexes anew and removes snapshots that cannot be used.
  func mend(_ log: Log, at path: String, _ report: inout RecoveryReport) throws(CommandFailure) {
    for damage in findings[path]?.mendable ?? [] {
      guard let file = SegmentFile(damage.file) else { continue }
      try withLogErrors { () throws(LogError) in
        switch file.kind {
        case .index, .timeindex: try log.mendIndexes(ofSegment: file.baseOffset)
        case .snapshot: try log.removeSnapshot(at: file.baseOffset)
        case .log, .txnindex: break
        }
      }
      switch file.kind {
      case .index, .timeindex: report.rebuiltIndexes.append(damage.file)
      case .snapshot: report.removedFiles.append(damage.file)
      case .log, .txnindex: break
      }
    }
  }

  /// A file beside a segment, by its path.
  private struct SegmentFile {
    var kind: SegmentName.Kind
    var baseOffset: Int64

    init?(_ path: String) {
      guard let name = SegmentName(PathText.lastComponent(path)), name.stage == nil,
        name.kind != .log
      else { return nil }
      kind = name.kind
      baseOffset = name.baseOffset
    }
  }
}
