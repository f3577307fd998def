internal import LogStore
internal import MkstoreProtocol

/// Deleting the oldest records of partitions.
struct DeleteRecordsAnswers: RequestAnswers {
  package let broker: Broker

  package init(_ broker: Broker) { self.broker = broker }

  /// Kafka's internal topics.
  private static let internalTopics: Set<String> = ["__consumer_offsets", "__transaction_state"]

  /// Deletes the oldest records of partitions; durable once answered. If the request names a
  /// partition more than once, its last mention counts, as in Kafka.
  package func deleteRecords(_ request: DeleteRecordsRequest) -> DeleteRecordsResponse {
    var names: [String] = []
    var offsets: [String: [Int32: Int64]] = [:]
    for topic in request.topics {
      if offsets[topic.name] == nil {
        names.append(topic.name)
        offsets[topic.name] = [:]
      }
      for asked in topic.partitions {
        offsets[topic.name, default: [:]][asked.partitionIndex] = asked.offset
      }
    }
    return .with { response in
      response.topics = names.map { name in
        .with { topic in
          topic.name = name
          topic.partitions = (offsets[name] ?? [:]).sorted { $0.key < $1.key }.map {
            deleteRecords(name, $0.key, before: $0.value)
          }
        }
      }
    }
  }

  private func deleteRecords(
    _ topic: String, _ partition: Int32, before offset: Int64
  ) -> DeleteRecordsResponse.Topic.Partition {
    .with { answer in
      answer.partitionIndex = partition
      answer.lowWatermark = -1
      guard let log = broker.log(topic, partition) else {
        answer.errorCode = broker.missing(topic, partition)
        return
      }
      do throws(LogError) {
        answer.errorCode = rejection(topic, log, offset)
        guard answer.errorCode == .none else { return }
        let isAll = offset == DeleteRecordsRequest.highWatermark
        try log.deleteRecordsBlocking(before: isAll ? log.highWatermark : offset)
        answer.lowWatermark = log.logStartOffset
      } catch {
        answer.errorCode = ErrorCode(error)
      }
      metrics.refused(answer.errorCode.rawValue)
    }
  }

  /// By Kafka's order of its checks.
  private func rejection(_ topic: String, _ log: Log, _ offset: Int64) -> ErrorCode {
    if Self.internalTopics.contains(topic) { return .invalidTopicException }
    if !log.config.cleanupPolicy.contains(.delete) { return .policyViolation }
    return offset < DeleteRecordsRequest.highWatermark ? .offsetOutOfRange : .none
  }
}
