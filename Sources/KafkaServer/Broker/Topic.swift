package import KafkaProtocol
package import LogStore

/// A topic as clients see it: a name, an id, and the logs of its partitions. Immutable.
package struct Topic: Sendable {
  /// The name.
  package let name: String
  /// Kafka's id; the same for every partition, for the topic's life.
  package let id: KafkaUuid
  /// The logs, by partition.
  package let logs: [Int32: Log]

  /// The partitions that exist, rising.
  package var partitions: [Int32] { logs.keys.sorted() }
}
