import ArgumentParser
import LogStore
import RecordFormat

/// `mkstore append LOG [FILE…]`.
struct AppendCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "append",
    abstract: "Append records from files or standard input to a log.",
    discussion: """
      INPUT: lines: each line's bytes, without the line feed, are a value (with --key-delimiter \
      KEY<delimiter>VALUE). ndjson: objects with key, value, headers ([[name, value], ...]) and \
      timestamp (milliseconds or RFC 3339), all optional; of a value that is not a string, the \
      JSON text is taken unchanged. binary: records one after the other, each an int32 \
      (big-endian) length of the key and the key, an int32 length of the value and the value; a \
      length of -1 means null.

      An acknowledgement means what --durability says: flushed, the records survive a power cut; \
      interval:MS, they survive the death of this process, and a power cut once MS have passed; \
      os, they survive the death of this process. Whatever happens to this process, acknowledged \
      records are stored. A line that cannot be parsed ends the run; the lines before it stay \
      appended and are counted.

      EXAMPLES
        mkstore append data/orders-0 --create < orders.txt
        mkstore append data/flights-0 --create --input ndjson --compression zstd flights.ndjson
      """)

  @Argument(help: "The log, such as data/orders-0.")
  var log: String

  @Argument(help: "Files to read, one after the other; - is standard input, the default.")
  var files: [String] = []

  @Option(help: "Format of the input.")
  var input = InputFormat.lines

  @Option(
    help: ArgumentHelp(
      "Separator of key and value in a line; \\t and \\xXX are understood.",
      valueName: "text"))
  var keyDelimiter: String?

  @Option(help: "Encoding of bytes in ndjson strings.")
  var encoding = ByteEncoding.utf8

  @Option(help: ArgumentHelp("none, zstd or zstd:LEVEL (1 to 19, or negative).", valueName: "how"))
  var compression = CompressionArgument(.none)

  @Option(
    help: ArgumentHelp(
      "What an acknowledgement means: flushed, interval:MS or os.", valueName: "mode"))
  var durability = DurabilityArgument(.flushed)

  @Flag(
    help: """
      Create the log and its store if they do not exist. The directory that holds LOG becomes the \
      store; a directory with other files that is not a store is refused.
      """)
  var create = false

  @Option(help: "Largest batch before compression, in bytes (k, M and G are understood).")
  var batchBytes = ByteCountArgument(RecordBatchBuilder.batchBytesDefault)

  @Option(help: "Largest number of records in a batch.")
  var batchRecords: Int?

  @Option(
    help: ArgumentHelp(
      "How long a batch waits for more records when the input pauses.", valueName: "ms"))
  var linger = DurationArgument(milliseconds: 10)

  @Flag(help: "Print a line for each batch once it is acknowledged.")
  var acks = false

  @Flag(help: "Show progress on standard error.")
  var progress = false

  @OptionGroup(title: "Settings of the log") var settings: LogOptions
  @OptionGroup var json: JSONOption

  func validate() throws {
    if let batchRecords, batchRecords < 1 {
      throw ValidationError("--batch-records must be at least 1.")
    }
    if batchBytes.bytes < 1 { throw ValidationError("--batch-bytes must be at least 1.") }
    if keyDelimiter == "" { throw ValidationError("--key-delimiter must not be empty.") }
    if keyDelimiter != nil, input != .lines {
      throw ValidationError("--key-delimiter goes with --input lines.")
    }
    if encoding != .utf8, input != .ndjson {
      throw ValidationError("--encoding goes with --input ndjson.")
    }
  }

  mutating func run() throws {
    Interrupt.install()
    var batch = BatchAppender.Options()
    batch.bytesMax = batchBytes.bytes
    batch.recordsMax = batchRecords ?? Int.max
    batch.lingerMs = Int(linger.milliseconds)
    var config = settings.config
    config.compression = compression.compression
    config.durability = durability.durability
    var run = try AppendRun(
      AppendRun.Settings(
        location: LogLocation(log), files: files.isEmpty ? ["-"] : files, format: input,
        encoding: encoding, keyDelimiter: try keyDelimiter.map(EscapedText.bytes), batch: batch,
        config: config, creates: create, printsAcks: acks, printsProgress: progress,
        isJSON: json.isOn))
    try run.run()
  }
}
