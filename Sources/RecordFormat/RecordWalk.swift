public import MkstoreBytes

/// Reads the records of one batch of magic 2 in order, from one or several pieces of bytes.
@usableFromInline
struct RecordWalk: BitwiseCopyable {
  /// From the header.
  @usableFromInline let recordCount: Int
  @usableFromInline let lastOffsetDelta: Int32
  @usableFromInline let baseOffset: Int64
  @usableFromInline let baseTimestamp: Int64
  /// nil with CreateTime.
  @usableFromInline let logAppendTime: Int64?
  @usableFromInline let toleratesNegativeLengths: Bool

  /// Number of the next record.
  @usableFromInline var index = 0
  /// Offset delta of the previous record; −1 at first.
  @usableFromInline var offsetDelta: Int32 = -1
  @usableFromInline var findings: BatchFindings = []

  /// Whether no bytes can follow the loaded ones.
  @usableFromInline var isLastPiece: Bool
  /// Added to a position in the current piece to get the one for errors.
  @usableFromInline var pieceStart = 0
  @usableFromInline let isInflated: Bool
  /// Bytes, from the reader's position on, that the next record takes; set if `next` returned nil.
  @usableFromInline var bytesNeeded = 0

  @inlinable
  init(_ header: BatchHeader, isLastPiece: Bool, toleratesNegativeLengths: Bool) {
    recordCount = Int(header.recordCount)
    lastOffsetDelta = header.lastOffsetDelta
    baseOffset = header.baseOffset
    baseTimestamp = header.baseTimestamp
    logAppendTime = header.timestampType == .logAppendTime ? header.maxTimestamp : nil
    isInflated = header.codec != .none
    self.isLastPiece = isLastPiece
    self.toleratesNegativeLengths = toleratesNegativeLengths
  }

  /// Whether every record was read.
  @inlinable
  var isDone: Bool { index == recordCount }

  /// Reads the next record; nil if more bytes are needed first (then nothing was read).
  @inlinable
  @inline(__always)
  mutating func next(_ reader: inout ByteReader) throws(BatchError) -> RecordFields? {
    let start = reader.position
    guard let length = reader.readVarint32() else {
      if !isLastPiece, reader.remaining < Varint.byteCountMax32 {
        bytesNeeded = reader.remaining &+ 1
        return nil
      }
      throw varintError(.recordLength, reader, Varint.byteCountMax32)
    }
    guard length > 0 else { throw error(.recordLength, start, Int64(length), "at least 6") }
    guard Int(length) <= reader.remaining else {
      if !isLastPiece {
        bytesNeeded = reader.position &- start &+ Int(length)
        reader.rewind(to: start)
        return nil
      }
      throw error(.recordLength, start, Int64(length), "at most the \(reader.remaining) bytes left")
    }
    var body = reader.first(Int(length))
    let fields = try readBody(&body)
    if body.sawPaddedVarint || reader.sawPaddedVarint { findings.insert(.paddedVarints) }
    _ = reader.skip(Int(length))
    index &+= 1
    return fields
  }

  /// Reads a record's body, which must be filled exactly.
  @inlinable
  @inline(__always)
  mutating func readBody(_ body: inout ByteReader) throws(BatchError) -> RecordFields {
    let start = body.position
    let end = start &+ body.remaining
    let attributes = body.readByte() ?? 0
    if attributes != 0 { findings.insert(.unusedRecordAttributes) }
    guard let timestampDelta = body.readVarint64() else {
      throw varintError(.timestampDelta, body, Varint.byteCountMax64)
    }
    let offsetStart = body.position
    guard let delta = body.readVarint32() else {
      throw varintError(.offsetDelta, body, Varint.byteCountMax32)
    }
    guard delta > offsetDelta, delta <= lastOffsetDelta else {
      throw error(
        .offsetDelta, offsetStart, Int64(delta),
        "above \(offsetDelta) and at most lastOffsetDelta = \(lastOffsetDelta)")
    }
    offsetDelta = delta
    let key = try readField(.key, &body)
    let value = try readField(.value, &body)
    let headers = try readHeaders(&body)
    guard body.remaining == 0 else {
      throw error(
        .recordLength, start, Int64(end &- start),
        "\(end &- start &- body.remaining), which its fields use")
    }
    return RecordFields(
      bodyStart: start, end: end, attributes: attributes, timestampDelta: timestampDelta,
      offsetDelta: delta, key: key, value: value, headers: headers)
  }

