import LogStore
import RecordFormat

/// One run of `append`: a store opened for writing, its inputs, and the final summary.
struct AppendRun: ~Copyable {
  private let settings: Settings
  private let manager: Store
  private let log: Log
  private var appender: BatchAppender
  private var out = OutputBuffer()
  private var progress: ProgressLine?
  /// The reader of the acknowledgements closed, as `head` does; appending continues.
  private var isUnread = false

  /// The options of the command line.
  struct Settings {
    var location: LogLocation
    var files: [String]
    var format: InputFormat
    var encoding: ByteEncoding
    var keyDelimiter: [UInt8]?
    var batch: BatchAppender.Options
    var config: LogConfig
    var creates: Bool
    var printsAcks: Bool
    var printsProgress: Bool
    var isJSON: Bool
  }

  /// Opens the store and the log.
  init(_ settings: Settings) throws(CommandFailure) {
    self.settings = settings
    (manager, log) = try AppendTarget.open(
      settings.location, config: settings.config, creates: settings.creates)
    appender = BatchAppender(log, settings.batch)
    progress = settings.printsProgress ? ProgressLine(unit: "records") : nil
  }

  /// Appends every input, closes the store and prints the sum; also if it ends early.
  mutating func run() throws(CommandFailure) {
    var failure: CommandFailure?
    do throws(CommandFailure) {
      for file in settings.files { try append(file) }
    } catch {
      failure = error
    }
    do throws(CommandFailure) {
      // Records read before an error or Ctrl-C are appended too; a batch that could not be written
      // is not tried again.
      try writeAndAcknowledge()
    } catch {
      failure = failure ?? error
    }
    progress?.end()
    do throws(LogError) {
      try manager.closeBlocking()
    } catch {
      failure = failure ?? CommandFailure(error)
    }
    printSum()
    try flushOutput()
    if let failure { throw failure }
  }

  private mutating func append(_ file: String) throws(CommandFailure) {
    var input = try RecordInput(
      path: file, format: settings.format, keyDelimiter: settings.keyDelimiter,
      encoding: settings.encoding)
    var steps = 0
    while true {
      switch try input.step(&appender) {
      case .record: break
      case .lingered: try writeAndAcknowledge()
      case .end: return
      }
      if appender.isAcknowledgementDue || settings.printsAcks { try acknowledge() }
      steps &+= 1
      if steps & 1023 == 0 { try afterMany(input.progress) }
    }
  }

  private mutating func afterMany(_ input: (done: Int, total: Int?)) throws(CommandFailure) {
    try Interrupt.check()
    progress?.show(
      done: input.done, total: input.total, count: Int(appender.totals.records))
  }

  private mutating func writeAndAcknowledge() throws(CommandFailure) {
    try appender.writeBatch()
    try acknowledge()
  }

  private mutating func acknowledge() throws(CommandFailure) {
    let batches = try appender.acknowledge()
    guard settings.printsAcks, !batches.isEmpty, !isUnread else { return }
    for batch in batches { printAck(batch) }
    // At once, because another program may wait for it.
    try flushOutput()
  }

  /// Writes the buffered output. A closed reader does not end an append: otherwise input would
  /// silently not be appended although the status is 0.
  private mutating func flushOutput() throws(CommandFailure) {
    do throws(CommandFailure) {
      try out.flush()
    } catch {
      guard error.status == .ok else { throw error }
      if !isUnread, settings.printsAcks {
        Messages.say("the reader of the acknowledgements is gone; appending continues without them")
      }
      isUnread = true
    }
  }

  // MARK: Output

  private var isDurable: Bool { log.config.durability == .flushed }

  private mutating func printAck(_ batch: WrittenBatch) {
    guard settings.isJSON else {
      out.line(
        "acknowledged offsets \(batch.baseOffset) to \(batch.lastOffset)"
          + (isDurable ? " (durable)" : " (not yet durable)"))
      return
    }
    var object = JSONObject(type: "ack")
    object.add("baseOffset", batch.baseOffset)
    object.add("lastOffset", batch.lastOffset)
    object.add("records", batch.lastOffset - batch.baseOffset + 1)
    object.add("storedBytes", batch.storedBytes)
    object.add("durable", isDurable)
    out.line(object)
  }

  private mutating func printSum() {
    let totals = appender.totals
    let durable = totals.lastOffset.map { log.durableEndOffset > $0 } ?? true
    guard !settings.isJSON else {
      printSumObject(totals, durable)
      return
    }
    guard let first = totals.baseOffset, let last = totals.lastOffset else {
      out.line("appended 0 records to \(log.path)")
      return
    }
    let compression =
      log.config.compression == .none
      ? "uncompressed" : "\(totals.storedBytes) after \(log.config.compression)"
    out.line(
      "appended \(totals.records) records to \(log.path): offsets \(first) to \(last), "
        + "\(totals.plainBytes) bytes in \(totals.batches) batches, \(compression), "
        + (durable ? "durable" : "not durable (\(log.config.durability))"))
  }

  private mutating func printSumObject(_ totals: AppendTotals, _ durable: Bool) {
    var object = JSONObject(type: "appended")
    object.add("log", log.path)
    object.add("records", totals.records)
    object.add("baseOffset", totals.baseOffset)
    object.add("lastOffset", totals.lastOffset)
    object.add("batches", totals.batches)
    object.add("plainBytes", totals.plainBytes)
    object.add("storedBytes", totals.storedBytes)
    object.add("compression", log.config.compression.description)
    object.add("durability", log.config.durability.description)
    object.add("durable", durable)
    out.line(object)
  }
}
