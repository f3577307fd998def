internal import LogStore
internal import MkstoreProtocol

/// Finding offsets by time and by epoch.
struct OffsetAnswers: RequestAnswers {
  package let broker: Broker

  package init(_ broker: Broker) { self.broker = broker }

  /// Most partitions that an event loop looks up for one request; other threads do more.
  static let partitionsAtOnceMax = 1024

  private typealias Asked = ListOffsetsRequest.Topic.Partition

  /// A partition in a request.
  private struct Place: Hashable {
    var topic: String
    var partition: Int32
  }

  /// The error of a request that names a leader epoch other than ours; -1 is not checked.
  func checkEpoch(_ asked: Int32, _ log: Log) -> ErrorCode {
    if asked < 0 || asked == log.leaderEpoch { return .none }
    return asked > log.leaderEpoch ? .unknownLeaderEpoch : .fencedLeaderEpoch
  }

  /// Whether the answer is available without the disk.
  func isAtHand(_ request: ListOffsetsRequest) -> Bool {
    request.topics.reduce(0) { $0 + $1.partitions.count } <= Self.partitionsAtOnceMax
      && request.topics.allSatisfy { topic in
        topic.partitions.allSatisfy { asked in
          guard [Asked.latestTimestamp, Asked.earliestTimestamp].contains(asked.timestamp) else {
            return false
          }
          return !request.isReadCommitted
            || broker.log(topic.name, asked.partitionIndex)?.isProducerStateLoaded ?? true
        }
      }
  }

  /// Offsets by time, and the ends of logs.
  package func listOffsets(_ request: ListOffsetsRequest, version: Int16) -> ListOffsetsResponse {
    var counts: [Place: Int] = [:]
    for topic in request.topics {
      for partition in topic.partitions {
        counts[Place(topic: topic.name, partition: partition.partitionIndex), default: 0] += 1
      }
    }
    return .with { response in
      response.topics = request.topics.map { asked in
        .with { topic in
          topic.name = asked.name
          topic.partitions = asked.partitions.map { partition in
            let place = Place(topic: asked.name, partition: partition.partitionIndex)
            // As in Kafka: if requested twice, the partition is answered with an error each time.
            guard counts[place] == 1 else {
              return .with {
                $0.partitionIndex = partition.partitionIndex
                $0.errorCode = .invalidRequest
              }
            }
            return listOffset(asked.name, partition, request, version: version)
          }
        }
      }
    }
  }

  private func listOffset(
    _ topic: String, _ asked: Asked, _ request: ListOffsetsRequest, version: Int16
  ) -> ListOffsetsResponse.Topic.Partition {
    .with { answer in
      answer.partitionIndex = asked.partitionIndex
      guard let log = broker.log(topic, asked.partitionIndex) else {
        answer.errorCode = broker.missing(topic, asked.partitionIndex)
        return
      }
      answer.errorCode = checkEpoch(asked.currentLeaderEpoch, log)
      guard answer.errorCode == .none else { return }
      do throws(LogError) {
        let end = request.isReadCommitted ? try log.lastStableOffset : log.highWatermark
        switch asked.timestamp {
        case Asked.latestTimestamp: answer.offset = end
        case Asked.earliestTimestamp: answer.offset = log.logStartOffset
        case Asked.maxTimestamp where version >= 7:
          fill(&answer, try log.offsetOfLargestTimestamp(), below: end)
        // -4 earliest local and -5 last tiered belong to versions that are not offered.
        case ..<0: answer.errorCode = .unsupportedVersion
        default: fill(&answer, try log.offset(forTimestamp: asked.timestamp), below: end)
        }
      } catch {
        answer.errorCode = ErrorCode(error)
      }
      if answer.errorCode == .none, answer.offset >= 0 { answer.leaderEpoch = log.leaderEpoch }
      metrics.refused(answer.errorCode.rawValue)
    }
  }

  private func fill(
    _ answer: inout ListOffsetsResponse.Topic.Partition, _ found: OffsetForTime?, below end: Int64
  ) {
    guard let found, found.offset < end else { return }
    answer.offset = found.offset
    answer.timestamp = found.timestamp
  }

  /// Where leader epochs end.
  package func offsetForLeaderEpoch(
    _ request: OffsetForLeaderEpochRequest
  ) -> OffsetForLeaderEpochResponse {
    .with { response in
      response.topics = request.topics.map { asked in
        .with { topic in
          topic.topic = asked.topic
          topic.partitions = asked.partitions.map { partition in
            .with { answer in
              answer.partition = partition.partition
              guard let log = broker.log(asked.topic, partition.partition) else {
                answer.errorCode = broker.missing(asked.topic, partition.partition)
                return
              }
              answer.errorCode = checkEpoch(partition.currentLeaderEpoch, log)
              guard answer.errorCode == .none else { return }
              if let end = log.endOffset(forLeaderEpoch: partition.leaderEpoch) {
                answer.leaderEpoch = end.leaderEpoch
                answer.endOffset = end.endOffset
              }
            }
          }
        }
      }
    }
  }
}
