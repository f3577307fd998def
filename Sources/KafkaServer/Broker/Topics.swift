package import KafkaProtocol
package import LogStore
internal import Synchronization

/// The topics of a store, by name and by id.
///
/// A table that is replaced as a whole; readers take it under a lock held for the copy of one
/// reference. Any thread.
package final class Topics: Sendable {
  private final class Table: Sendable {
    let byName: [String: Topic]
    let namesById: [KafkaUuid: String]

    init(_ byName: [String: Topic]) {
      self.byName = byName
      namesById = Dictionary(
        byName.values.map { ($0.id, $0.name) }, uniquingKeysWith: { first, _ in first })
    }
  }

  private let table: Locked<Table>
  private let manager: LogManager

  package init(_ manager: LogManager) {
    self.manager = manager
    table = Locked(Table(Self.read(manager)))
  }

  private static func read(_ manager: LogManager) -> [String: Topic] {
    Dictionary(grouping: manager.logs, by: \.topicPartition.topic).mapValues { logs in
      topic(logs[0].topicPartition.topic, logs)
    }
  }

  private static func topic(_ name: String, _ logs: [Log]) -> Topic {
    Topic(
      name: name, id: logs.lazy.compactMap(\.topicId).first ?? KafkaUuid(),
      logs: Dictionary(uniqueKeysWithValues: logs.map { ($0.topicPartition.partition, $0) }))
  }

  /// Every topic, by name.
  package var all: [Topic] {
    table.withLock { $0 }.byName.values.sorted { $0.name < $1.name }
  }

  /// The topic of a name.
  package func named(_ name: String) -> Topic? { table.withLock { $0 }.byName[name] }

  /// The topic of an id.
  package func identified(_ id: KafkaUuid) -> Topic? {
    let table = table.withLock { $0 }
    return table.namesById[id].flatMap { table.byName[$0] }
  }

  /// Takes up what the store holds of a topic now: new, grown or gone.
  package func refresh(_ name: String) {
    let logs = manager.logs.filter { $0.topicPartition.topic == name }
    table.withLock { table in
      var byName = table.byName
      byName[name] = logs.isEmpty ? nil : Self.topic(name, logs)
      table = Table(byName)
    }
  }
}

extension Log {
  /// The id of the log's topic, as its directory states it.
  fileprivate var topicId: KafkaUuid? {
    do throws(CheckpointError) {
      let metadata = try PartitionMetadata.read(context.disk, directory: path)
      return metadata.map { KafkaUuid(high: $0.topicId.high, low: $0.topicId.low) }
    } catch {
      // The log works without; clients then see a topic without an id.
      return nil
    }
  }
}
