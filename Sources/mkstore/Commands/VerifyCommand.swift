import ArgumentParser
import DiskIO
import LogStore

/// `mkstore verify PATH…`.
struct VerifyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Check logs for damage; never writes.",
    discussion: """
      PATH is a log, a store with all its logs, or a single .log file, also one that a Kafka \
      broker wrote, on read-only media, or in use by a writer. Every batch's CRC and structure, \
      every record, the order of offsets, indexes against the log and the checkpoints are checked; \
      --quick checks only headers, offsets and CRCs.

      The last line is "ok: N records, M segments, no damage", or begins with "damage:" after one \
      line for each damaged range (file, position, offsets, reason); the exit status is 3 then. \
      What the next opening for writing repairs by itself is listed, but is not damage: an \
      unfinished write, an index that contradicts the log. If a file cannot be opened or read, \
      the status is 1. A file in which no batch is found is damage, unless it is empty, all zeros \
      or the beginning of one.
      """)

  @Argument(help: "Logs, stores or .log files.")
  var paths: [String]

  @Flag(help: "Check everything: the default, accepted for explicitness.")
  var deep = false

  @Flag(help: "Check headers, offsets and CRCs only: no records, no indexes.")
  var quick = false

  @Option(
    help: ArgumentHelp(
      "Segments checked at the same time (default: one per core).", valueName: "n"))
  var threads: Int?

  @Flag(help: "Show no progress; it is only ever shown on a terminal.")
  var noProgress = false

  @OptionGroup var json: JSONOption

  func validate() throws {
    if deep, quick { throw ValidationError("--deep and --quick exclude each other.") }
    if let threads, !(1...256 ~= threads) {
      throw ValidationError("--threads must be 1 to 256.")
    }
  }

  mutating func run() throws {
    var options = VerificationOptions()
    options.depth = quick ? .quick : .deep
    options.threadCount = threads ?? Processors.count
    let report = try verify(options)
    guard !report.logs.isEmpty || report.hasDamage || report.isStore else {
      throw CommandFailure.failure(
        "no log found in \(paths.joined(separator: ", ")); give a log's directory "
          + "(<topic>-<partition>), a store that holds some, or a .log file")
    }
    var out = OutputBuffer()
    if json.isOn {
      VerificationText.print(objectsOf: report, to: &out)
    } else {
      VerificationText.print(report, to: &out)
    }
    try out.flush()
    try CommandFailure.refuse(
      damage: report.hasDamage, incomplete: !report.unreadable.isEmpty)
  }

  private func verify(_ options: VerificationOptions) throws(CommandFailure) -> VerificationReport {
    let meter = Locked(ProgressLine(unit: ""))
    let shows = !noProgress && StandardStreams.isTerminal(StandardStreams.error)
    defer { meter.withLock { $0.end() } }
    let paths = paths
    return try withDiskErrors { () throws(DiskError) in
      try LogVerifier(PosixDisk(), options).verify(paths) { progress in
        guard shows else { return }
        meter.withLock {
          $0.show(done: progress.doneBytes, total: progress.totalBytes, count: nil)
        }
      }
    }
  }
}
