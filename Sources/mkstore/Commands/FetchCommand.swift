import ArgumentParser
import LogStore

/// `mkstore fetch LOG`.
struct FetchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fetch",
    abstract: "Print the records of a log, by offset or by time.",
    discussion: """
      Reads without a lock and without changing anything: also a broker's directory, read-only \
      media, and while a process appends. Ends at the log's end as it was at the start, or with \
      --follow continues until Ctrl-C.

      TIME is milliseconds since 1970, RFC 3339 (2013-01-01T10:00:00Z), a date, now, or relative \
      to now (-1h, -2d12h). Printed are the records with FROM <= time < TO; times in a log need \
      not ascend, so --to reads to the end.

      OUTPUT: lines: the value and a line feed (with --key-delimiter KEY<delimiter>VALUE). raw: \
      values without a separator. ndjson: objects with offset, timestamp (ms), timestampType, \
      key, value, headers ([[name, value], ...]), null where absent; append --input ndjson reads \
      them. hex: offset, timestamp, key and value in hex, with tabs. binary: as append --input \
      binary reads it.

      --format TEXT follows kcat: %s value, %S its bytes (-1 for null), %R the same as \
      int32 big-endian, %k key, %K its bytes, %T timestamp in ms, %T{rfc3339}, %h headers \
      (name=value,...), %t topic, %p partition, %o offset, %%, \\n \\r \\t \\0 \\\\ \\xXX; %s and \
      %k take {json}, {hex} and {base64}.

      Bytes that are not UTF-8 are printed as U+FFFD with --encoding utf8, with a message; hex and \
      base64 lose nothing.

      DAMAGE: what can be read is printed, each range that cannot is reported on standard error \
      (with --json also as an object), and the exit status is 3.

      EXAMPLES
        mkstore fetch data/orders-0 --offset -10
        mkstore fetch data/flights-0 --from 2013-01-01T10:00:00Z --max-records 5 --output ndjson
      """)

  @Argument(help: "The log, such as data/orders-0.")
  var log: String

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Where to begin: an offset, beginning (the default), end, or -N for the last N offsets.",
      valueName: "offset"))
  var offset: OffsetArgument?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Only records of this time or later.", valueName: "time"))
  var from: TimeArgument?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Only records before this time.", valueName: "time"))
  var to: TimeArgument?

  @Option(help: ArgumentHelp("End after this number of records.", valueName: "n"))
  var maxRecords: Int?

  @Option(help: "End after this many bytes of keys and values (k, M, G are understood).")
  var maxBytes: ByteCountArgument?

  @Flag(help: "Continue with newly appended records, until Ctrl-C.")
  var follow = false

  @Flag(help: "End at the log's end at the start: the default, accepted for explicitness.")
  var exitAtEnd = false

  @Option(help: "What is printed of a record (default: lines).")
  var output: RecordLayout.Name?

  @Option(help: ArgumentHelp("A format string instead of --output.", valueName: "text"))
  var format: String?

  @Option(help: "Encoding of bytes in ndjson.")
  var encoding = ByteEncoding.utf8

  @Option(
    help: ArgumentHelp(
      "With lines: print the key, then this, before the value; \\t and \\xXX are understood.",
      valueName: "text"))
  var keyDelimiter: String?

  @Option(help: ArgumentHelp("What lines and format print for null.", valueName: "text"))
  var null = ""

  @Flag(help: "Also print control records (transaction markers).")
  var includeControl = false

  @OptionGroup var json: JSONOption

  func validate() throws {
    if follow, exitAtEnd { throw ValidationError("--follow and --exit-at-end exclude each other.") }
    if follow, to != nil { throw ValidationError("--follow and --to exclude each other.") }
    if offset != nil, from != nil {
      throw ValidationError("--offset and --from exclude each other.")
    }
    if format != nil, output != nil || json.isOn {
      throw ValidationError("--format excludes --output and --json.")
    }
    if json.isOn, output != nil, output != .ndjson {
      throw ValidationError("--json prints objects; --output \(output!.rawValue) does not.")
    }
    if let maxRecords, maxRecords < 1 { throw ValidationError("--max-records must be at least 1.") }
    if let maxBytes, maxBytes.bytes < 1 { throw ValidationError("--max-bytes must be at least 1.") }
    if encoding != .utf8, !json.isOn, output != .ndjson {
      throw ValidationError("--encoding goes with --output ndjson or --json.")
    }
    if keyDelimiter != nil, json.isOn || format != nil || (output ?? .lines) != .lines {
      throw ValidationError("--key-delimiter goes with --output lines.")
    }
  }

  mutating func run() throws {
    Interrupt.install()
    let nowMs = WallClock.nowMs()
    let filter = RecordFilter(
      from: from?.milliseconds(nowMs: nowMs), to: to?.milliseconds(nowMs: nowMs),
      recordsMax: maxRecords ?? Int.max, bytesMax: maxBytes?.bytes ?? Int.max,
      includesControl: includeControl)
    var run = try FetchRun.open(
      FetchRun.Settings(
        location: LogLocation(log), start: offset, filter: filter, follows: follow,
        layout: try layout(), isJSON: json.isOn))
    try run.run()
  }

  private func layout() throws(CommandFailure) -> RecordLayout {
    let null = try EscapedText.bytes(null)
    if let format {
      do throws(FormatString.Fault) {
        return .format(try FormatString(format), null: null)
      } catch {
        throw CommandFailure.usage("--format '\(format)': \(error.text)")
      }
    }
    if json.isOn { return .ndjson(encoding, isTagged: true) }
    switch output ?? .lines {
    case .lines:
      return .lines(keyDelimiter: try delimiter(), null: null)
    case .raw: return .raw
    case .ndjson: return .ndjson(encoding, isTagged: false)
    case .hex: return .hex
    case .binary: return .binary
    }
  }

  private func delimiter() throws(CommandFailure) -> [UInt8]? {
    guard let keyDelimiter else { return nil }
    return try EscapedText.bytes(keyDelimiter)
  }
}
