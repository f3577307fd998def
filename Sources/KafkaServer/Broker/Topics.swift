package import KafkaProtocol
package import LogStore

/// The topics of a store, by name and by id.
///
/// A table that is replaced as a whole; readers take it under a lock held for the copy of one
/// reference. Any thread.
package final class Topics: Sendable {
  private final class Table: Sendable {
    let byName: [String: Topic]

    init(_ byName: [String: Topic]) { self.byName = byName }
  }

  private let table: Locked<Table>
  private let manager: LogManager

  package init(_ manager: LogManager) {
    self.manager = manager
    let byName = Dictionary(grouping: manager.logs, by: \.topicPartition.topic)
    table = Locked(
      Table(
        Dictionary(uniqueKeysWithValues: byName.map { ($0.key, Topic($0.key, $0.value)) })))
  }

  /// Every topic, by name.
  package var all: [Topic] {
    table.withLock { $0 }.byName.values.sorted { $0.name < $1.name }
  }

  /// How many topics there are.
  package var count: Int { table.withLock { $0 }.byName.count }

  /// The topic of a name.
  package func named(_ name: String) -> Topic? { table.withLock { $0 }.byName[name] }

  /// The topic of an id. May block: ids are read from the disk.
  package func identified(_ id: KafkaUuid) -> Topic? {
    table.withLock { $0 }.byName.values.first { $0.id(manager) == id }
  }

  /// Takes up what the store holds of a topic now: new, grown or gone.
  package func refresh(_ name: String) {
    let logs = manager.logs(ofTopic: name)
    table.withLock { table in
      var byName = table.byName
      let isSame = logs.contains { log in byName[name]?.logs.values.contains { $0 === log } == true
      }
      byName[name] =
        logs.isEmpty ? nil : Topic(name, logs, id: isSame ? byName[name]?.idIfKnown : nil)
      table = Table(byName)
    }
  }
}
