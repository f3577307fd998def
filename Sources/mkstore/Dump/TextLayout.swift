import LogStore
import RecordFormat

/// Batches and records for people.
enum TextLayout {
  /// A batch, in one line.
  static func print(
    _ header: BatchHeader, at position: Int, _ fault: BatchFault?, to out: inout OutputBuffer
  ) {
    var parts = ["position \(position)"]
    if header.isLegacy {
      parts.append("offset \(header.baseOffset)")
      parts.append("format \(header.magic)")
    } else {
      parts.append("offsets \(header.baseOffset) to \(header.lastOffset)")
      parts.append("\(header.recordCount) records")
    }
    parts.append("\(header.byteCount) bytes")
    parts.append("\(header.codec)")
    parts.append(
      "\(RecordPrinter.timestampType(header)) up to \(RFC3339.text(header.maxTimestamp))")
    if !header.isLegacy { parts.append("epoch \(header.leaderEpoch)") }
    if header.producerId >= 0 {
      parts.append(
        "producer \(header.producerId)/\(header.producerEpoch) sequence \(header.baseSequence)")
    }
    if header.isTransactional { parts.append("transactional") }
    if header.isControl { parts.append("control") }
    if let horizon = header.deleteHorizon {
      parts.append("delete horizon \(RFC3339.text(horizon))")
    }
    parts.append(fault.map { "DAMAGED: \($0)" } ?? "crc ok")
    out.line(parts.joined(separator: "  "))
  }

  /// A record, in one line: keys, values and headers as JSON strings.
  static func print(
    _ record: borrowing RecordView, of header: BatchHeader, to out: inout OutputBuffer
  ) {
    out.write("  offset \(record.offset)  \(RFC3339.text(record.timestamp))  key ")
    _ = out.write(json: record.key, as: .utf8)
    out.write("  value ")
    _ = out.write(json: record.value, as: .utf8)
    record.forEachHeader { name, value in
      out.write("  ")
      out.write(jsonString: name)
      out.write("=")
      _ = out.write(json: value, as: .utf8)
    }
    if header.isControl, let control = ControlText.read(record) {
      out.write("  control \(control)")
    }
    out.write(byte: UInt8(ascii: "\n"))
  }
}
