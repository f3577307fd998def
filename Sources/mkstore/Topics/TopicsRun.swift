import DiskIO
import LogStore

/// `mkstore topics STORE`: the topics of a directory that no process serves.
struct TopicsRun: TopicsPlace {
  private let store: StoreLocation
  private let isJSON: Bool

  /// - Throws: If `argument` is not a store.
  init(_ argument: String, _ isJSON: Bool) throws(CommandFailure) {
    store = StoreLocation(path: PathText.trimmed(argument))
    self.isJSON = isJSON
    try StoreGuess(PosixDisk(), store.path).requireStore()
  }

  // MARK: Looking

  func list() throws(CommandFailure) {
    var partitions: [String: Int] = [:]
    for log in try store.logs() { partitions[log.topic, default: 0] += 1 }
    try TopicsText(isJSON: isJSON).list(
      partitions.sorted { $0.key < $1.key }.map { ($0.key, $0.value) })
  }

  func describe(_ topic: String) throws(CommandFailure) {
    let logs = try store.logs().filter { $0.topic == topic }
    guard let first = logs.first else { throw missing(topic) }
    let policy: StoredPolicy
    do throws(CheckpointError) {
      policy = try StoredPolicy(of: first, store: store.path, PosixDisk())
    } catch {
      throw CommandFailure(error)
    }
    try TopicsText(isJSON: isJSON).describe(
      topic, partitions: logs.count, isConfirmed: policy.isConfirmed,
      policy.overrides.values.sorted { $0.key < $1.key }.map { ($0.key, $0.value) })
  }

  private func missing(_ topic: String) -> CommandFailure {
    .failure(
      "\(store.path) has no topic '\(topic)'; mkstore topics list \(store.path) names them")
  }

  // MARK: Changing

  func create(
    _ topic: String, _ partitions: Int32, _ settings: SettingArguments
  ) throws(CommandFailure) {
    try change("\(topic) is made") { (manager) throws(LogError) in
      let overrides = try TopicConfig(settings.values)
      if !manager.logs(ofTopic: topic).isEmpty {
        throw .alreadyExists(path: "\(manager.path)/\(topic)-0")
      }
      for partition in 0..<partitions {
        let name: TopicPartition
        do throws(TopicPartitionError) {
          name = try TopicPartition(topic: topic, partition: partition)
        } catch {
          throw .invalidName(name: topic, reason: "\(error)")
        }
        _ = try manager.createLogBlocking(name, overrides: overrides)
      }
      // Making a topic sets its retention policy, even if by default.
      try manager.alterTopicBlocking(topic, overrides)
    }
    TopicsText.sayMade(topic, partitions)
  }

  func alter(
    _ topic: String, _ settings: SettingArguments, unset: [String]
  ) throws(CommandFailure) {
    try settings.refuse(alsoIn: unset)
    if let unknown = unset.first(where: { TopicConfig.effect(of: $0) == nil }) {
      throw .usage("\(unknown): no setting of a topic has this name")
    }
    try change("the settings of \(topic) are changed and confirmed", of: topic) {
      (manager) throws(LogError) in
      var values = manager.logs(ofTopic: topic).first?.overrides.values ?? [:]
      for name in unset { values[name] = nil }
      values.merge(settings.values) { _, new in new }
      try manager.alterTopicBlocking(topic, try TopicConfig(values))
    }
    Messages.say("the settings of \(topic) are changed and confirmed")
  }

  func delete(_ topic: String) throws(CommandFailure) {
    try change("\(topic) is deleted", of: topic) { (manager) throws(LogError) in
      try manager.deleteTopicBlocking(topic)
    }
    Messages.say("deleted \(topic)")
  }

  /// Opens the store, changes it, and closes it.
  ///
  /// - Parameters:
  ///   - summary: What is done once `body` returns, a clause.
  ///   - topic: A topic that must exist; nil: none.
  private func change(
    _ summary: String, of topic: String? = nil, _ body: (Store) throws(LogError) -> Void
  ) throws(CommandFailure) {
    let path = store.path
    let manager = try withLogErrors { () throws(LogError) in
      try Store.openBlocking(path, logger: QuietLogger.make())
    }
    let done = try LogToChange.closing(manager) { () throws(CommandFailure) in
      if let topic, manager.logs(ofTopic: topic).isEmpty { throw missing(topic) }
      try withLogErrors { () throws(LogError) in try body(manager) }
    }
    try done.requireClosed(summary, store: path)
  }
}
