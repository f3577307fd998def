import MkstoreBytes

/// Gives a batch of magic 2 its place in a log: both fields lie outside of the CRC.
///
/// - Parameter bytes: The whole batch.
package func assignOffset(
  _ bytes: inout MutableSpan<UInt8>, baseOffset: Int64, leaderEpoch: Int32
) {
  bytes.storeBigEndian(baseOffset, at: BatchLayout.baseOffset)
  bytes.storeBigEndian(leaderEpoch, at: BatchLayout.partitionLeaderEpoch)
}

/// Gives all records of a batch of magic 2 the time `timestamp` (LogAppendTime) and seals it anew.
///
/// - Parameter bytes: The whole batch.
package func rewriteLogAppendTime(_ bytes: inout MutableSpan<UInt8>, timestamp: Int64) {
  let attributes = bytes.loadBigEndian(Int16.self, at: BatchLayout.attributes)
  bytes.storeBigEndian(attributes | BatchAttributes.logAppendTime, at: BatchLayout.attributes)
  rewriteMaxTimestamp(&bytes, timestamp: timestamp)
}

/// Takes the timestamp type LogAppendTime from a batch of magic 2 and seals it anew: its records
/// have their producer's times again.
///
/// - Parameter bytes: The whole batch.
package func clearLogAppendTime(_ bytes: inout MutableSpan<UInt8>) {
  let attributes = bytes.loadBigEndian(Int16.self, at: BatchLayout.attributes)
  bytes.storeBigEndian(attributes & ~BatchAttributes.logAppendTime, at: BatchLayout.attributes)
  seal(&bytes)
}

/// Puts the true largest timestamp into a batch of magic 2 that states another one and seals it
/// anew, as Kafka does on append.
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

/// A batch of magic 2 without a record that covers offsets, as compaction leaves one where it
/// removed everything: consumers go on behind it. It has no time and no producer.
///
/// - Parameters:
///   - offsets: At least one, at most 2^31.
///   - leaderEpoch: The epoch that it bears.
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
