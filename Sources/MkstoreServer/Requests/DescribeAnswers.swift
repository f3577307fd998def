internal import DiskIO
internal import LogStore
internal import Logging
internal import MkstoreProtocol

/// Describes settings and sizes.
struct DescribeAnswers: RequestAnswers {
  package let broker: Broker

  package init(_ broker: Broker) { self.broker = broker }

  private static let topicResource: Int8 = 2
  private static let brokerResource: Int8 = 4

  /// The settings of topics and of this broker.
  package func describeConfigs(_ request: DescribeConfigsRequest) -> DescribeConfigsResponse {
    // Described once, however often it is requested: the answer must not outgrow the store.
    var seen: [Int8: Set<String>] = [:]
    let resources = request.resources.filter {
      seen[$0.resourceType, default: []].insert($0.resourceName).inserted
    }
    return .with { response in
      response.results = resources.map { resource in
        .with { answer in
          answer.resourceType = resource.resourceType
          answer.resourceName = resource.resourceName
          let entries: [TopicSettings.Entry]
          switch resource.resourceType {
          case Self.topicResource:
            guard let topic = topics.named(resource.resourceName) else {
              answer.errorCode =
                isTopicName(resource.resourceName)
                ? .unknownTopicOrPartition : .invalidTopicException
              return
            }
            let log = topic.logWithSettings
            entries = TopicSettings.entries(
              log?.config ?? manager.config.log, log?.overrides ?? TopicConfig(),
              over: manager.config.log)
          case Self.brokerResource where ["", "\(nodeId)"].contains(resource.resourceName):
            entries = brokerEntries
          default:
            answer.errorCode = .invalidRequest
            answer.errorMessage = "only topics and broker \(nodeId) have settings"
            return
          }
          // No keys means all, as in Kafka, whether they are null or empty.
          let keys = Set(resource.configurationKeys ?? [])
          answer.configs = entries.filter { keys.isEmpty || keys.contains($0.name) }
            .map { describe($0, request) }
        }
      }
    }
  }

  private func isTopicName(_ name: String) -> Bool {
    do throws(TopicPartitionError) {
      try TopicPartition.check(topic: name)
      return true
    } catch {
      return false
    }
  }

  private func describe(
    _ entry: TopicSettings.Entry, _ request: DescribeConfigsRequest
  ) -> DescribeConfigsResponse.Result.Config {
    .with { config in
      config.name = entry.name
      config.value = entry.value
      config.configSource = entry.source.rawValue
      config.configType = entry.type
      config.readOnly = entry.isReadOnly
      config.documentation = request.includeDocumentation ? entry.note : nil
      guard request.includeSynonyms else { return }
      config.synonyms = entry.synonyms.map { synonym in
        .with {
          $0.name = synonym.name
          $0.value = synonym.value
          $0.source = synonym.source.rawValue
        }
      }
    }
  }

  private var brokerEntries: [TopicSettings.Entry] {
    let base = BrokerConfig()
    func entry(_ name: String, _ value: (BrokerConfig) -> String) -> TopicSettings.Entry {
      entry(name, value(config), standard: value(base))
    }
    func entry(_ name: String, _ value: String, standard: String) -> TopicSettings.Entry {
      let source: TopicSettings.Source = value == standard ? .standard : .broker
      var synonyms = [TopicSettings.Synonym(name: name, value: standard, source: .standard)]
      if source == .broker {
        synonyms.insert(TopicSettings.Synonym(name: name, value: value, source: source), at: 0)
      }
      let numberType: Int8 = name.hasSuffix(".ms") ? 5 : 3
      let type: Int8 = Bool(value) != nil ? 1 : Int64(value) == nil ? 2 : numberType
      return TopicSettings.Entry(
        name: name, value: value, source: source, type: type, isReadOnly: true,
        synonyms: synonyms)
    }
    let store = manager.config
    let own = [
      entry(
        "log.retention.check.interval.ms", "\(store.retentionCheckIntervalMs)",
        standard: "\(StoreConfig().retentionCheckIntervalMs)"),
      entry("auto.create.topics.enable") {
        "\($0.createsTopics)"
      },
      entry("connections.max.idle.ms") {
        "\($0.connectionIdleMaxMs)"
      },
      entry("default.replication.factor") { _ in "1" },
      entry("fetch.max.bytes") { "\($0.fetchBytesMax)" },
      entry("log.dirs") { _ in manager.path },
      entry("max.connections") { "\($0.connectionsMax)" },
      entry("node.id") { _ in "\(nodeId)" },
      entry("num.partitions") {
        "\($0.defaultPartitions)"
      },
      entry("socket.request.max.bytes") { "\($0.requestBytesMax)" },
    ]
    return (own + TopicSettings.brokerEntries(store.log)).sorted { $0.name < $1.name }
  }

  /// How much space the partitions take.
  package func describeLogDirs(_ request: DescribeLogDirsRequest) -> DescribeLogDirsResponse {
    .with { response in
      response.results = [
        .with { result in
          result.logDir = manager.path
          do throws(DiskError) {
            let space = try manager.context.disk.space(manager.path)
            result.totalBytes = space.totalBytes
            result.usableBytes = space.availableBytes
          } catch {
            result.errorCode = .kafkaStorageError
          }
          let asked = request.topics.map { topics in
            Dictionary(topics.map { ($0.topic, Set($0.partitions)) }) { $0.union($1) }
          }
          result.topics = topics.all.compactMap { topic in
            let partitions = topic.partitions.filter {
              asked == nil || asked?[topic.name]?.contains($0) == true
            }
            if partitions.isEmpty { return nil }
            return .with {
              $0.name = topic.name
              $0.partitions = partitions.map { partition in
                .with {
                  $0.partitionIndex = partition
                  $0.partitionSize = size(of: topic.logs[partition]!)
                }
              }
            }
          }
        }
      ]
    }
  }

  private func size(of log: Log) -> Int64 {
    do throws(LogError) {
      return try log.segmentInfo().reduce(0) { $0 + Int64($1.bytes) }
    } catch {
      rateLimitedLog.log(
        .warning, cause: "a log's size",
        "a log's size cannot be read",
        metadata: ["log": "\(log.topicPartition)", "error": "\(error)"])
      return -1
    }
  }
}
