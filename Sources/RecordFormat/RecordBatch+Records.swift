public import Bytes

extension RecordBatch {
  /// Calls `body` with each record, in order of offset, until it gives false.
  ///
  /// No byte is copied where the batch is not compressed. The checksum is not looked at. Records
  /// that come before a damaged one are handed out before the error is thrown; bytes after the last
  /// record are an error too, unless `body` ended it before. `decoder.findings` tells what was odd.
  ///
  /// - Parameters:
  ///   - decoder: For the inflated bytes; any one, reused.
  ///   - body: Takes a view that is valid during the call.
  /// - Throws: What is wrong with the records, or what `body` throws.
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
    // The cleaner's headers without records; it clears the codec, though nothing makes others do
    // so.
    if payload.isEmpty, header.recordCount == 0 { return }
    try decoder.begin(header.codec, payload, magic: header.magic)
    var walk = RecordWalk(
      header, isLastPiece: false, toleratesNegativeLengths: decoder.tolerance == .kafka)
    walk.bytesNeeded = 1
    var goesOn = true
    while goesOn {
      // Once all records are read, another byte would be one too many.
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

  /// Reads the records that are whole in `piece`; returns how many bytes of it they took.
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
