import ArgumentParser
import DiskIO
import LogStore

/// `mkstore truncate LOG`.
struct TruncateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "truncate",
    abstract: "Remove a log's last records, and keep them in .bad/.",
    discussion: """
      Removes every record from an offset on, for example because no consumer can read them. They \
      are kept in the log's .bad/, whole segments unchanged; --undo puts them back byte for byte, \
      if nothing was appended since and .bad/ still holds them. New records get the same offsets \
      in a new leader epoch, so that consumers and brokers can tell them apart.

      The offset must be a batch's first, or the log's start; an offset within a batch is refused \
      with the batch's range. The log must not be open elsewhere. A crash leaves all of the \
      records or none of them; the next opening completes the truncation.

      EXAMPLES
        mkstore truncate data/orders-0 --from-offset 120000
        mkstore truncate data/orders-0 --undo
      """)

  @Argument(help: "The log, such as data/orders-0.")
  var log: String

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "The first offset to remove: a number, beginning, or -N for the last N.",
      valueName: "offset"))
  var fromOffset: OffsetArgument?

  @Flag(help: "Put back what the last truncation of the log removed.")
  var undo = false

  @OptionGroup var json: JSONOption

  func validate() throws {
    guard (fromOffset != nil) != undo else {
      throw ValidationError("give one of --from-offset and --undo")
    }
  }

  mutating func run() throws {
    let location = try LogLocation(log)
    let (manager, log) = try LogToChange.open(location)
    let before = log.logEndOffset
    let closed = try LogToChange.closing(manager) { () throws(CommandFailure) in
      do throws(LogError) {
        return undo ? try undone(manager, log) : try truncated(manager, log)
      } catch {
        throw failure(error, location, endBefore: before)
      }
    }
    let done = closed.result
    var out = OutputBuffer()
    if json.isOn {
      out.line(object(location, done))
    } else {
      for line in lines(location, done) { out.line(line) }
    }
    try out.flush()
    try closed.requireClosed(summary(location, done), store: location.store)
  }

  private func truncated(_ manager: Store, _ log: Log) throws(LogError) -> TruncatedLog {
    let offset =
      fromOffset?.offset(start: log.logStartOffset, end: log.logEndOffset) ?? log.logEndOffset
    return try manager.truncateLogBlocking(log.topicPartition, from: offset)
  }

  private func undone(_ manager: Store, _ log: Log) throws(LogError) -> TruncatedLog {
    try manager.undoTruncationBlocking(of: log.topicPartition)
  }

  /// The message for an error. The error may have come after the change was committed.
  private func failure(
    _ error: LogError, _ location: LogLocation, endBefore: Int64
  ) -> CommandFailure {
    switch error.kind {
    case .notFound(let path) where undo:
      return .failure("there is nothing to put back: \(path) does not exist")
    case .offsetOutOfRange(let offset, _, let end) where undo:
      return .failure(
        "records were appended since the truncation, at offsets \(offset) to \(end - 1); what "
          + "was removed stays in \(location.path)/.bad")
    case .disk(let cause), .diskFull(let cause):
      return failure(CommandFailure(error), cause, location, endBefore: endBefore)
    default: return CommandFailure(error)
    }
  }

  private func failure(
    _ failure: CommandFailure, _ cause: DiskError, _ location: LogLocation, endBefore: Int64
  ) -> CommandFailure {
    guard let end = endNow(location) else { return failure }
    let name = "\(location.topicPartition)"
    if end == endBefore {
      let nothing = undo ? "nothing was put back" : "nothing was removed"
      return CommandFailure(
        failure.status, "\(name): \(nothing): \(failure.message ?? "it failed")")
    }
    let what =
      undo
      ? "offsets \(endBefore) to \(end - 1) are put back"
      : "offsets \(end) to \(endBefore - 1) are removed"
    // A refused write leaves what was synced before; a failed sync may be the one of that.
    let isFailedSync = cause.operation == .sync || cause.operation == .syncDirectory
    let certainty =
      cause.isDiskFull && !isFailedSync
      ? "That counts, durably, and need not be repeated"
      : "That counts, durably once an opening has completed it"
    return LogToChange.unfinished(
      failure, "\(name): \(what). \(certainty); but completing it", store: location.store)
  }

  /// Where the log ends for the next opening; nil if unknown.
  private func endNow(_ location: LogLocation) -> Int64? {
    do throws(LogError) {
      return try Log.openReadOnlyBlocking(location.path, logger: QuietLogger.make()).logEndOffset
    } catch {
      return nil
    }
  }

  // MARK: Output

  private func lines(_ location: LogLocation, _ done: TruncatedLog) -> [String] {
    let end =
      "the log ends at offset \(done.log.logEndOffset), leader epoch \(done.log.leaderEpoch)"
    let first = "\(summary(location, done)); \(end)"
    if done.offsets.isEmpty || undo { return [first] }
    return [first] + done.keptFiles.map { "  kept \($0)" } + ["  undo: \(undoCommand(location))"]
  }

  private func summary(_ location: LogLocation, _ done: TruncatedLog) -> String {
    let name = "\(location.topicPartition)"
    if done.offsets.isEmpty { return "\(name): nothing to remove" }
    let range = "offsets \(done.offsets.lowerBound) to \(done.offsets.upperBound - 1)"
    return "\(name): \(undo ? "put back" : "removed") \(range)"
  }

  private func undoCommand(_ location: LogLocation) -> String {
    let path = location.path
    let isPlain = path.allSatisfy {
      $0.isASCII && ($0.isLetter || $0.isNumber || "/._-".contains($0))
    }
    let parts = path.split(separator: "'", omittingEmptySubsequences: false)
    return "mkstore truncate \(isPlain ? path : "'\(parts.joined(separator: "'\\''"))'") --undo"
  }

  private func object(_ location: LogLocation, _ done: TruncatedLog) -> JSONObject {
    var object = JSONObject(type: undo ? "putBack" : "truncated")
    object.add("log", "\(location.topicPartition)")
    object.add("path", location.path)
    object.add("firstOffset", done.offsets.isEmpty ? nil : done.offsets.lowerBound)
    object.add("endOffset", done.offsets.isEmpty ? nil : done.offsets.upperBound)
    object.add("logStartOffset", done.log.logStartOffset)
    object.add("logEndOffset", done.log.logEndOffset)
    object.add("leaderEpoch", done.log.leaderEpoch)
    object.add("keptFiles", done.keptFiles)
    object.add("undo", undo || done.offsets.isEmpty ? nil : undoCommand(location))
    return object
  }
}
