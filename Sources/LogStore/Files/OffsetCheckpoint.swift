package import DiskIO

/// One of Kafka's checkpoints in a store's directory with an offset for each log.
package struct OffsetCheckpoint: Sendable, Equatable {
  /// Which offset; the raw value is the file's name.
  package enum Name: String, Sendable, CaseIterable {
    /// Everything below was synced.
    case recoveryPoint = "recovery-point-offset-checkpoint"
    /// Log start offsets that are above their first segment's base.
    case logStart = "log-start-offset-checkpoint"
    /// High watermarks.
    case highWatermark = "replication-offset-checkpoint"
    /// First offset that the cleaner has not cleaned yet.
    case cleaner = "cleaner-offset-checkpoint"
  }

  /// The offset of each log; none is negative.
  package var offsets: [TopicPartition: Int64]

  /// Memberwise.
  package init(_ offsets: [TopicPartition: Int64] = [:]) {
    self.offsets = offsets
  }

  /// Reads a store's checkpoint; nil if there is none.
  package static func read(
    _ disk: any Disk, directory: String, _ name: Name
  ) throws(CheckpointError) -> OffsetCheckpoint? {
    let path = "\(directory)/\(name.rawValue)"
    guard let bytes = try SmallFile.read(disk, path) else { return nil }
    return try OffsetCheckpoint(bytes, path: path)
  }

  /// The content of a store's checkpoint, or the reason why it cannot be used; an opening for
  /// writing then replaces it.
  ///
  /// - Throws: If the file may not be opened: its content may be right, so it is not replaced.
  static func usable(
    _ disk: any Disk, directory: String, _ name: Name
  ) throws(DiskError) -> (offsets: [TopicPartition: Int64], fault: CheckpointError?) {
    do throws(CheckpointError) {
      return (try read(disk, directory: directory, name)?.offsets ?? [:], nil)
    } catch {
      guard case .disk(let refused) = error else { return ([:], error) }
      // Content that the disk cannot read is lost.
      guard refused.isUnreadableSector else { throw refused }
      let path = "\(directory)/\(name.rawValue)"
      return ([:], .unreadable(path: path, line: nil, what: "\(refused)"))
    }
  }

  /// Reads a file's content; `path` is for messages. The last line of a log counts, as in Kafka.
  package init(_ bytes: [UInt8], path: String) throws(CheckpointError) {
    let entries = try Checkpoint.decode(bytes, path: path, entry: Self.entry)
    self.init(Dictionary(entries, uniquingKeysWith: { $1 }))
  }

  /// Replaces a store's checkpoint, durably.
  package func write(_ disk: any Disk, directory: String, _ name: Name) throws(DiskError) {
    try SmallFile.writeAtomically(disk, directory: directory, name: name.rawValue, encoded)
  }

  /// The file's content; logs in the order of their names, so that equal checkpoints give equal
  /// files.
  package var encoded: [UInt8] {
    let ascending = offsets.sorted {
      ($0.key.topic, $0.key.partition) < ($1.key.topic, $1.key.partition)
    }
    return Checkpoint.encode(ascending.map { "\($0.key.topic) \($0.key.partition) \($0.value)" })
  }

  private static func entry(
    _ fields: [Substring]
  ) throws(Checkpoint.LineError) -> (TopicPartition, Int64) {
    guard fields.count == 3, let partition = Int32(fields[1]), let offset = Int64(fields[2]),
      offset >= 0
    else { throw Checkpoint.LineError("expected 'topic partition offset'") }
    do throws(TopicPartitionError) {
      return (try TopicPartition(topic: String(fields[0]), partition: partition), offset)
    } catch {
      throw Checkpoint.LineError("\(error)")
    }
  }
}