  /// Skips a key or a value.
  @inlinable
  @inline(__always)
  mutating func readField(
    _ field: BatchField, _ body: inout ByteReader
  ) throws(BatchError) -> (start: Int, count: Int) {
    let count = try readLength(field, &body)
    let start = body.position
    _ = body.skip(max(count, 0))
    return (start, count)
  }

  /// Skips the headers.
  @inlinable
  @inline(__always)
  mutating func readHeaders(
    _ body: inout ByteReader
  ) throws(BatchError) -> (start: Int, count: Int) {
    let countStart = body.position
    guard let count = body.readVarint32() else {
      throw varintError(.headerCount, body, Varint.byteCountMax32)
    }
    let start = body.position
    if count != 0 {
      let headers = try checkHeaders(Int(count), body, countStart)
      findings.formUnion(headers.findings)
      _ = body.skip(headers.byteCount)
    }
    return (start, Int(count))
  }

  /// Reads the length of a key, a value or a header's value: −1 for null, otherwise at most the
  /// remaining bytes.
  @inlinable
  @inline(__always)
  mutating func readLength(
    _ field: BatchField, _ body: inout ByteReader
  ) throws(BatchError) -> Int {
    let start = body.position
    guard let length = body.readVarint32() else {
      throw varintError(field, body, Varint.byteCountMax32)
    }
    if length >= 0 {
      guard Int(length) <= body.remaining else {
        throw error(
          field, start, Int64(length), "a length of at most the \(body.remaining) bytes left")
      }
      return Int(length)
    }
    if length < -1 {
      guard toleratesNegativeLengths else {
        throw error(field, start, Int64(length), "a length of at least -1")
      }
      findings.insert(.negativeLengths)
    }
    return -1
  }

  /// Skips the headers of a record; by value, so that the walk and its reader can stay in
  /// registers.
  @usableFromInline
  @inline(never)
  func checkHeaders(
    _ count: Int, _ reader: ByteReader, _ start: Int
  ) throws(BatchError) -> (byteCount: Int, findings: BatchFindings) {
    var walk = self
    var body = reader
    // A header takes at least two bytes; the bound keeps a huge count from looping for long.
    guard count >= 0, count <= body.remaining else {
      throw error(.headerCount, start, Int64(count), "0 to the \(body.remaining) bytes left")
    }
    for _ in 0..<count {
      let nameStart = body.position
      guard let nameCount = body.readVarint32() else {
        throw varintError(.headerKey, body, Varint.byteCountMax32)
      }
      guard nameCount >= 0, body.skip(Int(nameCount)) else {
        throw error(
          .headerKey, nameStart, Int64(nameCount),
          "a length of 0 to the \(body.remaining) bytes left")
      }
      let valueCount = try walk.readLength(.headerValue, &body)
      _ = body.skip(max(valueCount, 0))
    }
    if body.sawPaddedVarint { walk.findings.insert(.paddedVarints) }
    return (body.position - reader.position, walk.findings)
  }

  /// Offset of the record that was read last. The header's last offset fits 64 bits, and no delta
  /// exceeds it.
  @inlinable
  var offset: Int64 { baseOffset &+ Int64(offsetDelta) }

  /// The record's timestamp by the batch's rules.
  @inlinable
  @inline(__always)
  mutating func timestamp(_ fields: RecordFields) -> Int64 {
    if let logAppendTime { return logAppendTime }
    let (time, overflow) = baseTimestamp.addingReportingOverflow(fields.timestampDelta)
    if overflow { findings.insert(.timestampOverflow) }
    return time
  }

  /// Throws if bytes follow the last record.
  @inlinable
  func finish(_ reader: borrowing ByteReader) throws(BatchError) {
    guard reader.remaining == 0 else {
      throw .bytesAfterRecords(count: reader.remaining, position: place(reader.position))
    }
  }

  /// Position in the batch, or in its inflated records, of a position in the current piece.
  @usableFromInline
  func place(_ position: Int) -> BatchPosition {
    isInflated ? .inflated(pieceStart + position) : .stored(pieceStart + position)
  }

  @usableFromInline
  @inline(never)
  func error(
    _ field: BatchField, _ position: Int, _ found: Int64, _ expected: @autoclosure () -> String
  ) -> BatchError {
    .record(index, field, position: place(position), found: found, expected: expected())
  }

  @usableFromInline
  @inline(never)
  func varintError(
    _ field: BatchField, _ reader: borrowing ByteReader, _ byteCountMax: Int
  ) -> BatchError {
    .varint(
      record: index, field, position: place(reader.position),
      reader.varintFault(byteCountMax: byteCountMax))
  }
}
