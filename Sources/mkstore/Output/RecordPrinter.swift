import LogStore
import RecordFormat

/// Writes records in one layout. Owned by one thread; nothing is allocated per record.
struct RecordPrinter {
  private let layout: RecordLayout
  private let topicPartition: TopicPartition
  /// Records with bytes that are not UTF-8 but were to be shown as text.
  private(set) var notTextCount = 0
  /// Offset of the first of them.
  private(set) var notTextOffset: Int64?

  /// Prepares; the topic and partition are for format strings.
  init(_ layout: RecordLayout, _ topicPartition: TopicPartition) {
    self.layout = layout
    self.topicPartition = topicPartition
  }

  /// Writes one record of the batch with the header `batch`.
  mutating func print(
    _ record: borrowing RecordView, of batch: BatchHeader, to out: inout OutputBuffer
  ) {
    switch layout {
    case .lines(let keyDelimiter, let null):
      if let keyDelimiter {
        RecordPrinter.print(record.key, null, to: &out)
        out.write(keyDelimiter.span)
      }
      RecordPrinter.print(record.value, null, to: &out)
      out.write(byte: UInt8(ascii: "\n"))
    case .raw:
      if let value = record.value { out.write(value) }
    case .ndjson(let encoding, let isTagged):
      printObject(record, batch, encoding, isTagged: isTagged, to: &out)
    case .hex:
      printHex(record, to: &out)
    case .binary:
      RecordPrinter.print(lengthPrefixed: record.key, to: &out)
      RecordPrinter.print(lengthPrefixed: record.value, to: &out)
    case .format(let format, let null):
      print(record, format, null, to: &out)
    }
  }

  // MARK: Plain

  private static func print(
    _ bytes: Span<UInt8>?, _ null: [UInt8], to out: inout OutputBuffer
  ) {
    if let bytes { out.write(bytes) } else { out.write(null.span) }
  }

  private static func print(lengthPrefixed bytes: Span<UInt8>?, to out: inout OutputBuffer) {
    guard let bytes else {
      out.write(bigEndian: -1)
      return
    }
    // A batch is below 2 GiB, and so are its parts.
    out.write(bigEndian: Int32(bytes.count))
    out.write(bytes)
  }

  private func printHex(_ record: borrowing RecordView, to out: inout OutputBuffer) {
    out.write(decimal: record.offset)
    out.write(byte: UInt8(ascii: "\t"))
    out.write(decimal: record.timestamp)
    out.write(byte: UInt8(ascii: "\t"))
    if let key = record.key { out.write(hex: key) } else { out.write("null") }
    out.write(byte: UInt8(ascii: "\t"))
    if let value = record.value { out.write(hex: value) } else { out.write("null") }
    out.write(byte: UInt8(ascii: "\n"))
  }

  // MARK: NDJSON

  private mutating func printObject(
    _ record: borrowing RecordView, _ batch: BatchHeader, _ encoding: ByteEncoding,
    isTagged: Bool, to out: inout OutputBuffer
  ) {
    out.write(
      isTagged ? "{\"schema\":1,\"type\":\"record\",\"offset\":" : "{\"offset\":")
    out.write(decimal: record.offset)
    out.write(",\"timestamp\":")
    out.write(decimal: record.timestamp)
    out.write(",\"timestampType\":\"")
    out.write(RecordPrinter.timestampType(batch))
    out.write("\",\"key\":")
    var isText = out.write(json: record.key, as: encoding)
    out.write(",\"value\":")
    isText = out.write(json: record.value, as: encoding) && isText
    out.write(",\"headers\":[")
    var isFirst = true
    record.forEachHeader { name, value in
      out.write(isFirst ? "[" : ",[")
      isFirst = false
      isText = out.write(json: name, as: encoding) && isText
      out.write(byte: UInt8(ascii: ","))
      isText = out.write(json: value, as: encoding) && isText
      out.write(byte: UInt8(ascii: "]"))
    }
    out.write(byte: UInt8(ascii: "]"))
    if batch.isControl { RecordPrinter.printControl(record, to: &out) }
    out.write("}\n")
    if !isText { noteNotText(record.offset) }
  }

  private static func printControl(_ record: borrowing RecordView, to out: inout OutputBuffer) {
    out.write(",\"control\":")
    guard let control = ControlText.read(record) else {
      out.write("null")
      return
    }
    out.write("{\"type\":\"")
    out.write(control.description)
    out.write("\"")
    switch control.kind {
    case .abort(let epoch), .commit(let epoch):
      out.write(",\"coordinatorEpoch\":")
      out.write(decimal: Int64(epoch))
    case .other(let type):
      out.write(",\"typeId\":")
      out.write(decimal: Int64(type))
    }
    out.write("}")
  }

  /// Kafka's name for it; messages of format 0 have no time at all.
  static func timestampType(_ batch: BatchHeader) -> String {
    batch.magic == 0 ? "NoTimestampType" : batch.timestampType.description
  }

  private mutating func noteNotText(_ offset: Int64) {
    notTextCount += 1
    notTextOffset = notTextOffset ?? offset
  }

  // MARK: Format strings

  private mutating func print(
    _ record: borrowing RecordView, _ format: FormatString, _ null: [UInt8],
    to out: inout OutputBuffer
  ) {
    for part in format.parts {
      switch part {
      case .literal(let bytes): out.write(bytes.span)
      case .value(let style): print(record.value, style, null, record.offset, to: &out)
      case .key(let style): print(record.key, style, null, record.offset, to: &out)
      case .valueLength: out.write(decimal: Int64(record.value?.count ?? -1))
      case .valueLengthBinary: out.write(bigEndian: Int32(record.value?.count ?? -1))
      case .keyLength: out.write(decimal: Int64(record.key?.count ?? -1))
      case .timestamp: out.write(decimal: record.timestamp)
      case .timestampText: out.write(RFC3339.text(record.timestamp))
      case .headers: RecordPrinter.printHeaders(record, to: &out)
      case .topic: out.write(topicPartition.topic)
      case .partition: out.write(decimal: Int64(topicPartition.partition))
      case .offset: out.write(decimal: record.offset)
      }
    }
  }

  private mutating func print(
    _ bytes: Span<UInt8>?, _ style: FormatString.Style, _ null: [UInt8], _ offset: Int64,
    to out: inout OutputBuffer
  ) {
    switch style {
    case .raw: RecordPrinter.print(bytes, null, to: &out)
    case .json: if !out.write(json: bytes, as: .utf8) { noteNotText(offset) }
    case .hex: if let bytes { out.write(hex: bytes) } else { out.write(null.span) }
    case .base64: if let bytes { out.write(base64: bytes) } else { out.write(null.span) }
    }
  }

  private static func printHeaders(_ record: borrowing RecordView, to out: inout OutputBuffer) {
    var isFirst = true
    record.forEachHeader { name, value in
      if !isFirst { out.write(byte: UInt8(ascii: ",")) }
      isFirst = false
      out.write(name)
      out.write(byte: UInt8(ascii: "="))
      if let value { out.write(value) } else { out.write("NULL") }
    }
  }
}
