import LogStore

/// What recovering a store did, or would do.
struct StoreRecovery {
  /// One log of it.
  struct Log {
    var name: String
    var path: String
    var report: RecoveryReport
    /// Losses that were accepted in this run.
    var accepted: [AcceptedLoss] = []
    /// Accepted losses that are reported as damage again.
    var undone: [AcceptedLoss] = []
    /// Accepted losses that could not be undone.
    var leftAccepted: [UndoneLosses.Left] = []

    /// One line for each of them.
    var acceptanceLines: [String] {
      accepted.map { "accepted \($0)" } + undone.map { "undone: \($0)" }
        + leftAccepted.map { "stays accepted, since \($0.reason): \($0.loss)" }
    }

    /// Whether there is more to report than that it was opened.
    var hasNews: Bool {
      report.isEventful || !report.notes.isEmpty || !report.removedFiles.isEmpty
        || wrongFileCount > 0 || !acceptanceLines.isEmpty
    }

    /// Files beside the segments that are wrong and are not rebuilt.
    var wrongFileCount: Int { report.sideFileDamage.count { !$0.isMendedByOpen } }
  }

  private(set) var logs: [Log] = []
  /// What could not be opened or read.
  private(set) var failures: [String] = []
  /// Files of the store's own directory that are rebuilt.
  private(set) var mendedFiles: [String] = []
  /// Those that are wrong and are not rebuilt.
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

  /// Records accepted losses of a log: they are no damage any more.
  mutating func noteAccepted(_ losses: [AcceptedLoss], of path: String) {
    guard let index = logs.firstIndex(where: { $0.path == path }) else { return }
    logs[index].accepted = losses
    logs[index].report.damage = []
  }

  /// Records undone losses: they are damage again.
  mutating func noteUndone(_ losses: UndoneLosses, of path: String) {
    guard let index = logs.firstIndex(where: { $0.path == path }) else { return }
    logs[index].undone = losses.undone
    logs[index].leftAccepted = losses.left
    logs[index].report.damage += losses.undone.map { loss in
      DamagedRange(
        file: "\(path)/\(loss.file)", bytes: loss.bytes, offsets: loss.offsets,
        reason: loss.reason)
    }
  }

  /// Records what could not be done for a log.
  mutating func noteFailure(_ text: String) { failures.append(text) }

  private mutating func noteUnreadable() {
    failures += logs.flatMap(\.report.unreadableFiles)
  }

  /// Files that are wrong and are not rebuilt.
  var wrongFileCount: Int { sideFileDamage.count + logs.reduce(0) { $0 + $1.wrongFileCount } }

  /// Whether damage remains.
  var hasDamage: Bool { wrongFileCount > 0 || logs.contains { !$0.report.damage.isEmpty } }

  /// Whether something could not be examined.
  var isIncomplete: Bool { !failures.isEmpty }
}
