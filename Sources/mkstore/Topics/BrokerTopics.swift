import LogStore
import MkstoreServer

/// `mkstore topics --broker`: the topics of a running broker.
struct BrokerTopics: TopicsPlace {
  private let admin: TopicAdmin
  private let isJSON: Bool

  /// - Parameter broker: `HOST:PORT`.
  /// - Throws: If `broker` is not an address, or no broker is there.
  init(_ broker: String, _ isJSON: Bool) throws(CommandFailure) {
    guard let endpoint = Endpoint(broker), endpoint.port > 0 else {
      throw .usage("--broker: '\(broker)' is not HOST:PORT, such as 127.0.0.1:9092")
    }
    admin = try Self.ask { () throws(AdminError) in try TopicAdmin(endpoint) }
    self.isJSON = isJSON
  }

  private static func ask<T>(_ body: () throws(AdminError) -> T) throws(CommandFailure) -> T {
    do throws(AdminError) {
      return try body()
    } catch {
      throw .failure("\(error)")
    }
  }

  func list() throws(CommandFailure) {
    let topics = try Self.ask { () throws(AdminError) in try admin.topics() }
    try TopicsText(isJSON: isJSON).list(topics.map { ($0.name, $0.partitionCount) })
  }

  func describe(_ topic: String) throws(CommandFailure) {
    let told = try Self.ask { () throws(AdminError) in try admin.describe(topic) }
    try TopicsText(isJSON: isJSON).describe(
      topic, partitions: told.topic.partitionCount, isConfirmed: nil,
      told.settings.map { ($0.name, $0.value ?? "(kept back)") })
  }

  func create(
    _ topic: String, _ partitions: Int32, _ settings: SettingArguments
  ) throws(CommandFailure) {
    try Self.ask { () throws(AdminError) in
      try admin.create(topic, partitions: partitions, settings: settings.values)
    }
    TopicsText.sayMade(topic, partitions)
  }

  func alter(
    _ topic: String, _ settings: SettingArguments, unset: [String]
  ) throws(CommandFailure) {
    guard !settings.values.isEmpty || !unset.isEmpty else {
      throw .usage(
        "--confirm works on a store's directory; over the wire, setting retention.ms, "
          + "retention.bytes or cleanup.policy confirms")
    }
    try settings.refuse(alsoIn: unset)
    try Self.ask { () throws(AdminError) in
      try admin.alter(topic, set: settings.values, unset: unset)
    }
    Messages.say("the settings of \(topic) are changed")
  }

  func delete(_ topic: String) throws(CommandFailure) {
    try Self.ask { () throws(AdminError) in try admin.delete(topic) }
    Messages.say("deleted \(topic)")
  }
}
