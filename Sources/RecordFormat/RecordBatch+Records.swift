public import MkstoreBytes

extension RecordBatch {
  /// Calls `body` with each record, in order of offset, until it returns false.
  ///
  /// No byte is copied if the batch is not compressed. The checksum is not checked. Records before
  /// a damaged one are passed to `body` before the error is thrown. Bytes after the last record are
  /// an error too, unless `body` ended it before. `decoder.findings` has the oddities.
  ///
  /// - Parameters:
  ///   - decoder: For the inflated bytes; any one, reused.
  ///   - body: Receives a view that is valid during the call.
  /// - Throws: What is wrong with the records, or the error of `body`.
  @inlinable
  public func forEachRecord(
    _ decoder: inout RecordDecoder,
    _ body: (borrowing RecordView) throws(BatchError) -> Bool
  ) throws(BatchError) {
    decoder.clear()
    if header.isLegacy {
      try forEachLegacyRecord(&decoder, body)
    } else if header.codec == .none {
      try forEachPlainRecord(&decoder, body)
    } else {
      try forEachInflatedRecord(&decoder, body)
    }
  }

  /// All records, copied.
  ///
  /// - Throws: As `forEachRecord`.
  public func records(_ decoder: inout RecordDecoder) throws(BatchError) -> [Record] {
    var records: [Record] = []
    let isControl = header.isControl
    try forEachRecord(&decoder) { view throws(BatchError) in
      var record = Record(copying: view)
      if isControl { record.control = try ControlRecord(view) }
      records.append(record)
      return true
    }
    return records
  }

  @inlinable
  func forEachPlainRecord(
    _ decoder: inout RecordDecoder,
    _ body: (borrowing RecordView) throws(BatchError) -> Bool
  ) throws(BatchError) {
    var walk = RecordWalk(
      header, isLastPiece: true, toleratesNegativeLengths: decoder.tolerance == .kafka)
    var reader = ByteReader(bytes, at: BatchLayout.records)
    var view = RecordView(walking: bytes, header.timestampType)
    while !walk.isDone {
      guard let fields = try walk.next(&reader) else { break }
      view.show(fields, offset: walk.offset, timestamp: walk.timestamp(fields))
      guard try body(view) else {
        decoder.add(walk.findings)
        return
      }
    }
    try walk.finish(reader)
    decoder.add(walk.findings)
  }

  @inlinable
  func forEachInflatedRecord(
    _ decoder: inout RecordDecoder,
    _ body: (borrowing RecordView) throws(BatchError) -> Bool
  ) throws(BatchError) {
    let payload = bytes.extracting(BatchLayout.records...)
    // The cleaner's headers without records; it clears the codec, but other writers might not.
    if payload.isEmpty, header.recordCount == 0 { return }
    try decoder.begin(header.codec, payload, magic: header.magic)
    var walk = RecordWalk(
      header, isLastPiece: false, toleratesNegativeLengths: decoder.tolerance == .kafka)
    walk.bytesNeeded = 1
    var goesOn = true
    while goesOn {
      // After all records were read, another byte is one too many.
      try decoder.fill(payload, walk.bytesNeeded)
      walk.isLastPiece = decoder.isFinished
      walk.pieceStart = decoder.pieceStart
      let read = try readPiece(decoder.piece, &walk, &goesOn, body)
      decoder.drop(read)
      if walk.isDone, decoder.isFinished { break }
      if walk.isDone { walk.bytesNeeded = 1 }
    }
    decoder.add(walk.findings.union(decoder.streamFindings))
  }

  /// Reads the complete records in `piece`; returns how many bytes of it they took.
  @inlinable
  func readPiece(
    _ piece: Span<UInt8>, _ walk: inout RecordWalk, _ goesOn: inout Bool,
    _ body: (borrowing RecordView) throws(BatchError) -> Bool
  ) throws(BatchError) -> Int {
    var reader = ByteReader(piece)
    var view = RecordView(walking: piece, header.timestampType)
    while !walk.isDone {
      guard let fields = try walk.next(&reader) else { return reader.position }
      view.show(fields, offset: walk.offset, timestamp: walk.timestamp(fields))
      guard try body(view) else {
        goesOn = false
        return reader.position
      }
    }
    try walk.finish(reader)
    return reader.position
  }
}

/// The result of searching a record in a batch's first bytes.
package enum PrefixSeek: Sendable, Equatable {
  /// `body` was called with it.
  case found
  /// The bytes end before the record does.
  case beyondPrefix
  /// The whole batch must be read: it is compressed, has gaps or a control record.
  case notHere
}

extension RecordBatch {
  /// Runs `body` with the record at `offset` of the batch that begins with `prefix`.
  ///
  /// For batches of magic 2 whose CRC was checked and of which not all bytes are loaded.
  ///
  /// - Throws: If the record's bytes violate the format.
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

  /// Calls `body` with each record whose offset is at or after `offset`, until it returns false.
  ///
  /// As `forEachRecord`, but if the batch is not compressed and has no gaps, earlier records are
  /// skipped by their lengths alone: a look-up reads one record, not half of a batch. Skipped
  /// records are not checked; whoever supplied the batch has checked its CRC.
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
    // The lengths or deltas are not what the header promises: the full walk succeeds or reports
    // why.
    try forEachRecord(&decoder) { record throws(BatchError) in
      record.offset < offset ? true : try body(record)
    }
  }

  /// Walks from record number `index` on; false, without calling `body`, if it does not exist.
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
