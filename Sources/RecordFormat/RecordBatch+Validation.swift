import MkstoreBytes

extension RecordBatch {
  /// Checks everything about the batch: header, checksum and every record.
  ///
  /// - Parameters:
  ///   - rules: The requirements.
  ///   - decoder: For inflated bytes; its tolerance applies to `.stored` only.
  /// - Returns: A summary of the records, and the oddities.
  /// - Throws: The first fault, cheap checks before expensive ones.
  @discardableResult
  public func validate(
    _ rules: ValidationRules, decoder: inout RecordDecoder
  ) throws(BatchError) -> BatchSummary {
    if case .produced(let maxMessageBytes, let takesLogAppendTime) = rules {
      try checkProduced(maxMessageBytes, takesLogAppendTime)
    }
    try checkControl()
    try checkCRC()
    var summary = BatchSummary()
    switch rules {
    case .stored: try summarize(&decoder, into: &summary)
    case .produced: try checkProducedRecords(&decoder, into: &summary)
    }
    summary.findings = decoder.findings.union(headerFindings(summary))
    if case .produced = rules { try checkProducedFindings(summary.findings) }
    return summary
  }

  /// Reads every record.
  private func summarize(
    _ decoder: inout RecordDecoder, into summary: inout BatchSummary
  ) throws(BatchError) {
    let isControl = header.isControl
    var nameFindings: BatchFindings = []
    try forEachRecord(&decoder) { record throws(BatchError) in
      summary.add(offset: record.offset, timestamp: record.timestamp, hasKey: record.hasKey)
      if isControl { _ = try ControlRecord(record) }
      if record.headerCount > 0, !record.hasTextualHeaderNames {
        nameFindings.insert(.headerNameNotUTF8)
      }
      return true
    }
    decoder.add(nameFindings)
    summary.recordBytes = decoder.inflatedBytes ?? bytes.count - BatchLayout.records
  }

  /// The same, and the offsets must have no gap.
  private func checkProducedRecords(
    _ decoder: inout RecordDecoder, into summary: inout BatchSummary
  ) throws(BatchError) {
    // Deltas ascend and end at lastOffsetDelta, which is one less than the count (checkProduced):
    // once the count is right, there is no room for a gap.
    if decoder.tolerance == .strict { return try summarize(&decoder, into: &summary) }
    var strict = RecordDecoder(decompressedBytesMax: decoder.decompressedBytesMax)
    try summarize(&strict, into: &summary)
    decoder.findings = strict.findings
  }

  /// Checks the header of a producer's batch.
  private func checkProduced(
    _ maxMessageBytes: Int, _ takesLogAppendTime: Bool
  ) throws(BatchError) {
    typealias Layout = BatchLayout
    guard header.magic == 2 else {
      throw .header(
        .magic, position: Layout.magic, found: Int64(header.magic), expected: "2 on append")
    }
    guard header.byteCount <= maxMessageBytes else {
      throw .tooLarge(byteCount: header.byteCount, limit: maxMessageBytes)
    }
    guard header.baseOffset == 0 else {
      throw .header(
        .baseOffset, position: Layout.baseOffset, found: header.baseOffset,
        expected: "0 on append")
    }
    guard header.recordCount > 0 else {
      throw .header(
        .recordCount, position: Layout.recordCount, found: Int64(header.recordCount),
        expected: "at least 1 on append")
    }
    guard Int64(header.recordCount) == Int64(header.lastOffsetDelta) + 1 else {
      throw .header(
        .lastOffsetDelta, position: Layout.lastOffsetDelta, found: Int64(header.lastOffsetDelta),
        expected: "recordCount - 1 = \(header.recordCount - 1) on append")
    }
    var refused = BatchAttributes.control | BatchAttributes.deleteHorizon
    if !takesLogAppendTime { refused |= BatchAttributes.logAppendTime }
    guard header.attributes.rawValue & refused == 0 else {
      throw .header(
        .attributes, position: Layout.attributes, found: Int64(header.attributes.rawValue),
        expected: takesLogAppendTime
          ? "no control or delete horizon bit on append"
          : "no control, delete horizon or LogAppendTime bit on append")
    }
    guard header.producerId < 0 || header.baseSequence >= 0 else {
      throw .header(
        .baseSequence, position: Layout.baseSequence, found: Int64(header.baseSequence),
        expected: "at least 0 with a producer id")
    }
    guard header.producerId < 0 || header.producerEpoch >= 0 else {
      throw .header(
        .producerEpoch, position: Layout.producerEpoch, found: Int64(header.producerEpoch),
        expected: "at least 0 with a producer id")
    }
    guard header.producerId >= 0 || !header.isTransactional else {
      throw .header(
        .producerId, position: Layout.producerId, found: header.producerId,
        expected: "at least 0 in a transaction")
    }
  }

  /// Batches that Kafka's readers cannot read must not be accepted.
  private func checkProducedFindings(_ findings: BatchFindings) throws(BatchError) {
    let unreadable = findings.intersection(.unreadableLZ4)
    guard unreadable.isEmpty else {
      throw .compression(.lz4, reason: unreadable.descriptions.joined(separator: "; "))
    }
    guard !findings.contains(.timestampOverflow) else {
      throw .header(
        .baseTimestamp, position: BatchLayout.baseTimestamp, found: header.baseTimestamp,
        expected: "one that no timestampDelta takes beyond 64 bits")
    }
  }

  /// A control batch holds one record, or none once the cleaner removed it.
  private func checkControl() throws(BatchError) {
    guard !header.isControl || header.recordCount <= 1 else {
      throw .header(
        .recordCount, position: BatchLayout.recordCount, found: Int64(header.recordCount),
        expected: "1 in a control batch")
    }
  }

  private func headerFindings(_ summary: BatchSummary) -> BatchFindings {
    var findings: BatchFindings = []
    guard !header.isLegacy else { return findings }
    if header.attributes.rawValue & ~BatchAttributes.used != 0 {
      findings.insert(.unusedAttributeBits)
    }
    if summary.recordCount > 0, summary.maxTimestamp != header.maxTimestamp {
      findings.insert(.maxTimestampWrong)
    }
    if header.producerId >= 0, header.baseSequence < 0, !header.isControl {
      findings.insert(.sequenceMissing)
    }
    return findings
  }
}
