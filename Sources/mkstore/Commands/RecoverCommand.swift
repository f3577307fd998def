import ArgumentParser
import DiskIO
import LogStore
import MkstoreServer

/// `mkstore recover PATH`.
struct RecoverCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "recover",
    abstract: "Open a store for writing, repair what can be repaired, and report it.",
    discussion: """
      PATH is a store, or a log of it (the whole store is opened all the same). An unfinished \
      write at a log's end is cut off and kept in .bad/, missing or wrong indexes are rebuilt. \
      Damaged records are never cut: they are reported, and everything around them stays \
      readable. All of the store is read, as by verify. What was done is also written to each \
      log's mkstore.history (see mkstore info).

      --dry-run changes nothing and says what would be done; it needs no lock.

      What is cut off or moved away is kept in each log's .bad/ until it is removed. \
      --drop-kept removes it and does nothing else: all of .bad/ and mkstore.history go, of the \
      store or of the one log that PATH names. What verify reports of damage and losses stays the \
      same.

      A consumer cannot skip damaged records by itself. --accept-loss accepts what is damaged or \
      lost, of the store or of the one log that PATH names: the damaged bytes are kept in .bad/, \
      and batches without records take their place, as compaction leaves them, so that consumers \
      skip them. verify then reports it as accepted, with status 0. --undo-accept puts the \
      bytes back, as long as .bad/ holds them.

      The exit status is 3 while there is damage that cannot be repaired, also after the run, \
      until it is accepted.
      """)

  @Argument(help: "The store, such as data, or a log of it.")
  var path: String

  @Flag(help: "Change nothing; say what would be done.")
  var dryRun = false

  @Flag(
    help: """
      Only remove what earlier openings kept: .bad/ and mkstore.history, of a log or of all logs.
      """)
  var dropKept = false

  @Flag(help: "Accept damage and losses, so that consumers skip them.")
  var acceptLoss = false

  @Flag(help: "Undo that: put back damaged bytes that were accepted.")
  var undoAccept = false

  @OptionGroup var json: JSONOption

  func validate() throws {
    let chosen = [dropKept, acceptLoss, undoAccept].count { $0 }
    guard chosen <= 1 else {
      throw ValidationError("--drop-kept, --accept-loss and --undo-accept: give one of them")
    }
  }

  mutating func run() throws {
    let store = try StoreLocation.find(path)
    try StoreGuess(PosixDisk(), store.path).requireStore()
    if dropKept {
      return try KeptDrop(path, store, isDryRun: dryRun).tell(asJSON: json.isOn)
    }
    let recovery = dryRun ? try plan(store) : try recover(store)
    var out = OutputBuffer()
    for log in recovery.logs { print(log, to: &out) }
    for line in storeLines(recovery) where !json.isOn { out.line(line) }
    printSum(recovery, to: &out)
    try out.flush()
    for failure in recovery.failures { Messages.say(failure) }
    try CommandFailure.refuse(damage: recovery.hasDamage, incomplete: recovery.isIncomplete)
  }

  private func recover(_ store: StoreLocation) throws(CommandFailure) -> StoreRecovery {
    var config = StoreConfig()
    config.surveyDepth = .deep
    config.mapsIndexes = true
    let manager = try withLogErrors { () throws(LogError) in
      try Store.openBlocking(store.path, config: config, logger: QuietLogger.make())
    }
    var recovery = StoreRecovery(manager.report, store)
    for log in manager.logs {
      // For each log, whatever its files say: all of it is read anyway. Closing writes a snapshot
      // of the result.
      do throws(LogError) {
        try log.loadProducers()
      } catch {
        Messages.say("\(log.path): \(error)")
      }
    }
    if acceptLoss || undoAccept { try change(&recovery, manager, store) }
    let producerIds = ProducerIds(manager, logger: QuietLogger.make())
    if try withLogErrors({ () throws(LogError) in try producerIds.mendFile() }) {
      recovery.addMended("\(store.path)/\(ProducerIdsFile.name)")
    }
    for note in manager.report.notes { Messages.say("note: \(note)") }
    try withLogErrors { () throws(LogError) in try manager.closeBlocking() }
    return recovery
  }

  /// Accepts losses, or undoes that, in the store or the named log.
  private func change(
    _ recovery: inout StoreRecovery, _ manager: Store, _ store: StoreLocation
  ) throws(CommandFailure) {
    let isStore = PathText.trimmed(path) == store.path
    let only = isStore ? nil : try LogLocation(path).topicPartition
    for log in manager.logs where only == nil || log.topicPartition == only {
      do throws(LogError) {
        if acceptLoss {
          recovery.noteAccepted(try log.acceptLossesBlocking(), of: log.path)
        } else {
          recovery.noteUndone(try log.undoAcceptedLossesBlocking(), of: log.path)
        }
      } catch {
        recovery.noteFailure("\(log.path): \(error)")
      }
    }
  }

  private func plan(_ store: StoreLocation) throws(CommandFailure) -> StoreRecovery {
    var options = VerificationOptions()
    options.depth = .deep
    options.threadCount = Processors.count
    let path = store.path
    let report = try withDiskErrors { () throws(DiskError) in
      try LogVerifier(PosixDisk(), options).verify([path])
    }
    return StoreRecovery(report)
  }

  // MARK: Output

  private func print(_ log: StoreRecovery.Log, to out: inout OutputBuffer) {
    if json.isOn {
      var object = RecoveryText.object(log.name, path: log.path, log.report)
      object.add("accepted", log.accepted.map { "\($0)" })
      object.add("undone", log.undone.map { "\($0)" })
      object.add("dryRun", dryRun)
      out.line(object)
      return
    }
    let report = log.report
    out.line(
      "\(log.name): offsets \(report.logStartOffset) to \(report.logEndOffset) (exclusive), "
        + Counted.text(report.segmentCount, "segment")
        + ", \(report.bytesScanned) bytes scanned after "
        + (report.wasClean ? "a clean stop" : "an unclean stop")
        + (log.hasNews ? "" : "; nothing to repair"))
    for line in RecoveryText.actions(report, tense) { out.line("  \(line)") }
    for line in log.acceptanceLines { out.line("  \(line)") }
    for line in RecoveryText.damage(report) { out.line("  \(line)") }
    if acceptLoss, dryRun, !report.damage.isEmpty {
      out.line("  would be accepted: " + Counted.text(report.damage.count, "damaged range"))
    }
    for note in report.notes { out.line("  note: \(note)") }
  }

  private var tense: RecoveryText.Tense { dryRun ? .planned : .done }

  /// About the files of the store's own directory.
  private func storeLines(_ recovery: StoreRecovery) -> [String] {
    recovery.mendedFiles.map(tense.rebuilt)
      + recovery.sideFileDamage.map { "damaged: \($0)" }
  }

  private func printSum(_ recovery: StoreRecovery, to out: inout OutputBuffer) {
    let eventful = recovery.logs.count { $0.hasNews }
    let damaged = recovery.logs.reduce(0) { $0 + $1.report.damage.count }
    let wrong = recovery.wrongFileCount
    if json.isOn {
      var object = JSONObject(type: "recovered")
      object.add("logs", recovery.logs.count)
      object.add("eventful", eventful)
      object.add("failed", recovery.failures.count)
      object.add("damagedRanges", damaged)
      object.add("rebuiltFiles", recovery.mendedFiles)
      object.add("wrongFiles", recovery.sideFileDamage.map { "\($0)" })
      object.add("dryRun", dryRun)
      out.line(object)
      return
    }
    let failed = recovery.failures.isEmpty ? "" : ", \(recovery.failures.count) not looked at"
    out.line(
      Counted.text(recovery.logs.count, "log")
        + "\(dryRun ? " looked at, nothing changed" : " recovered"): "
        + "\(eventful) with something to report, "
        + Counted.text(damaged, "damaged range")
        + (wrong > 0 ? " and " + Counted.text(wrong, "wrong file") : "")
        + (damaged + wrong == 1 ? " remains" : " remain") + failed)
  }
}
