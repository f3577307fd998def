import MkstoreBytes

extension RecordBatch {
  /// The records of an entry of magic 0 or 1: one, or those of a compressed set.
  @usableFromInline
  func forEachLegacyRecord(
    _ decoder: inout RecordDecoder,
    _ body: (borrowing RecordView) throws(BatchError) -> Bool
  ) throws(BatchError) {
    if header.attributes.rawValue & ~LegacyMessage.usedAttributes(header.magic) != 0 {
      decoder.add(.unusedAttributeBits)
    }
    let outer = try LegacyMessage(bytes, at: 0, index: 0, isInflated: false)
    guard header.codec != .none else {
      _ = try body(outer.view(bytes, offset: header.baseOffset, timestamp: header.baseTimestamp))
      return
    }
    guard outer.fields.valueCount >= 0 else {
      throw .record(
        0, .value, position: .stored(outer.fields.valueStart), found: -1,
        expected: "a compressed set of messages")
    }
    let payload = bytes.extracting(
      outer.fields.valueStart..<outer.fields.valueStart + outer.fields.valueCount)
    // Magic 1 counts inner offsets from where the set began, which only its last message reveals:
    // the set is read twice, rather than kept.
    var last: Int64 = -1
    try forEachInner(payload, &decoder) { message, _ in
      last = message.offset
      return true
    }
    let base = try legacyBase(last)
    if base + last != header.baseOffset { decoder.add(.legacyOffsetWrong) }
    let appendTime = header.timestampType == .logAppendTime ? header.baseTimestamp : nil
    try forEachInner(payload, &decoder) { message, piece throws(BatchError) in
      try body(
        message.view(
          piece, offset: base + message.offset, timestamp: appendTime ?? message.timestamp,
          timestampType: header.timestampType))
    }
    decoder.add(decoder.streamFindings)
  }

  /// What to add to the inner offsets of a compressed set whose last one is `last`.
  private func legacyBase(_ last: Int64) throws(BatchError) -> Int64 {
    // Inner offsets of magic 0 are absolute. A set made by some producers and not rewritten by a
    // broker has the offset 0, whatever its messages have; Kafka's reader handles that case too.
    if header.magic == 0 || header.baseOffset == 0 { return 0 }
    guard header.baseOffset >= last else {
      throw .header(
        .messageOffset, position: LegacyLayout.offset, found: header.baseOffset,
        expected: "at least the last inner message's \(last)")
    }
    return header.baseOffset - last
  }

  /// Reads the inner messages of a compressed set, of which there is at least one.
  private func forEachInner(
    _ payload: Span<UInt8>, _ decoder: inout RecordDecoder,
    _ body: (LegacyMessage, Span<UInt8>) throws(BatchError) -> Bool
  ) throws(BatchError) {
    try decoder.begin(header.codec, payload, magic: header.magic)
    var index = 0
    var before: Int64 = -1
    while true {
      try decoder.fill(payload, BatchLayout.lengthOverhead)
      if decoder.piece.isEmpty, index > 0 { return }
      let size = try LegacyMessage.entrySize(
        decoder.piece, magic: header.magic, index: index, pieceStart: decoder.pieceStart)
      try decoder.fill(payload, size)
      let message = try LegacyMessage(
        inner: decoder.piece, size: size, magic: header.magic, index: index, after: before,
        pieceStart: decoder.pieceStart)
      guard try body(message, decoder.piece) else { return }
      decoder.drop(size)
      before = message.offset
      index += 1
    }
  }
}
