import MkstoreBytes
import RecordFormat

/// The batch that a builder made of `records`.
func batch(
  of records: [Record], compression: Compression = .none, options: BatchOptions = BatchOptions()
) throws -> [UInt8] {
  var builder = RecordBatchBuilder(compression: compression, batchBytes: 128 << 20)
  for record in records {
    let isTaken = try builder.append(
      timestamp: record.timestamp, key: record.key, value: record.value, headers: record.headers)
    precondition(isTaken)
  }
  let finished = try builder.finish(options)
  return [UInt8](copying: finished.span)
}

/// A batch of magic 2 with a right CRC around any payload.
func batch(
  codec: CompressionCodec, payload: [UInt8], recordCount: Int32, lastOffsetDelta: Int32? = nil,
  attributes: Int16 = 0, baseTimestamp: Int64 = 0
) -> [UInt8] {
  var bytes = [UInt8](repeating: 0, count: BatchLayout.records) + payload
  var span = bytes.mutableSpan
  span.storeBigEndian(Int32(span.count - 12), at: BatchLayout.batchLength)
  span.storeBigEndian(Int8(2), at: BatchLayout.magic)
  span.storeBigEndian(Int16(codec.rawValue) | attributes, at: BatchLayout.attributes)
  span.storeBigEndian(lastOffsetDelta ?? recordCount - 1, at: BatchLayout.lastOffsetDelta)
  span.storeBigEndian(baseTimestamp, at: BatchLayout.baseTimestamp)
  span.storeBigEndian(Int64(-1), at: BatchLayout.producerId)
  span.storeBigEndian(Int16(-1), at: BatchLayout.producerEpoch)
  span.storeBigEndian(Int32(-1), at: BatchLayout.baseSequence)
  span.storeBigEndian(recordCount, at: BatchLayout.recordCount)
  reseal(&bytes)
  return bytes
}

/// Makes the CRC right again.
func reseal(_ bytes: inout [UInt8]) {
  var span = bytes.mutableSpan
  let crc = CRC32C.checksum(span.span.extracting(BatchLayout.attributes...))
  span.storeBigEndian(crc, at: BatchLayout.crc)
}

/// What is wrong with `bytes` as one batch; nil where nothing is.
func fault(
  _ bytes: [UInt8], _ rules: ValidationRules = .stored,
  tolerance: RecordDecoder.Tolerance = .strict
) -> BatchError? {
  var decoder = RecordDecoder(tolerance: tolerance)
  do throws(BatchError) {
    try RecordBatch(bytes.span).validate(rules, decoder: &decoder)
    return nil
  } catch {
    return error
  }
}

/// What is odd about `bytes` as one batch.
func findings(
  _ bytes: [UInt8], tolerance: RecordDecoder.Tolerance = .strict
) throws -> BatchFindings {
  var decoder = RecordDecoder(tolerance: tolerance)
  return try RecordBatch(bytes.span).validate(.stored, decoder: &decoder).findings
}

/// All records of `bytes` as one batch.
func records(
  _ bytes: [UInt8], tolerance: RecordDecoder.Tolerance = .strict
) throws -> [Record] {
  var decoder = RecordDecoder(tolerance: tolerance)
  let batch = try RecordBatch(bytes.span)
  return try batch.records(&decoder)
}

/// Bytes written as hexadecimal digits, blanks ignored.
func bytes(hex: String) -> [UInt8] {
  let digits = hex.filter { !$0.isWhitespace }.map { UInt8($0.hexDigitValue!) }
  return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
}
