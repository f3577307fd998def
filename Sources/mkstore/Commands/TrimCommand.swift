import ArgumentParser
import LogStore

/// `mkstore trim LOG`.
struct TrimCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "trim",
    abstract: "Delete a log's oldest records, permanently.",
    discussion: """
      The records are deleted at once, durably and permanently. Segments that hold no others are \
      renamed to .deleted, and the next opening of the store unlinks them; --now unlinks them \
      before the command ends. A segment that also holds later records stays whole until those are \
      deleted too, and so does the last one.

      The log must not be open elsewhere; a running server does the same on DeleteRecords.

      EXAMPLES
        mkstore trim data/orders-0 --before-offset 120000
        mkstore trim data/orders-0 --before-time -30d --now
      """)

  @Argument(help: "The log, such as data/orders-0.")
  var log: String

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "The first offset that stays: a number, end, or -N for the last N.", valueName: "offset"))
  var beforeOffset: OffsetArgument?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      """
      The first record at or after this time stays, and all after it: RFC 3339, milliseconds, or \
      -1h for an hour ago.
      """, valueName: "time"))
  var beforeTime: TimeArgument?

  @Flag(help: "Unlink the files of removed segments before the command ends.")
  var now = false

  @OptionGroup var json: JSONOption

  func validate() throws {
    guard (beforeOffset == nil) != (beforeTime == nil) else {
      throw ValidationError("give one of --before-offset and --before-time")
    }
  }

  mutating func run() throws {
    let location = try LogLocation(log)
    let (manager, log) = try LogToChange.open(location) { config in
      guard now else { return }
      // Without threads, due work is done at once.
      config.startsFlusher = false
      config.log.fileDeleteDelayMs = 0
    }
    let done = try LogToChange.closing(manager) { () throws(CommandFailure) in
      do throws(LogError) {
        return try trim(log)
      } catch  where error.code == .diskFull {
        let failure = CommandFailure(error)
        throw CommandFailure(
          failure.status,
          "\(location.topicPartition): nothing was deleted: \(failure.message ?? "disk full")")
      } catch {
        throw CommandFailure(error)
      }
    }
    let result = done.result
    var out = OutputBuffer()
    if json.isOn {
      out.line(object(location, result))
    } else {
      out.line(text(location, result))
    }
    try out.flush()
    try done.requireClosed(summary(location, result), store: location.store)
  }

  private struct Result {
    var before: Int64
    var start: Int64
    var end: Int64
    var segments = 0
    var bytes = 0
  }

  private func trim(_ log: Log) throws(LogError) -> Result {
    let before = try log.segmentInfo()
    var result = Result(
      before: log.logStartOffset, start: log.logStartOffset, end: log.logEndOffset)
    try log.deleteRecordsBlocking(before: try target(log))
    let left = Set(try log.segmentInfo().map(\.baseOffset))
    let gone = before.filter { !left.contains($0.baseOffset) }
    result.start = log.logStartOffset
    result.segments = gone.count
    result.bytes = gone.reduce(0) { $0 + $1.bytes }
    return result
  }

  private func target(_ log: Log) throws(LogError) -> Int64 {
    if let beforeOffset {
      return beforeOffset.offset(start: log.logStartOffset, end: log.logEndOffset)
    }
    let time = beforeTime?.milliseconds(nowMs: WallClock.nowMs()) ?? Int64.min
    return try log.offset(forTimestamp: time)?.offset ?? log.logEndOffset
  }

  private func text(_ location: LogLocation, _ result: Result) -> String {
    let holds = "it holds offsets \(result.start) to \(result.end) (exclusive)"
    if result.start == result.before { return "\(summary(location, result)); \(holds)" }
    let files =
      result.segments == 0
      ? "no segment is without later records yet"
      : Counted.text(result.segments, "segment")
        + " with \(result.bytes) bytes "
        + (now ? "unlinked" : "to be unlinked by the next opening")
    return "\(summary(location, result)), \(files); \(holds)"
  }

  private func summary(_ location: LogLocation, _ result: Result) -> String {
    result.start == result.before
      ? "\(location.topicPartition): nothing to delete"
      : "\(location.topicPartition): deleted offsets \(result.before) to \(result.start - 1)"
  }

  private func object(_ location: LogLocation, _ result: Result) -> JSONObject {
    var object = JSONObject(type: "trimmed")
    object.add("log", "\(location.topicPartition)")
    object.add("path", location.path)
    object.add("logStartOffsetBefore", result.before)
    object.add("logStartOffset", result.start)
    object.add("logEndOffset", result.end)
    object.add("removedSegments", result.segments)
    object.add("removedBytes", result.bytes)
    object.add("unlinked", now)
    return object
  }
}
