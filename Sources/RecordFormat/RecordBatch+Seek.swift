public import Bytes

/// What looking for a record in a batch's first bytes gives.
package enum PrefixSeek: Sendable, Equatable {
  /// It was handed out.
  case found
  /// The bytes end before the record does.
  case beyondPrefix
  /// Only reading the whole batch tells: it is compressed, has gaps or a control record.
  case notHere
}

extension RecordBatch {
  /// Runs `body` with the record at `offset` of the batch that begins with `prefix`.
  ///
  /// For batches of magic 2 whose CRC was checked and of which not all bytes are at hand.
  ///
  /// - Throws: Where the record's bytes are not what the format says.
  package static func seekRecord(
    at offset: Int64, inPrefix prefix: Span<UInt8>, _ decoder: inout RecordDecoder,
    _ body: (borrowing RecordView) -> Void
  ) throws(BatchError) -> PrefixSeek {
    let header = try BatchHeader(prefix)
    let index = offset &- header.baseOffset
    guard !header.isLegacy, header.codec == .none, !header.isControl,
      header.recordCount == header.lastOffsetDelta &+ 1, index >= 0,
      index < Int64(header.recordCount)
    else { return .notHere }
    decoder.clear()
    var reader = ByteReader(prefix, at: BatchLayout.records)
    for _ in 0..<index {
      guard let length = reader.readVarint32(), length > 0 else {
        return reader.remaining < Varint.byteCountMax32 ? .beyondPrefix : .notHere
      }
      guard reader.skip(Int(length)) else { return .beyondPrefix }
    }
    var walk = RecordWalk(
      header, isLastPiece: false, toleratesNegativeLengths: decoder.tolerance == .kafka)
    walk.index = Int(index)
    walk.offsetDelta = Int32(index) - 1
    guard let fields = try walk.next(&reader) else { return .beyondPrefix }
    guard Int64(fields.offsetDelta) == index else { return .notHere }
    body(
      RecordView(
        bytes: prefix, fields: fields, offset: offset, timestamp: walk.timestamp(fields),
        timestampType: header.timestampType))
    decoder.add(walk.findings)
    return .found
  }

  /// Calls `body` with each record whose offset is at or after `offset`, until it gives false.
  ///
  /// As `forEachRecord`, but records before the offset are stepped over by their lengths alone
  /// where the batch is not compressed and has no gaps: a look-up reads one record, not the half of
  /// a batch. What is stepped over is not checked; the CRC was, by whoever handed out the batch.
  ///
  /// - Throws: As `forEachRecord`.
  @inlinable
  public func forEachRecord(
    from offset: Int64, _ decoder: inout RecordDecoder,
    _ body: (borrowing RecordView) throws(BatchError) -> Bool
  ) throws(BatchError) {
    let skipped = offset &- header.baseOffset
    let isDense = header.recordCount == header.lastOffsetDelta &+ 1
    guard skipped > 0, !header.isLegacy, header.codec == .none, isDense,
      skipped < Int64(header.recordCount)
    else {
      try forEachRecord(&decoder) { record throws(BatchError) in
        record.offset < offset ? true : try body(record)
      }
      return
    }
    if try seekPlainRecord(Int(skipped), &decoder, body) { return }
    // The lengths or deltas are not what the header promises: the full walk finds its way or says
    // why.
    try forEachRecord(&decoder) { record throws(BatchError) in
      record.offset < offset ? true : try body(record)
    }
  }

  /// Walks from record number `index` on; false, with nothing handed out, where it is not there.
  @inlinable
  func seekPlainRecord(
    _ index: Int, _ decoder: inout RecordDecoder,
    _ body: (borrowing RecordView) throws(BatchError) -> Bool
  ) throws(BatchError) -> Bool {
    decoder.clear()
    var reader = ByteReader(bytes, at: BatchLayout.records)
    for _ in 0..<index {
      guard let length = reader.readVarint32(), reader.skip(Int(length)) else { return false }
    }
    var walk = RecordWalk(
      header, isLastPiece: true, toleratesNegativeLengths: decoder.tolerance == .kafka)
    walk.index = index
    walk.offsetDelta = Int32(index) - 1
    var isFirst = true
    var view = RecordView(walking: bytes, header.timestampType)
    while !walk.isDone {
      guard let fields = try walk.next(&reader) else { break }
      if isFirst, Int(fields.offsetDelta) != index { return false }
      isFirst = false
      view.show(fields, offset: walk.offset, timestamp: walk.timestamp(fields))
      guard try body(view) else { return true }
    }
    try walk.finish(reader)
    return true
  }
}
