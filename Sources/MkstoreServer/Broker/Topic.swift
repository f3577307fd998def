package import LogStore
package import MkstoreProtocol

/// A topic as clients see it: a name, an id, and the logs of its partitions.
package final class Topic: Sendable {
  /// The name.
  package let name: String
  /// The logs, by partition.
  package let logs: [Int32: Log]
  /// Partitions whose directory exists but could not be opened: clients must count them, or keys
  /// would go to other partitions than before.
  let offline: Set<Int32>
  /// Read when it is first needed, since ten thousand files take time.
  private let knownId: Locked<KafkaUuid?>

  package init(
    _ name: String, _ logs: [Log], offline: Set<Int32> = [], id: KafkaUuid? = nil
  ) {
    self.name = name
    self.offline = offline
    self.logs = Dictionary(
      uniqueKeysWithValues: logs.map { ($0.topicPartition.partition, $0) })
    knownId = Locked(id)
  }

  /// A log with the topic's settings: one whose own could be read, if there is one.
  var logWithSettings: Log? {
    logs.values.first { $0.settingsFault == nil || $0.overrides != TopicConfig() }
      ?? logs.values.first
  }

  /// The partitions that are served, rising.
  package var partitions: [Int32] { logs.keys.sorted() }

  /// Most partitions that a topic is described with if some have no directory: a directory's name
  /// must not cause an answer with billions.
  static let describedMax: Int32 = 10_000

  /// The partitions that exist, served or not, rising: 0 up to the highest that has a directory.
  /// Clients count them, and without one keys would go to other partitions than before.
  var allPartitions: [Int32] {
    let known = offline.union(logs.keys)
    guard let highest = known.max(), highest < Self.describedMax else { return known.sorted() }
    return Array(0...highest)
  }

  /// The text about partitions without a directory; nil if there are none.
  package var gaps: String? {
    let known = offline.union(logs.keys)
    guard let highest = known.max(), known.count <= Int(highest) else { return nil }
    guard highest < Self.describedMax else {
      return "partition \(highest) is beyond the \(Self.describedMax) that a topic may have; "
        + "clients see only the \(known.count) partitions that have a directory"
    }
    let missing = (0...highest).filter { !known.contains($0) }
    let named = missing.prefix(10).map { "\($0)" }.joined(separator: ", ")
    return "\(missing.count) partitions have no directory (\(named)"
      + (missing.count > 10 ? ", …" : "") + "); clients see them as partitions without a leader"
  }

  /// Kafka's id, if it was already read.
  var idIfKnown: KafkaUuid? { knownId.withLock { $0 } }

  /// Kafka's id, the same for the topic's life; zero if the disk cannot read it. May block.
  package func id(_ manager: Store) -> KafkaUuid {
    if let known = idIfKnown { return known }
    let found = read(manager)
    if let found { knownId.withLock { $0 = found } }
    return found ?? KafkaUuid()
  }

  private func read(_ manager: Store) -> KafkaUuid? {
    do throws(CheckpointError) {
      if let path = logs.values.first?.path,
        let metadata = try PartitionMetadata.read(manager.context.disk, directory: path)
      {
        return KafkaUuid(metadata.topicId)
      }
    } catch {
      // The manager checks the other partitions.
    }
    do throws(LogError) {
      return try manager.topicId(of: name).map { KafkaUuid($0) }
    } catch {
      return nil
    }
  }
}

extension KafkaUuid {
  /// The store's form of the same id.
  package init(_ uuid: Uuid) { self.init(high: uuid.high, low: uuid.low) }
}
