package import LogStore
internal import Logging
package import MkstoreProtocol

/// Making, growing and deleting topics.
package struct TopicAnswers: RequestAnswers {
  package let broker: Broker

  package init(_ broker: Broker) { self.broker = broker }

  /// Creates a topic with all its partitions; durable when this returns.
  package func create(
    _ name: String, partitions: Int32, _ overrides: TopicConfig
  ) throws(LogError) {
    defer { topics.refresh(name) }
    try add(name, 0..<partitions, overrides)
  }

  /// Creates logs of a topic: all of them or, if one fails, none.
  private func add(
    _ name: String, _ partitions: Range<Int32>, _ overrides: TopicConfig
  ) throws(LogError) {
    var made: [TopicPartition] = []
    do throws(LogError) {
      for partition in partitions {
        let id = try named(name, partition)
        _ = try manager.createLogBlocking(id, overrides: overrides)
        made.append(id)
      }
    } catch {
      for id in made.reversed() { takeBack(id) }
      throw error
    }
  }

  private func named(_ topic: String, _ partition: Int32) throws(LogError) -> TopicPartition {
    do throws(TopicPartitionError) {
      return try TopicPartition(topic: topic, partition: partition)
    } catch {
      throw .invalidName(name: topic, reason: "\(error)")
    }
  }

  private func takeBack(_ id: TopicPartition) {
    do throws(LogError) {
      try manager.deleteLogBlocking(id)
    } catch {
      rateLimitedLog.log(
        .warning, cause: "left of a topic",
        "a partition of a topic that could not be made is still there",
        metadata: ["log": "\(id)", "error": "\(error)"])
    }
  }

  /// Creates topics, or only validates the request.
  package func createTopics(_ request: CreateTopicsRequest) -> CreateTopicsResponse {
    var counts: [String: Int] = [:]
    for topic in request.topics { counts[topic.name, default: 0] += 1 }
    var partitionsLeft = Int(config.topicPartitionsMax)
    return .with { response in
      response.topics = request.topics.map { asked in
        .with { answer in
          answer.name = asked.name
          var overrides = TopicConfig()
          var refusal: (ErrorCode, String)?
          if counts[asked.name, default: 0] > 1 {
            refusal = (.invalidRequest, "the request names the topic twice")
          } else {
            refusal = refuse(asked, &overrides)
          }
          if refusal == nil {
            partitionsLeft -= Int(partitionCount(asked))
            if partitionsLeft < 0 {
              refusal = (
                .policyViolation,
                "one request may create at most \(config.topicPartitionsMax) partitions"
              )
            }
          }
          if refusal == nil, !request.validateOnly { refusal = carryOut(asked, overrides) }
          if let (code, message) = refusal {
            answer.errorCode = code
            answer.errorMessage = message
            return
          }
          answer.topicId = topics.named(asked.name)?.id(manager) ?? KafkaUuid()
          answer.numPartitions = partitionCount(asked)
          answer.replicationFactor = 1
          answer.configs = TopicSettings.entries(
            overrides.applied(to: manager.config.log), overrides, over: manager.config.log
          ).map { entry in
            .with {
              $0.name = entry.name
              $0.value = entry.value
              $0.configSource = entry.source.rawValue
            }
          }
        }
      }
    }
  }

  private func partitionCount(_ asked: CreateTopicsRequest.Topic) -> Int32 {
    if !asked.assignments.isEmpty { return Int32(clamping: asked.assignments.count) }
    return asked.numPartitions == -1 ? config.defaultPartitions : asked.numPartitions
  }

  /// Why a topic cannot be created, in the order of Kafka's checks.
  private func refuse(
    _ asked: CreateTopicsRequest.Topic, _ overrides: inout TopicConfig
  ) -> (ErrorCode, String)? {
    if let refusal = refuse(name: asked.name) { return refusal }
    if let refusal = refuse(partitionsOf: asked) { return refusal }
    var values: [String: String] = [:]
    for entry in asked.configs {
      guard let value = entry.value else {
        return (.invalidConfig, "\(entry.name): a value is missing")
      }
      values[entry.name] = value
    }
    do throws(LogError) {
      overrides = try TopicConfig(values)
      try overrides.checkImplemented(over: manager.config.log)
    } catch {
      return (.invalidConfig, "\(error)")
    }
    return nil
  }

  private func refuse(name: String) -> (ErrorCode, String)? {
    let first: TopicPartition
    do throws(TopicPartitionError) {
      first = try TopicPartition(topic: name, partition: 0)
    } catch {
      return (.invalidTopicException, "\(error)")
    }
    if topics.named(name) != nil {
      return (.topicAlreadyExists, "topic '\(name)' already exists")
    }
    guard let other = topics.all.first(where: { first.collides(withTopic: $0.name) }) else {
      return nil
    }
    return (.invalidTopicException, "topic '\(name)' collides with existing topic '\(other.name)'")
  }

  private func refuse(partitionsOf asked: CreateTopicsRequest.Topic) -> (ErrorCode, String)? {
    if asked.assignments.isEmpty {
      let count = partitionCount(asked)
      guard (1...config.topicPartitionsMax).contains(count) else {
        return (
          .invalidPartitions, "\(count) partitions, expected 1 to \(config.topicPartitionsMax)"
        )
      }
      guard asked.replicationFactor == -1 || asked.replicationFactor == 1 else {
        return (
          .invalidReplicationFactor,
          "replication factor \(asked.replicationFactor), but there is 1 broker"
        )
      }
    } else if asked.numPartitions != -1 || asked.replicationFactor != -1 {
      return (
        .invalidRequest,
        "with assignments the numbers of partitions and of replicas must be -1, not "
          + "\(asked.numPartitions) and \(asked.replicationFactor)"
      )
    } else if let reason = refuse(asked.assignments) {
      return (.invalidReplicaAssignment, reason)
    }
    return nil
  }

  private func refuse(_ assignments: [CreateTopicsRequest.Topic.Assignment]) -> String? {
    let indexes = assignments.map(\.partitionIndex).sorted()
    guard indexes == Array(0..<Int32(clamping: assignments.count)) else {
      return "the partitions are not numbered from 0 without a gap"
    }
    guard assignments.count <= Int(config.topicPartitionsMax) else {
      return "\(assignments.count) partitions, at most \(config.topicPartitionsMax)"
    }
    return assignments.allSatisfy { $0.brokerIds == [nodeId] }
      ? nil : "every partition must be on broker \(nodeId) alone"
  }

  private func carryOut(
    _ asked: CreateTopicsRequest.Topic, _ overrides: TopicConfig
  ) -> (ErrorCode, String)? {
    do throws(LogError) {
      try create(asked.name, partitions: partitionCount(asked), overrides)
      logger.info(
        "topic created",
        metadata: ["topic": "\(asked.name)", "partitions": "\(partitionCount(asked))"])
      return nil
    } catch {
      return (ErrorCode(error), "\(error)")
    }
  }

  /// Deletes topics, by name or by id.
  package func deleteTopics(
    _ request: DeleteTopicsRequest, version: Int16
  ) -> DeleteTopicsResponse {
    let asked =
      version >= 6
      ? request.topics
      : request.topicNames.map { name in .with { $0.name = name } }
    var counts: [AskedTopic: Int] = [:]
    for topic in asked { counts[AskedTopic(topic.name, topic.topicId), default: 0] += 1 }
    return .with { response in
      response.responses = asked.map { topic in
        let count = counts[AskedTopic(topic.name, topic.topicId), default: 0]
        guard let reason = refuse(topic, isTwice: count > 1) else { return delete(topic) }
        return .with {
          $0.name = topic.name
          $0.topicId = topic.topicId
          $0.errorCode = .invalidRequest
          $0.errorMessage = reason
        }
      }
    }
  }

  private func refuse(_ asked: DeleteTopicsRequest.Topic, isTwice: Bool) -> String? {
    if isTwice { return "the request names the topic twice" }
    if asked.name != nil, !asked.topicId.isZero { return "a name and an id, expected one of them" }
    if asked.name == nil, asked.topicId.isZero { return "neither a name nor an id" }
    return nil
  }

  private func delete(_ asked: DeleteTopicsRequest.Topic) -> DeleteTopicsResponse.Topic {
    .with { answer in
      answer.name = asked.name
      answer.topicId = asked.topicId
      let topic = asked.name.map { topics.named($0) } ?? topics.identified(asked.topicId)
      guard let topic else {
        answer.errorCode = asked.name == nil ? .unknownTopicId : .unknownTopicOrPartition
        return
      }
      answer.name = topic.name
      answer.topicId = topic.id(manager)
      if let partition = topic.offline.min() {
        answer.errorCode = .kafkaStorageError
        answer.errorMessage =
          "partition \(partition) could not be opened; repair it and restart the server first"
        return
      }
      defer { topics.refresh(topic.name) }
      do throws(LogError) {
        try manager.deleteTopicBlocking(topic.name)
        logger.info("topic deleted", metadata: ["topic": "\(topic.name)"])
      } catch {
        answer.errorCode = ErrorCode(error)
        answer.errorMessage = "\(error)"
      }
    }
  }

  /// Adds partitions to topics.
  package func createPartitions(_ request: CreatePartitionsRequest) -> CreatePartitionsResponse {
    var counts: [String: Int] = [:]
    for topic in request.topics { counts[topic.name, default: 0] += 1 }
    return .with { response in
      response.results = request.topics.map { asked in
        .with { answer in
          answer.name = asked.name
          let refusal: (ErrorCode, String)? =
            counts[asked.name, default: 0] > 1
            ? (.invalidRequest, "the request names the topic twice")
            : grow(asked, validateOnly: request.validateOnly)
          guard let (code, message) = refusal else { return }
          answer.errorCode = code
          answer.errorMessage = message
        }
      }
    }
  }

  private func grow(
    _ asked: CreatePartitionsRequest.Topic, validateOnly: Bool
  ) -> (ErrorCode, String)? {
    guard let topic = topics.named(asked.name) else {
      return (.unknownTopicOrPartition, "there is no topic '\(asked.name)'")
    }
    // The last partition that a name can have has no next one.
    let count = topic.allPartitions.last.map { $0 < Int32.max ? $0 + 1 : $0 } ?? 0
    guard asked.count > count, asked.count <= config.topicPartitionsMax else {
      return (
        .invalidPartitions,
        "the topic has \(count) partitions, \(asked.count) were asked for; the most is "
          + "\(config.topicPartitionsMax)"
      )
    }
    if let assignments = asked.assignments {
      guard assignments.count == Int(asked.count - count),
        assignments.allSatisfy({ $0.brokerIds == [nodeId] })
      else {
        return (
          .invalidReplicaAssignment,
          "every one of the \(asked.count - count) new partitions must be on broker \(nodeId) alone"
        )
      }
    }
    if validateOnly { return nil }
    defer { topics.refresh(asked.name) }
    do throws(LogError) {
      try add(
        asked.name, count..<asked.count, topic.logWithSettings?.overrides ?? TopicConfig())
      return nil
    } catch {
      return (ErrorCode(error), "\(error)")
    }
  }
}
