import DiskIO
import LogStore
import RecordFormat

/// One run of `fetch`: reads a log from a start on, prints the requested records and skips damage.
struct FetchRun: ~Copyable {
  private let settings: Settings
  private let log: Log
  private let reader: LogReader
  private var printer: BatchPrinter
  private var buffer: [UInt8] = []
  /// Where reading ends, unless it follows.
  private let endOffset: Int64
  private let startOffset: Int64

  /// The options of the command line.
  struct Settings {
    var location: LogLocation
    var start: OffsetArgument?
    var filter: RecordFilter
    var follows: Bool
    var layout: RecordLayout
    var isJSON: Bool
  }

  /// Bytes of one read, and pause between two reads of a log that is followed.
  private static let readBytes = 1 << 20
  private static let followPauseMs = 20

  /// Opens the log and finds the start.
  static func open(_ settings: Settings) throws(CommandFailure) -> FetchRun {
    let log = try settings.location.openReadOnly()
    return FetchRun(settings, log, startOffset: try start(settings, log))
  }

  private init(_ settings: Settings, _ log: Log, startOffset: Int64) {
    self.settings = settings
    self.log = log
    self.startOffset = startOffset
    reader = LogReader(log)
    endOffset = log.logEndOffset
    printer = BatchPrinter(
      RecordPrinter(settings.layout, settings.location.topicPartition), settings.filter,
      startOffset: startOffset, isJSON: settings.isJSON)
  }

  /// The offset to begin at.
  private static func start(_ settings: Settings, _ log: Log) throws(CommandFailure) -> Int64 {
    if let offset = settings.start {
      let start = offset.offset(start: log.logStartOffset, end: log.logEndOffset)
      guard start >= log.logStartOffset, start <= log.logEndOffset else {
        throw CommandFailure.failure(
          "offset \(start) is out of range: \(log.path) holds \(log.logStartOffset) to "
            + "\(log.logEndOffset) (exclusive); use --offset beginning or end")
      }
      return start
    }
    guard let from = settings.filter.from else { return log.logStartOffset }
    // No record before the first one at or after this time can match.
    return try withLogErrors { () throws(LogError) in
      try log.offset(forTimestamp: from)?.offset ?? log.logEndOffset
    }
  }

  /// Prints until the end, the limits, a closed pipe or Ctrl-C.
  ///
  /// - Throws: `.damageReported` if a part of the log could not be read.
  mutating func run() throws(CommandFailure) {
    do throws(CommandFailure) {
      while !printer.isDone {
        try Interrupt.check()
        if settings.follows {
          if !(try readOn(upTo: Int64.max)) { try waitForMore() }
        } else if !(try readOn(upTo: endOffset)) {
          break
        }
      }
    } catch {
      // Output so far is not lost because of a later error.
      if error.status != .ok { try printer.out.flush() }
      throw error
    }
    reportUnseen()
    try printer.end()
  }

  /// Reports damage that affected no requested offset, or that was found when the log was opened:
  /// bytes that belong to no batch, a segment that cannot be opened.
  private mutating func reportUnseen() {
    for range in log.recovery.damage + log.damagedRanges {
      let offsets = range.offsets ?? startOffset..<printer.nextOffset
      guard offsets.lowerBound <= printer.nextOffset, offsets.upperBound >= startOffset else {
        continue
      }
      printer.report(range, goingOnAt: printer.nextOffset)
    }
  }

  /// Prints the next piece of the log; false if nothing is left below `end`.
  private mutating func readOn(upTo end: Int64) throws(CommandFailure) -> Bool {
    guard printer.nextOffset < min(end, log.logEndOffset) else { return false }
    let records: FileRecords?
    do throws(LogError) {
      records = try reader.read(
        from: printer.nextOffset, maxBytes: FetchRun.readBytes, limit: .logEnd, into: &buffer)
    } catch {
      let range = try lost(by: error)
      printer.report(range, goingOnAt: behind(range))
      return true
    }
    guard let records else { return false }
    printer.print(buffer, records, upTo: end)
    try printer.out.check()
    return true
  }

  /// The range lost by a failed read: a damaged range, or a whole segment that the disk cannot read
  /// if another one follows.
  private func lost(by error: LogError) throws(CommandFailure) -> DamagedRange {
    switch error.kind {
    case .corrupt(let range): return range
    case .disk(let cause):
      let next = printer.nextOffset
      let segments = log.store.state.segments
      guard let following = segments.first(where: { $0.baseOffset > next }) else {
        throw CommandFailure(error)
      }
      return DamagedRange(
        file: cause.path, bytes: 0..<0, offsets: next..<following.baseOffset, reason: "\(cause)")
    default: throw CommandFailure(error)
    }
  }

  /// The first offset after a damaged range that may be readable.
  private func behind(_ range: DamagedRange) -> Int64 {
    if let offsets = range.offsets { return offsets.upperBound }
    let segments = log.store.state.segments
    let next = printer.nextOffset
    return segments.first { $0.baseOffset > next }?.baseOffset ?? log.logEndOffset
  }

  private mutating func waitForMore() throws(CommandFailure) {
    try printer.out.flush()
    let log = log
    let hasMore = try withLogErrors { () throws(LogError) in try log.refresh() }
    if !hasMore { StandardStreams.sleep(milliseconds: FetchRun.followPauseMs) }
  }
}
