import ArgumentParser
import DiskIO
import KafkaServer
import LogStore

/// `mkstore recover PATH`.
struct RecoverCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "recover",
    abstract: "Open a store for writing, mend what can be mended, and say what was done.",
    discussion: """
      PATH is a store, or a log of it (the whole store is opened all the same). An unfinished end \
      is cut off and kept aside, missing or wrong indexes are built anew, damage in the middle is \
      fenced and never cut: everything around it stays readable. All of the store is read, as by \
      verify. What opening did also stands in each log's mkstore.history (see mkstore info).

      --dry-run opens for reading only and says what would be done; it needs no lock.

      The exit status is 3 where damage remains that cannot be mended.
      """)

  @Argument(help: "The store, such as data, or a log of it.")
  var path: String

  @Flag(help: "Change nothing; say what would be done.")
  var dryRun = false

  @OptionGroup var json: JSONOption

  mutating func run() throws {
    let store = try StoreLocation.find(path)
    let reports = dryRun ? try plan(store) : try recover(store)
    var out = OutputBuffer()
    for report in reports.reports { print(report, to: &out) }
    printSum(reports, to: &out)
    try out.flush()
    for text in reports.remaining { Messages.say("damaged: \(text)") }
    if !reports.failures.isEmpty { throw CommandFailure(.failure, nil) }
    if !reports.remaining.isEmpty || reports.reports.contains(where: { !$0.report.damage.isEmpty })
    {
      throw CommandFailure.damageReported
    }
  }

  private struct LogReport {
    var name: String
    var path: String
    var report: RecoveryReport

    /// Whether there is more to say than that it was opened. A dry run has notes where opening for
    /// writing would act.
    var hasNews: Bool { report.isEventful || !report.notes.isEmpty }
  }

  private struct Reports {
    var reports: [LogReport] = []
    var failures: [String] = []
    /// Wrong or unreadable files that stay so.
    var remaining: [String] = []
  }

  private func recover(_ store: StoreLocation) throws(CommandFailure) -> Reports {
    var config = StoreConfig()
    config.mapsIndexes = true
    let manager = try withLogErrors { () throws(LogError) in
      try LogManager.open(store.path, config: config, logger: QuietLogger.make())
    }
    let check = try RecoveryCheck(store)
    var reports = Reports(remaining: check.remaining)
    for (name, opened) in manager.report.logs {
      let path = store.path(of: name)
      var report = opened
      check.complete(&report, of: path)
      if let log = manager.log(name) {
        try check.mend(log, at: path, &report)
        // Of each log, whatever its files promise: all of it is read anyway. Closing writes a
        // snapshot of what was found.
        do throws(LogError) { try log.loadProducers() } catch { Messages.say("\(name): \(error)") }
      }
      reports.reports.append(LogReport(name: "\(name)", path: path, report: report))
    }
    try mendStore(manager, check)
    for (directory, error) in manager.report.failed {
      reports.failures.append("\(directory): \(error)")
    }
    for note in manager.report.notes { Messages.say("note: \(note)") }
    for failure in reports.failures { Messages.say(failure) }
    try withLogErrors { () throws(LogError) in try manager.close() }
    return reports
  }

  /// Mends the files of the store's own directory; closing writes the checkpoints.
  private func mendStore(
    _ manager: LogManager, _ check: RecoveryCheck
  ) throws(CommandFailure) {
    let producerIds = ProducerIds(manager, logger: QuietLogger.make())
    _ = try withLogErrors { () throws(LogError) in try producerIds.mendFile() }
    for damage in check.mendable(inStore: manager.path) {
      Messages.say("note: mended \(damage.file): \(damage.reason)")
    }
  }

  private func plan(_ store: StoreLocation) throws(CommandFailure) -> Reports {
    let check = try RecoveryCheck(store)
    for damage in check.mendable(inStore: store.path) {
      Messages.say("note: would be mended: \(damage.file): \(damage.reason)")
    }
    var reports = Reports(remaining: check.remaining)
    for log in try store.logs() {
      let path = store.path(of: log)
      do throws(LogError) {
        var report = try Log.openReadOnly(path, logger: QuietLogger.make()).recovery
        check.complete(&report, of: path)
        check.foresee(&report, of: path)
        reports.reports.append(LogReport(name: "\(log)", path: path, report: report))
      } catch {
        reports.failures.append("\(path): \(error)")
        Messages.say("\(path): \(error)")
      }
    }
    return reports
  }

  // MARK: Output

  private func print(_ log: LogReport, to out: inout OutputBuffer) {
    if json.isOn {
      var object = RecoveryText.object(log.name, path: log.path, log.report)
      object.add("dryRun", dryRun)
      out.line(object)
      return
    }
    let report = log.report
    out.line(
      "\(log.name): offsets \(report.logStartOffset) to \(report.logEndOffset) (exclusive), "
        + "\(report.segmentCount) segments, \(report.bytesScanned) bytes scanned after "
        + (report.wasClean ? "a clean stop" : "an unclean stop")
        + (log.hasNews ? "" : "; nothing to mend"))
    for line in RecoveryText.lines(report) { out.line("  \(dryRun ? "would be " : "")\(line)") }
    for note in report.notes { out.line("  note: \(note)") }
  }

  private func printSum(_ reports: Reports, to out: inout OutputBuffer) {
    let eventful = reports.reports.count { $0.hasNews }
    let damaged = reports.reports.reduce(0) { $0 + $1.report.damage.count }
    if json.isOn {
      var object = JSONObject(type: "recovered")
      object.add("logs", reports.reports.count)
      object.add("eventful", eventful)
      object.add("failed", reports.failures.count)
      object.add("damagedRanges", damaged)
      object.add("dryRun", dryRun)
      out.line(object)
      return
    }
    let failed = reports.failures.isEmpty ? "" : ", \(reports.failures.count) could not be opened"
    out.line(
      "\(reports.reports.count) logs\(dryRun ? " looked at, nothing changed" : " recovered"): "
        + "\(eventful) with something to report, \(damaged) damaged ranges remain" + failed)
  }
}
