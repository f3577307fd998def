internal import DiskIO

/// Kafka's checkpoints of a store, as far as this engine writes them.
struct StoreCheckpoints: Sendable {
  var points = OffsetCheckpoint()
  var starts = OffsetCheckpoint()
  var highWatermarks = OffsetCheckpoint()

  /// Takes an open log's values, replacing earlier ones.
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
