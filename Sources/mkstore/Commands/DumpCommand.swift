import ArgumentParser

/// `mkstore dump FILE…`.
struct DumpCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "dump",
    abstract: "Print the contents of a log's files.",
    discussion: """
      FILE is a .log, .index, .timeindex, .txnindex or .snapshot file, a checkpoint, \
      partition.metadata, meta.properties, mkstore.mark or mkstore.history, as its name says. \
      Of a .log every batch is printed, with --deep every record; batches whose CRC is wrong are \
      printed too, and bytes that are not a batch are reported. The exit status is 3 after either.

      --format kafka prints the lines of Kafka's kafka-dump-log (with --deep as with \
      --deep-iteration --print-data-log). Messages within a compressed one of the old formats \
      lack the checksum there.
      """)

  @Argument(help: "Files to print.")
  var files: [String]

  @Flag(help: "Print the records of each batch, too.")
  var deep = false

  @Option(help: "text for people, kafka as Kafka's own tool prints it.")
  var format = DumpFormat.text

  @Option(help: "Encoding of record bytes in --json.")
  var encoding = ByteEncoding.utf8

  @OptionGroup var json: JSONOption

  func validate() throws {
    if json.isOn, format == .kafka {
      throw ValidationError("--json and --format kafka exclude each other.")
    }
    if encoding != .utf8, !json.isOn { throw ValidationError("--encoding goes with --json.") }
  }

  mutating func run() throws {
    var run = DumpRun(format: json.isOn ? .json : format, isDeep: deep, encoding: encoding)
    try run.run(files)
  }
}
