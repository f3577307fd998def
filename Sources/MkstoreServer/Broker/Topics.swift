package import LogStore
package import MkstoreProtocol

/// The topics of a store, by name and by id.
///
/// A table that is replaced as a whole; readers take it under a lock that is held only to copy one
/// reference. Any thread.
package final class Topics: Sendable {
  private final class Table: Sendable {
    let byName: [String: Topic]

    init(_ byName: [String: Topic]) { self.byName = byName }
  }

  private let table: Locked<Table>
  private let manager: Store
  /// Partitions that could not be opened with the store.
  private let offline: [String: Set<Int32>]

  package init(_ manager: Store) {
    self.manager = manager
    let offline = Self.offline(manager.report)
    self.offline = offline
    let logs = Dictionary(grouping: manager.logs, by: \.topicPartition.topic)
    let topics = Set(logs.keys).union(offline.keys).map { name in
      (name, Topic(name, logs[name] ?? [], offline: offline[name] ?? []))
    }
    table = Locked(Table(Dictionary(uniqueKeysWithValues: topics)))
  }

  private static func offline(_ report: StoreReport) -> [String: Set<Int32>] {
    var found: [String: Set<Int32>] = [:]
    for (path, _) in report.failed {
      guard case .log(let id) = LogDirectoryName(PathText.lastComponent(path)) else { continue }
      found[id.topic, default: []].insert(id.partition)
    }
    return found
  }

  /// How many partitions could not be opened.
  var offlineCount: Int { offline.values.reduce(0) { $0 + $1.count } }

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
    // A topic whose id cannot be read has zero.
    if id.isZero { return nil }
    return table.withLock { $0 }.byName.values.first { $0.id(manager) == id }
  }

  /// Updates a topic from the store: new, grown or deleted.
  package func refresh(_ name: String) {
    let logs = manager.logs(ofTopic: name)
    table.withLock { table in
      var byName = table.byName
      let isSame = logs.contains { log in byName[name]?.logs.values.contains { $0 === log } == true
      }
      let offline = offline[name] ?? []
      let id = isSame ? byName[name]?.idIfKnown : nil
      byName[name] =
        logs.isEmpty && offline.isEmpty ? nil : Topic(name, logs, offline: offline, id: id)
      table = Table(byName)
    }
  }
}
