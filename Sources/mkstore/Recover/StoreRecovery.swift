import LogStore

/// What recovering a store did, or would do.
struct StoreRecovery {
  /// One log of it.
  struct Log {
    var name: String
    var path: String
    var report: RecoveryReport

    /// Whether there is more to say than that it was opened.
    var hasNews: Bool {
      report.isEventful || !report.notes.isEmpty || !report.removedFiles.isEmpty
        || wrongFileCount > 0
    }

    /// Files beside the segments that are wrong and stay so.
    var wrongFileCount: Int { report.sideFileDamage.count { !$0.isMendedByOpen } }
  }

  private(set) var logs: [Log] = []
  /// What could not be opened or read.
  private(set) var failures: [String] = []
  /// Files of the store's own directory that are rebuilt.
  private(set) var mendedFiles: [String] = []
  /// Those that are wrong and stay so.
  private(set) var sideFileDamage: [SideFileDamage] = []

  /// What an opening did.
  init(_ report: StoreReport, _ store: StoreLocation) {
    logs = report.logs.map {
      Log(
        name: "\($0.topicPartition)", path: store.path(of: $0.topicPartition), report: $0.recovery)
    }
    failures = report.failed.map { "\($0.directory): \($0.error)" }
    mendedFiles = report.mendedFiles
    sideFileDamage = report.sideFileDamage
    noteUnreadable()
  }

  /// What the next opening would do.
  init(_ report: VerificationReport) {
    logs = report.plans.map {
      let path = $0.frame.directory.path
      return Log(name: PathText.lastComponent(path), path: path, report: $0.report)
    }
    let inLogs = Set(report.plans.flatMap { $0.unreadable.map { "\($0)" } })
    failures = report.unreadable.map { "\($0)" }.filter { !inLogs.contains($0) }
    let logPaths = Set(logs.map(\.path))
    for damage in report.sideFileDamage where !logPaths.contains(PathText.parent(damage.file)) {
      if damage.isMendedByOpen {
        mendedFiles.append(damage.file)
      } else {
        sideFileDamage.append(damage)
      }
    }
    noteUnreadable()
  }

  /// Adds a file of the store's directory that was rebuilt after the store was opened.
  mutating func addMended(_ file: String) {
    if !mendedFiles.contains(file) { mendedFiles.append(file) }
  }

  private mutating func noteUnreadable() {
    failures += logs.flatMap(\.report.unreadableFiles)
  }

  /// Files that are wrong and stay so.
  var wrongFileCount: Int { sideFileDamage.count + logs.reduce(0) { $0 + $1.wrongFileCount } }

  /// Whether damage remains.
  var hasDamage: Bool { wrongFileCount > 0 || logs.contains { !$0.report.damage.isEmpty } }

  /// Whether something could not be looked at.
  var isIncomplete: Bool { !failures.isEmpty }
}
