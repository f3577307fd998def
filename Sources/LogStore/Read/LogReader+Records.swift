internal import DiskIO
public import RecordFormat

extension LogReader {
  /// Runs `body` over the records from `offset` on, batch by batch, until it returns false,
  /// `maxBytes` were read or there are no more.
  ///
  /// - Parameters:
  ///   - offset: Where to begin.
  ///   - maxBytes: Most bytes of batches to read; the first batch is read whole.
  ///   - limit: How far the read may go.
  ///   - includesControl: Whether `body` sees control records too.
  ///   - body: Sees each record in place, without a copy.
  /// - Returns: The offset to go on at: after the last record that `body` saw (or was passed
  ///   over).
  /// - Throws: As `read`; `.corrupt` also where a batch's CRC is right but its records do not
  ///   decode.
  public func forEachRecord(
    from offset: Int64, maxBytes: Int = 1 << 20, limit: Limit = .highWatermark,
    includesControl: Bool = false, _ body: (borrowing RecordView) throws(LogError) -> Bool
  ) throws(LogError) -> Int64 {
    guard let records = try readIntoScratch(from: offset, maxBytes: maxBytes, limit: limit) else {
      return offset
    }
    var next = offset
    var position = 0
    while position < records.byteCount {
      let (size, reached, goesOn) = try visitBatch(
        at: position, of: records, from: offset, includesControl: includesControl, body)
      position += size
      next = max(next, reached)
      if !goesOn { return next }
    }
    return max(next, records.nextOffset)
  }

  /// The record at `offset`, or, in a gap, the next one; nil where there is none yet.
  ///
  /// - Throws: As `forEachRecord`.
  public func record(at offset: Int64, limit: Limit = .highWatermark) throws(LogError) -> Record? {
    try record(at: offset, limit: limit) { Record(copying: $0) }
  }

  /// Runs `body` with the record at `offset` in place; see `record(at:)`.
  ///
  /// - Throws: As `forEachRecord`.
  /// - Complexity: A bisection of the index and one read of a part of the batch, where the batch is
  ///   not compressed and was checked before; else as `forEachRecord`.
  public func record<Value>(
    at offset: Int64, limit: Limit = .highWatermark, _ body: (borrowing RecordView) -> Value
  ) throws(LogError) -> Value? {
    var found: Value?
    if try lookUp(offset, limit, { found = body($0) }) { return found }
    var offset = offset
    while found == nil {
      let next = try forEachRecord(from: offset, maxBytes: 1, limit: limit) {
        (record) throws(LogError) in
        found = body(record)
        return false
      }
      if next == offset { return found }
      offset = next
    }
    return found
  }

  private func visitBatch(
    at position: Int, of records: FileRecords, from offset: Int64, includesControl: Bool,
    _ body: (borrowing RecordView) throws(LogError) -> Bool
  ) throws(LogError) -> (byteCount: Int, next: Int64, goesOn: Bool) {
    var failure: LogError?
    var goesOn = true
    var next = offset
    var byteCount = records.byteCount - position
    do throws(BatchError) {
      let held = scratch
      let bytes = held.span.extracting(position..<records.byteCount)
      if let brief = BatchBrief(bytes) { byteCount = min(brief.byteCount, byteCount) }
      let batch = try RecordBatch(bytes.extracting(first: byteCount))
      let header = batch.header
      if header.isControl && !includesControl { return (byteCount, header.nextOffset, true) }
      try batch.forEachRecord(from: offset, &decoder) { record in
        do throws(LogError) {
          goesOn = try body(record)
        } catch {
          failure = error
          goesOn = false
        }
        next = record.offset + 1
        return goesOn
      }
      if goesOn { next = header.nextOffset }
    } catch {
      failure = undecodable(records, position..<position + byteCount, from: next, error)
    }
    if let failure { throw failure }
    return (byteCount, next, goesOn)
  }

  /// A batch whose CRC is right but whose records are not: it was written so.
  private func undecodable(
    _ records: FileRecords, _ bytes: Range<Int>, from offset: Int64, _ error: BatchError
  ) -> LogError {
    var end = records.nextOffset
    do throws(BatchError) {
      let held = scratch
      end = try BatchHeader(held.span.extracting(bytes)).nextOffset
    } catch {
      end = records.nextOffset
    }
    return .corrupt(
      DamagedRange(
        file: records.file.path,
        bytes: records.position + bytes.lowerBound..<records.position + bytes.upperBound,
        offsets: offset..<max(offset, end), reason: "the records do not decode: \(error)"))
  }
}

extension LogReader {
  /// Reads the batches that `read` would give into the reader's own buffer.
  func readIntoScratch(from offset: Int64, maxBytes: Int, limit: Limit) throws(LogError)
    -> FileRecords?
  {
    try read(from: offset, maxBytes, limit) { (records) throws(LogError) in
      try records.copy(into: &scratch)
    }
  }

  /// Reads the batches that `read` would give into `buffer`, replacing its content.
  ///
  /// - Returns: What was read; nil where nothing is there yet, and `buffer` is as it was.
  /// - Throws: As `read(from:maxBytes:limit:)`.
  public func read(
    from offset: Int64, maxBytes: Int, limit: Limit = .highWatermark, into buffer: inout [UInt8]
  ) throws(LogError) -> FileRecords? {
    try read(from: offset, maxBytes, limit) { (records) throws(LogError) in
      try records.copy(into: &buffer)
    }
  }

  /// Bytes that were checked before and that the disk does not give any more are checked again:
  /// what is before them is given, and they are damage like any other.
  private func read(
    from offset: Int64, _ maxBytes: Int, _ limit: Limit,
    copy: (FileRecords) throws(LogError) -> Void
  ) throws(LogError) -> FileRecords? {
    guard let records = try read(from: offset, maxBytes: maxBytes, limit: limit) else { return nil }
    do throws(LogError) {
      try copy(records)
      return records
    } catch {
      guard case .disk(let cause) = error.kind, cause.isUnreadableSector, doubtLastRead() else {
        throw error
      }
    }
    guard let again = try read(from: offset, maxBytes: maxBytes, limit: limit) else { return nil }
    try copy(again)
    return again
  }
}
