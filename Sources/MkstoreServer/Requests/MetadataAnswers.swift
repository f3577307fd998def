internal import LogStore
internal import Logging
package import MkstoreProtocol

/// Describes brokers and topics.
package struct MetadataAnswers: RequestAnswers {
  package let broker: Broker

  package init(_ broker: Broker) { self.broker = broker }

  /// Most topics that one request creates by asking for them: each waits for the disk, and other
  /// requests wait for it.
  package static let creationsOnDemandMax = 100

  /// Whether the request names a topic that it would create.
  package func createsTopics(_ request: MetadataRequest) -> Bool {
    guard config.createsTopics, request.allowAutoTopicCreation, let asked = request.topics else {
      return false
    }
    return asked.contains { topic in
      topic.name.map { topics.named($0) == nil } ?? false
    }
  }

  /// Whether the answer is small and all of it is known.
  func isAtHand(_ request: MetadataRequest, version: Int16) -> Bool {
    if request.isForAllTopics(version: version) {
      return topics.count <= Broker.namesAtOnceMax && topics.all.allSatisfy { $0.idIfKnown != nil }
    }
    let asked = request.topics ?? []
    return asked.count <= Broker.namesAtOnceMax
      && asked.allSatisfy { topic in
        guard let name = topic.name, topic.topicId.isZero else { return false }
        return topics.named(name).map { $0.idIfKnown != nil } ?? !createsTopics(request)
      }
  }

  /// The only broker, and topics.
  package func metadata(_ request: MetadataRequest, version: Int16) -> MetadataResponse {
    let endpoint = broker.advertised
    return .with { response in
      response.clusterId = broker.clusterId
      response.controllerId = nodeId
      response.brokers = [
        .with {
          $0.nodeId = nodeId
          $0.host = endpoint.host
          $0.port = Int32(endpoint.port)
        }
      ]
      if request.isForAllTopics(version: version) {
        response.topics = topics.all.map(describe)
      } else {
        // As in Kafka, a topic is described once, however often it is requested.
        var seen: Set<AskedTopic> = []
        var creationsLeft =
          config.createsTopics && request.allowAutoTopicCreation ? Self.creationsOnDemandMax : nil
        response.topics = (request.topics ?? []).filter {
          seen.insert(AskedTopic($0.name, $0.topicId)).inserted
        }.map { describe($0, version, &creationsLeft) }
      }
      if request.includeClusterAuthorizedOperations {
        response.clusterAuthorizedOperations = AuthorizedOperations.cluster
      }
      if request.includeTopicAuthorizedOperations {
        for index in response.topics.indices where response.topics[index].errorCode == .none {
          response.topics[index].topicAuthorizedOperations = AuthorizedOperations.topic
        }
      }
      // Before v12 an answer has a name, even if only an unknown id was requested.
      if version < 12 {
        for index in response.topics.indices where response.topics[index].name == nil {
          response.topics[index].name = ""
        }
      }
    }
  }

  /// - Parameter creationsLeft: How many more topics may be created; nil: none are.
  private func describe(
    _ asked: MetadataRequest.Topic, _ version: Int16, _ creationsLeft: inout Int?
  ) -> MetadataResponse.Topic {
    // As in Kafka, an id has precedence over a name: its admin client sends the empty name with an
    // id.
    guard let name = asked.name, version < 12 || asked.topicId.isZero else {
      if let topic = topics.identified(asked.topicId) { return describe(topic) }
      return .with {
        $0.name = nil
        $0.topicId = asked.topicId
        $0.errorCode = .unknownTopicId
      }
    }
    if let topic = topics.named(name) { return describe(topic) }
    var error = ErrorCode.unknownTopicOrPartition
    do throws(TopicPartitionError) {
      try TopicPartition.check(topic: name)
      if let left = creationsLeft {
        creationsLeft = max(0, left - 1)
        // Clients ask again for a topic that is not ready.
        error = left > 0 ? createTopic(name) : .leaderNotAvailable
        if let topic = topics.named(name) { return describe(topic) }
      }
    } catch {
      return .with {
        $0.name = name
        $0.errorCode = .invalidTopicException
      }
    }
    return .with {
      $0.name = name
      $0.errorCode = error
    }
  }

  /// Creates a topic because a client asked for it.
  private func createTopic(_ name: String) -> ErrorCode {
    do throws(LogError) {
      try TopicAnswers(broker).create(name, partitions: config.defaultPartitions, TopicConfig())
      logger.info("topic created on demand", metadata: ["topic": "\(name)"])
      return .none
    } catch {
      rateLimitedLog.log(
        .warning, cause: "not created: \(error.refusalCause)", "topic was not created on demand",
        metadata: ["topic": "\(name)", "error": "\(error)"])
      return ErrorCode(error)
    }
  }

  private func describe(_ topic: Topic) -> MetadataResponse.Topic {
    .with {
      $0.name = topic.name
      $0.topicId = topic.id(manager)
      $0.partitions = topic.allPartitions.map { partition in
        .with {
          $0.partitionIndex = partition
          $0.replicaNodes = [nodeId]
          guard let log = topic.logs[partition] else {
            // As Kafka answers for a partition whose directory is offline.
            $0.errorCode = .leaderNotAvailable
            $0.leaderId = -1
            $0.offlineReplicas = [nodeId]
            return
          }
          $0.leaderId = nodeId
          $0.leaderEpoch = log.leaderEpoch
          $0.isrNodes = [nodeId]
        }
      }
    }
  }
}
