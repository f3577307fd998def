import RecordFormat

/// What holds for every entry, sound or not.
enum BatchCheck {
  /// Keeps an input from taking long; bombs have tests of their own.
  private static let inflatedBytesMax = 1 << 20

  static func run(_ batch: borrowing RecordBatch) {
    let isRead = read(batch, .strict)
    let isReadByKafka = read(batch, .kafka)
    precondition(isReadByKafka != nil || isRead == nil, "tolerance refused what the rules allow")
    if let isRead, let isReadByKafka { precondition(isRead == isReadByKafka) }

    let isStored = isValid(batch, .stored)
    let isProduced = isValid(batch, .produced(maxMessageBytes: 1 << 20))
    precondition(isStored == nil || isRead == isStored, "validated, but not read alike")
    precondition(isProduced == nil || isStored == isProduced, "may be sent, but not be stored")
    if isProduced != nil { rebuild(batch) }
  }

  /// Number of records and a sum over all that they say; nil where they are refused.
  ///
  /// The checksum is not looked at, so that the parsers see what it would hide from them.
  private static func read(
    _ batch: borrowing RecordBatch, _ tolerance: RecordDecoder.Tolerance
  ) -> Int? {
    var decoder = RecordDecoder(decompressedBytesMax: inflatedBytesMax, tolerance: tolerance)
    var count = 0
    var sum = 0
    do throws(BatchError) {
      try batch.forEachRecord(&decoder) { record in
        count += 1
        sum = sum &* 31 &+ Int(record.offset) &+ Int(record.timestamp)
        touch(record.key, &sum)
        touch(record.value, &sum)
        record.forEachHeader { name, value in
          touch(name, &sum)
          touch(value, &sum)
        }
        return true
      }
      return count
    } catch {
      precondition(!error.description.isEmpty)
      return nil
    }
  }

  private static func touch(_ bytes: Span<UInt8>?, _ sum: inout Int) {
    guard let bytes else { return }
    for index in bytes.indices { sum = sum &* 31 &+ Int(bytes[index]) }
  }

  private static func isValid(
    _ batch: borrowing RecordBatch, _ rules: ValidationRules
  ) -> Int? {
    var decoder = RecordDecoder(decompressedBytesMax: inflatedBytesMax)
    do throws(BatchError) {
      return try batch.validate(rules, decoder: &decoder).recordCount
    } catch {
      precondition(!error.description.isEmpty)
      return nil
    }
  }

  /// What is good enough to be sent gives the same records when it is built anew.
  private static func rebuild(_ batch: borrowing RecordBatch) {
    do throws(BatchError) {
      var decoder = RecordDecoder(decompressedBytesMax: inflatedBytesMax)
      let records = try batch.records(&decoder)
      for compression in [Compression.none, .zstd(level: 1)] {
        var builder = RecordBatchBuilder(compression: compression, batchBytes: 8 << 20)
        for record in records {
          let isTaken = try builder.append(
            timestamp: record.timestamp, key: record.key, value: record.value,
            headers: record.headers)
          guard isTaken else {
            let distance = record.timestamp.subtractingReportingOverflow(builder.baseTimestamp)
            return precondition(distance.overflow, "a record that fits was not taken")
          }
        }
        let again = try builder.finish()
        let rebuilt = try RecordBatch(again.span)
        try rebuilt.checkCRC()
        let readAgain = try rebuilt.records(&decoder)
        precondition(readAgain == records, "rebuilt otherwise")
      }
    } catch {
      preconditionFailure("\(error)")
    }
  }
}
