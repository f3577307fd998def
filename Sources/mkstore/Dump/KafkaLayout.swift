import RecordFormat

/// The lines of Kafka's DumpLogSegments (3.9), byte for byte: scripts parse them.
enum KafkaLayout {
  /// A batch.
  static func print(
    _ header: BatchHeader, at position: Int, isValid: Bool, to out: inout OutputBuffer
  ) {
    if header.isLegacy {
      out.write("offset: \(header.lastOffset)")
    } else {
      out.write(
        "baseOffset: \(header.baseOffset) lastOffset: \(header.lastOffset) "
          + "count: \(header.recordCount) baseSequence: \(header.baseSequence) "
          + "lastSequence: \(lastSequence(header)) producerId: \(header.producerId) "
          + "producerEpoch: \(header.producerEpoch) partitionLeaderEpoch: \(header.leaderEpoch) "
          + "isTransactional: \(header.isTransactional) isControl: \(header.isControl) "
          + "deleteHorizonMs: \(optional(header.deleteHorizon))")
    }
    out.line(
      " position: \(position) \(RecordPrinter.timestampType(header)): \(header.maxTimestamp) "
        + "size: \(header.byteCount) magic: \(header.magic) compresscodec: \(header.codec) "
        + "crc: \(header.crc) isvalid: \(isValid)")
  }

  /// A record of a batch with its data.
  static func print(
    _ record: borrowing RecordView, of header: BatchHeader, to out: inout OutputBuffer
  ) {
    out.write("| offset: ")
    out.write(decimal: record.offset)
    out.write(" ")
    out.write(RecordPrinter.timestampType(header))
    out.write(": ")
    out.write(decimal: record.timestamp)
    out.write(" keySize: ")
    out.write(decimal: Int64(record.key?.count ?? -1))
    out.write(" valueSize: ")
    out.write(decimal: Int64(record.value?.count ?? -1))
    if header.isLegacy {
      // The messages within a compressed one have their own checksums, which are not kept.
      if header.codec == .none { out.write(" isValid: true crc: \(header.crc)}") }
    } else {
      printSequenceAndHeaders(record, header, to: &out)
    }
    if header.isControl {
      printControl(record, to: &out)
    } else {
      if let key = record.key {
        out.write(" key: ")
        out.write(lossyText: key)
      }
      if let value = record.value {
        out.write(" payload: ")
        out.write(lossyText: value)
      }
    }
    out.write(byte: UInt8(ascii: "\n"))
  }

  private static func printSequenceAndHeaders(
    _ record: borrowing RecordView, _ header: BatchHeader, to out: inout OutputBuffer
  ) {
    out.write(" sequence: ")
    out.write(decimal: Int64(sequence(header.baseSequence, plus: record.offsetDelta)))
    out.write(" headerKeys: [")
    var isFirst = true
    record.forEachHeader { name, _ in
      if !isFirst { out.write(",") }
      isFirst = false
      out.write(lossyText: name)
    }
    out.write("]")
  }

  private static func printControl(_ record: borrowing RecordView, to out: inout OutputBuffer) {
    guard let control = ControlText.read(record) else { return }
    switch control.kind {
    case .abort(let epoch), .commit(let epoch):
      out.write(" endTxnMarker: \(control) coordinatorEpoch: \(epoch)")
    case .other(let type): out.write(" controlType: \(control)(\(type))")
    }
  }

  /// The sequence of the batch's last record; −1 if it has none.
  private static func lastSequence(_ header: BatchHeader) -> Int32 {
    sequence(header.baseSequence, plus: header.lastOffsetDelta)
  }

  /// Sequences wrap from the largest Int32 to 0.
  static func sequence(_ base: Int32, plus delta: Int32) -> Int32 {
    guard base >= 0, delta >= 0 else { return -1 }
    return base > Int32.max - delta ? delta - (Int32.max - base) - 1 : base + delta
  }

  /// Java's way to print an optional number.
  static func optional(_ value: Int64?) -> String {
    value.map { "OptionalLong[\($0)]" } ?? "OptionalLong.empty"
  }
}

extension OutputBuffer {
  /// Adds text unchanged; invalid UTF-8 becomes U+FFFD.
  mutating func write(lossyText bytes: Span<UInt8>) {
    var start = 0
    var position = 0
    while position < bytes.count {
      guard bytes[position] >= 0x80 else {
        position += 1
        continue
      }
      let sequence = UTF8Sequence(bytes, at: position)
      if !sequence.isValid {
        write(bytes.extracting(start..<position))
        write("\u{FFFD}")
        start = position + sequence.byteCount
      }
      position += sequence.byteCount
    }
    write(bytes.extracting(start..<position))
  }
}
