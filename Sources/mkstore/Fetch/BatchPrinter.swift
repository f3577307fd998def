import DiskIO
import LogStore
import RecordFormat

/// Prints the records of batches that pass the filter, and reports unreadable ranges. Owned by one
/// thread.
struct BatchPrinter: ~Copyable {
  private var printer: RecordPrinter
  private var filter: RecordFilter
  private var decoder = RecordDecoder(tolerance: .kafka)
  private let isJSON: Bool
  private var reported: Set<DamagedRange> = []
  /// Where reading continues.
  private(set) var nextOffset: Int64
  /// Output for records.
  var out = OutputBuffer()

  /// Records below `startOffset` are not printed.
  init(_ printer: RecordPrinter, _ filter: RecordFilter, startOffset: Int64, isJSON: Bool) {
    self.printer = printer
    self.filter = filter
    self.filter.firstOffset = startOffset
    self.isJSON = isJSON
    nextOffset = startOffset
  }

  /// Whether enough was printed.
  var isDone: Bool { filter.isDone }

  /// Prints the records in `buffer`, below `end`.
  mutating func print(_ buffer: [UInt8], _ records: FileRecords, upTo end: Int64) {
    var position = 0
    while position < records.byteCount, !filter.isDone {
      let rest = buffer.span.extracting(position..<records.byteCount)
      let header: BatchHeader
      do throws(BatchError) {
        header = try BatchHeader(rest)
      } catch {
        // The reader checked it before; this happens only if the disk now returns other bytes.
        let bytes = records.position + position..<records.position + records.byteCount
        let range = DamagedRange(
          file: records.file.path, bytes: bytes, offsets: nil, reason: "\(error)")
        report(range, goingOnAt: records.nextOffset)
        return
      }
      let byteCount = min(header.byteCount, rest.count)
      print(header, rest.extracting(..<byteCount), records, at: position, upTo: end)
      position += byteCount
    }
    if !filter.isDone { nextOffset = max(nextOffset, records.nextOffset) }
  }

  private mutating func print(
    _ header: BatchHeader, _ bytes: Span<UInt8>, _ records: FileRecords, at position: Int,
    upTo end: Int64
  ) {
    if filter.wants(header) {
      do throws(BatchError) {
        try BatchPrinter.print(RecordBatch(bytes), upTo: end, &decoder, &filter, &printer, &out)
      } catch {
        // The CRC is right, and yet the records cannot be decoded.
        let start = records.position + position
        let first = min(max(header.baseOffset, nextOffset), header.nextOffset)
        let range = DamagedRange(
          file: records.file.path, bytes: start..<start + bytes.count,
          offsets: first..<header.nextOffset, reason: "\(error)")
        report(range, goingOnAt: header.nextOffset)
      }
    }
    nextOffset = max(nextOffset, header.nextOffset)
  }

  private static func print(
    _ batch: borrowing RecordBatch, upTo end: Int64, _ decoder: inout RecordDecoder,
    _ filter: inout RecordFilter, _ printer: inout RecordPrinter, _ out: inout OutputBuffer
  ) throws(BatchError) {
    let header = batch.header
    try batch.forEachRecord(&decoder) { record throws(BatchError) in
      if record.offset < end, filter.takes(record) {
        printer.print(record, of: header, to: &out)
      }
      return out.isGood && !filter.isDone
    }
  }

  /// Reports a range that cannot be read; reading continues at `offset`, or at the next one.
  mutating func report(_ range: DamagedRange, goingOnAt offset: Int64) {
    // A file's name may claim the last possible offset.
    nextOffset = max(nextOffset == Int64.max ? nextOffset : nextOffset + 1, offset)
    guard reported.insert(range).inserted else { return }
    if isJSON { out.line(DamageText.object(range)) }
    Messages.say("damaged: \(range)")
  }

  /// Writes the remaining output and messages.
  ///
  /// - Throws: `.damageReported` if something could not be read.
  mutating func end() throws(CommandFailure) {
    try out.flush()
    if let offset = printer.notTextOffset {
      Messages.say(
        "\(printer.notTextCount) records, the first at offset \(offset), hold bytes that are not "
          + "UTF-8 and were shown as U+FFFD; use --encoding hex or base64 to get them exactly")
    }
    if !reported.isEmpty { throw CommandFailure.damageReported }
  }
}
