internal import DiskIO

/// Kafka's checkpoints of a store, as far as this engine writes them.
struct StoreCheckpoints: Sendable {
  var points = OffsetCheckpoint()
  var starts = OffsetCheckpoint()
  var highWatermarks = OffsetCheckpoint()

  /// Takes over what an open log says of itself, in the place of whatever was known of it.
  mutating func note(_ log: Log) {
    points.offsets[log.topicPartition] = log.recoveryPoint
    starts.offsets[log.topicPartition] = log.store.state.checkpointedStartOffset
    highWatermarks.offsets[log.topicPartition] = log.recoveryPoint
  }

  /// Replaces the files in a store's directory, durably.
  func write(_ disk: any Disk, directory: String) throws(DiskError) {
    try points.write(disk, directory: directory, .recoveryPoint)
    try LogStartCheckpoint.write(starts, disk, directory: directory)
    try highWatermarks.write(disk, directory: directory, .highWatermark)
  }
}
