import DiskIO
import LogStore
import RecordFormat

/// Dumping a `.log` file: every batch, damaged or not, and with `--deep` every record.
extension DumpRun {
  mutating func dumpLog(
    _ path: String, _ baseOffset: Int64, _ disk: PosixDisk
  ) throws(CommandFailure) {
    let file = try withDiskErrors { () throws(DiskError) in try disk.open(path, .read) }
    let size = try withDiskErrors { () throws(DiskError) in try file.size() }
    switch format {
    case .kafka: out.line("Log starting offset: \(baseOffset)")
    case .text: out.line("\(path): base offset \(baseOffset), \(size) bytes")
    case .json: break
    }
    var walk = SegmentWalk(
      file, size: size, baseOffset: baseOffset, believesLengths: format == .kafka)
    var decoder = RecordDecoder(tolerance: .kafka)
    var printer = RecordPrinter(.ndjson(encoding, isTagged: true), LogLocation.placeholder)
    while let step = try walk.next() {
      switch step {
      case .batch(let header, let position, let fault):
        print(header, at: position, fault, path)
        if fault == nil, isDeep {
          try printRecords(of: header, at: position, &walk, &decoder, &printer, path)
        }
        if let fault {
          hasDamage = true
          tell(fault.description, position..<position + header.byteCount, path)
        }
      case .invalid(let fault, let position):
        hasDamage = true
        if format == .kafka {
          // As Kafka's own tool: nothing after the first invalid entry is read.
          let name = PathText.lastComponent(path)
          out.line("Found \(size - position) invalid bytes at the end of \(name)")
          tell(fault.description, position..<size, path)
          return
        }
        printGap(try walk.resume(), fault, path)
      }
      try out.check()
    }
  }

  /// Kafka's lines have no place for errors: they go to standard error, as with Kafka's tool.
  private func tell(_ reason: String, _ bytes: Range<Int>, _ path: String) {
    guard format == .kafka else { return }
    Messages.say("\(path), position \(bytes.lowerBound), \(bytes.count) bytes: \(reason)")
  }

  private mutating func print(
    _ header: BatchHeader, at position: Int, _ fault: BatchFault?, _ path: String
  ) {
    switch format {
    case .kafka: KafkaLayout.print(header, at: position, isValid: fault == nil, to: &out)
    case .text: TextLayout.print(header, at: position, fault, to: &out)
    case .json: out.line(BatchObject.object(header, file: path, at: position, fault))
    }
  }

  private mutating func printGap(
    _ skipped: Range<Int>, _ fault: BatchFault, _ path: String
  ) {
    if format == .json {
      var object = JSONObject(type: "invalid")
      object.add("file", path)
      object.add("position", skipped.lowerBound)
      object.add("bytes", skipped.count)
      object.add("reason", fault.description)
      out.line(object)
    } else {
      out.line("position \(skipped.lowerBound)  \(skipped.count) bytes are not a batch: \(fault)")
    }
  }

  private mutating func printRecords(
    of header: BatchHeader, at position: Int, _ walk: inout SegmentWalk,
    _ decoder: inout RecordDecoder, _ printer: inout RecordPrinter, _ path: String
  ) throws(CommandFailure) {
    try walk.load(header, at: position)
    do throws(BatchError) {
      try DumpRun.printRecords(
        RecordBatch(walk.bytes(header, at: position)), format, &decoder, &printer, &out)
    } catch {
      hasDamage = true
      switch format {
      case .json:
        out.line(
          DamageText.object(
            DamagedRange(
              file: path, bytes: position..<position + header.byteCount,
              offsets: header.baseOffset..<header.nextOffset, reason: "\(error)")))
      case .text: out.line("  records cannot be read: \(error)")
      case .kafka:
        let bytes = position..<position + header.byteCount
        tell("records cannot be read: \(error)", bytes, path)
      }
    }
  }

  private static func printRecords(
    _ batch: borrowing RecordBatch, _ format: DumpFormat, _ decoder: inout RecordDecoder,
    _ printer: inout RecordPrinter, _ out: inout OutputBuffer
  ) throws(BatchError) {
    let header = batch.header
    try batch.forEachRecord(&decoder) { record throws(BatchError) in
      switch format {
      case .kafka: KafkaLayout.print(record, of: header, to: &out)
      case .text: TextLayout.print(record, of: header, to: &out)
      case .json: printer.print(record, of: header, to: &out)
      }
      return out.isGood
    }
  }
}
