import MkstoreBytes

/// Writes the 61 bytes before the records of a batch and seals it.
struct HeaderWriter {
  let codec: CompressionCodec
  let recordCount: Int32
  let baseTimestamp: Int64
  let maxTimestamp: Int64
  let options: BatchOptions

  /// `batch` is the whole batch, its records in place.
  func write(to batch: inout MutableSpan<UInt8>) {
    typealias Layout = BatchLayout
    // The builder keeps batches so small that their length fits 32 bits.
    let length = Int32(batch.count - Layout.lengthOverhead)
    batch.storeBigEndian(Int64(0), at: Layout.baseOffset)
    batch.storeBigEndian(length, at: Layout.batchLength)
    batch.storeBigEndian(Int32(-1), at: Layout.partitionLeaderEpoch)
    batch.storeBigEndian(Int8(2), at: Layout.magic)
    batch.storeBigEndian(attributes, at: Layout.attributes)
    batch.storeBigEndian(recordCount - 1, at: Layout.lastOffsetDelta)
    batch.storeBigEndian(baseTimestamp, at: Layout.baseTimestamp)
    batch.storeBigEndian(options.logAppendTime ?? maxTimestamp, at: Layout.maxTimestamp)
    batch.storeBigEndian(options.producerId, at: Layout.producerId)
    batch.storeBigEndian(options.producerEpoch, at: Layout.producerEpoch)
    batch.storeBigEndian(options.baseSequence, at: Layout.baseSequence)
    batch.storeBigEndian(recordCount, at: Layout.recordCount)
    seal(&batch)
  }

  private var attributes: Int16 {
    var bits = Int16(codec.rawValue)
    if options.logAppendTime != nil { bits |= BatchAttributes.logAppendTime }
    if options.isTransactional { bits |= BatchAttributes.transactional }
    return bits
  }
}
