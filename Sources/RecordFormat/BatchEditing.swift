import MkstoreBytes

/// Sets a batch's offset and leader epoch: for magic 2 both fields are outside the CRC.
///
/// - Parameter bytes: The whole batch.
package func assignOffset(
  _ bytes: inout MutableSpan<UInt8>, baseOffset: Int64, leaderEpoch: Int32
) {
  bytes.storeBigEndian(baseOffset, at: BatchLayout.baseOffset)
  bytes.storeBigEndian(leaderEpoch, at: BatchLayout.partitionLeaderEpoch)
}

/// Gives all records of a batch of magic 2 the time `timestamp` (LogAppendTime) and computes the
/// CRC again.
///
/// - Parameter bytes: The whole batch.
package func rewriteLogAppendTime(_ bytes: inout MutableSpan<UInt8>, timestamp: Int64) {
  let attributes = bytes.loadBigEndian(Int16.self, at: BatchLayout.attributes)
  bytes.storeBigEndian(attributes | BatchAttributes.logAppendTime, at: BatchLayout.attributes)
  rewriteMaxTimestamp(&bytes, timestamp: timestamp)
}

/// Removes the timestamp type LogAppendTime from a batch of magic 2 and computes the CRC again: its
/// records have their producer's times.
///
/// - Parameter bytes: The whole batch.
package func clearLogAppendTime(_ bytes: inout MutableSpan<UInt8>) {
  let attributes = bytes.loadBigEndian(Int16.self, at: BatchLayout.attributes)
  bytes.storeBigEndian(attributes & ~BatchAttributes.logAppendTime, at: BatchLayout.attributes)
  seal(&bytes)
}

/// Corrects a wrong largest timestamp in a batch of magic 2 and computes the CRC again, as Kafka
/// does on append.
///
/// - Parameter bytes: The whole batch.
package func rewriteMaxTimestamp(_ bytes: inout MutableSpan<UInt8>, timestamp: Int64) {
  bytes.storeBigEndian(timestamp, at: BatchLayout.maxTimestamp)
  seal(&bytes)
}

/// Stores the checksum of a whole batch of magic 2.
func seal(_ bytes: inout MutableSpan<UInt8>) {
  let crc = CRC32C.checksum(bytes.span.extracting(BatchLayout.attributes...))
  bytes.storeBigEndian(crc, at: BatchLayout.crc)
}

/// A batch of magic 2 without records over a range of offsets, as compaction leaves one after
/// removing all: consumers continue after it. It has no time and no producer.
///
/// - Parameters:
///   - offsets: At least one, at most 2^31.
///   - leaderEpoch: Its leader epoch.
package func emptyBatch(over offsets: Range<Int64>, leaderEpoch: Int32) -> [UInt8] {
  precondition(!offsets.isEmpty && offsets.count - 1 <= Int(Int32.max), "\(offsets)")
  let header = HeaderWriter(
    codec: .none, recordCount: 0, baseTimestamp: -1, maxTimestamp: -1, options: BatchOptions())
  var bytes = [UInt8](repeating: 0, count: BatchLayout.records)
  var span = bytes.mutableSpan
  header.write(to: &span)
  span.storeBigEndian(Int32(offsets.count - 1), at: BatchLayout.lastOffsetDelta)
  seal(&span)
  assignOffset(&span, baseOffset: offsets.lowerBound, leaderEpoch: leaderEpoch)
  return bytes
}
