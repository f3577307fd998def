internal import MkstoreProtocol

/// The topics of a running broker, this project's or Kafka's own, over Kafka's protocol.
///
/// Each call blocks its thread until the broker has answered, at most `timeoutSeconds` for each
/// request. A change is as durable as the broker makes it: `mkstore serve` answers once it is on
/// disk. Without TLS and SASL. Used by one thread.
///
/// ```swift
/// let admin = try TopicAdmin(Endpoint("127.0.0.1:9092")!)
/// try admin.create("orders", partitions: 4, settings: ["retention.ms": "86400000"])
/// ```
public final class TopicAdmin {
  /// A topic as the broker describes it.
  public struct Topic: Sendable, Equatable {
    /// Its name.
    public var name: String
    /// How many partitions it has.
    public var partitionCount: Int
  }

  /// A setting that the topic itself has.
  public struct Setting: Sendable, Equatable {
    /// Its name in Kafka.
    public var name: String
    /// Its value; nil if the broker hides it.
    public var value: String?
  }

  /// Kafka's number for a topic as a resource type.
  private static let topicResource: Int8 = 2
  /// Kafka's number for the topic as the source of a setting.
  private static let topicSource: Int8 = 1
  /// From this version of CreateTopics on the broker may choose the number of replicas.
  private static let defaultReplicasSince: Int16 = 4
  private static let setOperation: Int8 = 0
  private static let deleteOperation: Int8 = 1

  private let endpoint: Endpoint
  private let timeoutSeconds: Int64
  private var connection: BrokerConnection

  /// Connects to a broker.
  ///
  /// - Parameters:
  ///   - endpoint: Where it listens for clients.
  ///   - timeoutSeconds: How long the connection, and then each answer, may take.
  /// - Throws: If no listener, or no Kafka broker, is there.
  public init(_ endpoint: Endpoint, timeoutSeconds: Int64 = 30) throws(AdminError) {
    self.endpoint = endpoint
    self.timeoutSeconds = timeoutSeconds
    connection = try BrokerConnection(to: endpoint, timeoutSeconds: timeoutSeconds)
  }

  /// All topics, by name.
  public func topics() throws(AdminError) -> [Topic] {
    try metadata(nil).topics.filter { $0.errorCode == .none }.compactMap(Self.topic)
      .sorted { $0.name < $1.name }
  }

  /// A topic and its own settings, by name.
  ///
  /// - Parameter topic: Its name.
  /// - Throws: Also if the broker has no such topic.
  public func describe(_ topic: String) throws(AdminError) -> (topic: Topic, settings: [Setting]) {
    let found = try metadata(topic).topics.first
    if let error = AdminError(
      found?.errorCode ?? .unknownTopicOrPartition, nil, "describe \(topic)", endpoint)
    {
      throw error
    }
    let request = DescribeConfigsRequest.with {
      $0.resources = [
        .with {
          $0.resourceType = Self.topicResource
          $0.resourceName = topic
        }
      ]
    }
    guard case .describeConfigs(let answer) = try connection.ask(.describeConfigs(request)),
      let result = answer.results.first, let told = found.flatMap(Self.topic)
    else { throw unexpected }
    if let error = AdminError(result.errorCode, result.errorMessage, "describe \(topic)", endpoint)
    {
      throw error
    }
    let settings = result.configs.filter { $0.configSource == Self.topicSource }
      .map { Setting(name: $0.name, value: $0.isSensitive ? nil : $0.value) }
    return (told, settings.sorted { $0.name < $1.name })
  }

  /// Creates a topic with the broker's default number of replicas.
  ///
  /// - Parameters:
  ///   - topic: Its name.
  ///   - partitions: How many partitions it gets.
  ///   - settings: Its own settings, by Kafka's names.
  public func create(
    _ topic: String, partitions: Int32, settings: [String: String]
  ) throws(AdminError) {
    let choosesReplicas = try connection.version(of: .createTopics) >= Self.defaultReplicasSince
    let request = CreateTopicsRequest.with {
      $0.timeoutMs = Int32(clamping: timeoutSeconds * 1000)
      $0.topics = [
        .with {
          $0.name = topic
          $0.numPartitions = partitions
          $0.replicationFactor = choosesReplicas ? -1 : 1
          $0.configs = settings.sorted { $0.key < $1.key }.map { setting in
            .with {
              $0.name = setting.key
              $0.value = setting.value
            }
          }
        }
      ]
    }
    try change("create \(topic)") { (connection) throws(AdminError) in
      guard case .createTopics(let answer) = try connection.ask(.createTopics(request)),
        let result = answer.topics.first
      else { throw unexpected }
      return (result.errorCode, result.errorMessage)
    }
  }

