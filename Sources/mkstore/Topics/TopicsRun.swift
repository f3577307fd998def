import DiskIO
import LogStore

/// `mkstore topics STORE`: the topics of a directory that nobody serves.
struct TopicsRun: TopicsPlace {
  private let store: StoreLocation
  private let isJSON: Bool

  /// - Throws: Where `argument` is no store.
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
    try change { (manager) throws(LogError) in
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
        _ = try manager.createLog(name, overrides: overrides)
      }
      // Whoever makes a topic decides on what is deleted of it, also where that is by default.
      try manager.alterTopic(topic, overrides)
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
    var isMissing = false
    try change { (manager) throws(LogError) in
      guard let log = manager.logs(ofTopic: topic).first else {
        isMissing = true
        return
      }
      var values = log.overrides.values
      for name in unset { values[name] = nil }
      values.merge(settings.values) { _, new in new }
      let overrides = try TopicConfig(values)
      try manager.alterTopic(topic, overrides)
    }
    if isMissing { throw missing(topic) }
    Messages.say("the settings of \(topic) are changed and confirmed")
  }

  func delete(_ topic: String) throws(CommandFailure) {
    var isMissing = false
    try change { (manager) throws(LogError) in
      guard !manager.logs(ofTopic: topic).isEmpty else {
        isMissing = true
        return
      }
      try manager.deleteTopic(topic)
    }
    if isMissing { throw missing(topic) }
    Messages.say("deleted \(topic)")
  }

  private func change(
    _ body: (LogManager) throws(LogError) -> Void
  ) throws(CommandFailure) {
    try withLogErrors { () throws(LogError) in
      let manager = try LogManager.open(store.path, logger: QuietLogger.make())
      do throws(LogError) {
        try body(manager)
      } catch {
        // The first error is the one to tell.
        do throws(LogError) { try manager.close() } catch {}
        throw error
      }
      try manager.close()
    }
  }
}