  /// Changes settings of a topic; the others stay unchanged.
  ///
  /// - Parameters:
  ///   - topic: Its name.
  ///   - settings: Its own settings from now on, by Kafka's names.
  ///   - unset: Names of settings that return to the broker's value.
  public func alter(
    _ topic: String, set settings: [String: String], unset: [String]
  ) throws(AdminError) {
    let changes =
      settings.sorted { $0.key < $1.key }.map { ($0.key, Self.setOperation, $0.value as String?) }
      + unset.map { ($0, Self.deleteOperation, nil) }
    let request = IncrementalAlterConfigsRequest.with {
      $0.resources = [
        .with {
          $0.resourceType = Self.topicResource
          $0.resourceName = topic
          $0.configs = changes.map { name, operation, value in
            .with {
              $0.name = name
              $0.configOperation = operation
              $0.value = value
            }
          }
        }
      ]
    }
    try change("change \(topic)") { (connection) throws(AdminError) in
      let body = try connection.ask(.incrementalAlterConfigs(request))
      guard case .incrementalAlterConfigs(let answer) = body, let result = answer.responses.first
      else { throw unexpected }
      return (result.errorCode, result.errorMessage)
    }
  }

  /// Deletes a topic with all its records, permanently.
  ///
  /// - Parameter topic: Its name.
  public func delete(_ topic: String) throws(AdminError) {
    let request = DeleteTopicsRequest.with {
      $0.timeoutMs = Int32(clamping: timeoutSeconds * 1000)
      $0.topics = [.with { $0.name = topic }]
      $0.topicNames = [topic]
    }
    try change("delete \(topic)") { (connection) throws(AdminError) in
      guard case .deleteTopics(let answer) = try connection.ask(.deleteTopics(request)),
        let result = answer.responses.first
      else { throw unexpected }
      return (result.errorCode, result.errorMessage)
    }
  }

  // MARK: Asking

  private var unexpected: AdminError {
    AdminError("\(endpoint) answered nothing about what was asked")
  }

  private static func topic(_ topic: MetadataResponse.Topic) -> Topic? {
    topic.name.map { Topic(name: $0, partitionCount: topic.partitions.count) }
  }

  /// - Parameter topic: The only topic to describe; nil: all.
  private func metadata(_ topic: String?) throws(AdminError) -> MetadataResponse {
    let request = MetadataRequest.with {
      $0.topics = topic.map { name in [.with { $0.name = name }] }
      $0.allowAutoTopicCreation = false
    }
    guard case .metadata(let answer) = try connection.ask(.metadata(request)) else {
      throw unexpected
    }
    return answer
  }

  /// Requests a change; a cluster with ZooKeeper accepts some of them only at its controller.
  private func change(
    _ what: String,
    _ ask: (BrokerConnection) throws(AdminError) -> (code: ErrorCode, message: String?)
  ) throws(AdminError) {
    var result = try ask(connection)
    if result.code == .notController {
      connection = try controller()
      result = try ask(connection)
    }
    if let error = AdminError(result.code, result.message, what, endpoint) { throw error }
  }

  private func controller() throws(AdminError) -> BrokerConnection {
    let cluster = try metadata(nil)
    guard let broker = cluster.brokers.first(where: { $0.nodeId == cluster.controllerId }) else {
      throw AdminError("\(endpoint) does not name its cluster's controller; try again in a moment")
    }
    return try BrokerConnection(
      to: Endpoint(host: broker.host, port: Int(broker.port)), timeoutSeconds: timeoutSeconds)
  }
}
