package import KafkaProtocol
internal import Logging
internal import LogStore

extension Broker {
  /// What the server speaks.
  package func apiVersions(_ request: ApiVersionsRequest, version: Int16) -> ApiVersionsResponse {
    // Kafka refuses clients that do not say what they are.
    if version >= 3,
      !Self.isSoftwareName(request.clientSoftwareName)
        || !Self.isSoftwareName(request.clientSoftwareVersion)
    {
      return .with { $0.errorCode = .invalidRequest }
    }
    return .offering()
  }

  /// Kafka's rule (KIP-511): letters, digits, dots and dashes, neither first nor last a sign.
  private static func isSoftwareName(_ text: String) -> Bool {
    let bytes = Array(text.utf8)
    func isAlphanumeric(_ byte: UInt8) -> Bool {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"):
        true
      default: false
      }
    }
    guard let first = bytes.first, let last = bytes.last, isAlphanumeric(first),
      isAlphanumeric(last)
    else { return false }
    return bytes.allSatisfy {
      isAlphanumeric($0) || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "-")
    }
  }

  /// This broker is the cluster.
  package func describeCluster(_ request: DescribeClusterRequest) -> DescribeClusterResponse {
    let endpoint = advertised
    return .with {
      $0.endpointType = request.endpointType
      if request.endpointType != 1 {
        $0.errorCode = .unsupportedEndpointType
        $0.errorMessage = "only brokers are described here"
        return
      }
      $0.clusterId = clusterId
      $0.controllerId = nodeId
      $0.brokers = [
        .with {
          $0.brokerId = nodeId
          $0.host = endpoint.host
          $0.port = Int32(endpoint.port)
        }
      ]
    }
  }

  /// This broker coordinates every group; nothing coordinates transactions.
  ///
  /// There are no groups yet. A client that is sent here sees in ApiVersions that JoinGroup is
  /// missing and tells its user at once. COORDINATOR_NOT_AVAILABLE would be asked again for ever:
  /// Kafka's admin client does so 20,000 times a second, its consumer waits 30 s to close. For
  /// transactions every client takes TRANSACTIONAL_ID_AUTHORIZATION_FAILED as final, and no other
  /// error.
  package func findCoordinator(_ request: FindCoordinatorRequest) -> FindCoordinatorResponse {
    typealias Coordinator = FindCoordinatorResponse.Coordinator
    let keys = request.coordinatorKeys.isEmpty ? [request.key] : request.coordinatorKeys
    let answers = keys.map { key in
      Coordinator.with {
        $0.key = key
        $0.nodeId = -1
        $0.port = -1
        switch request.keyType {
        case 0:
          $0.nodeId = nodeId
          $0.host = advertised.host
          $0.port = Int32(advertised.port)
        case 1:
          $0.errorCode = .transactionalIdAuthorizationFailed
          $0.errorMessage = "mkstore has no transactions"
        default:
          $0.errorCode = .invalidRequest
          $0.errorMessage = "unknown coordinator type \(request.keyType)"
        }
      }
    }
    return .with {
      $0.errorCode = answers[0].errorCode
      $0.errorMessage = answers[0].errorMessage
      $0.nodeId = answers[0].nodeId
      $0.host = answers[0].host
      $0.port = answers[0].port
      $0.coordinators = request.coordinatorKeys.isEmpty ? [] : answers
    }
  }

  /// No offset was ever committed, since commits are not offered.
  ///
  /// Consumers that assign partitions by hand but have a group's name ask, and then begin where
  /// their settings say. Not to offer this is worse: librdkafka 2.16.0 overflows its stack.
  package func offsetFetch(_ request: OffsetFetchRequest) -> OffsetFetchResponse {
    func none(_ topics: [OffsetFetchRequest.Topic]?) -> [OffsetFetchResponse.Topic] {
      (topics ?? []).map { topic in
        .with {
          $0.name = topic.name
          $0.partitions = topic.partitionIndexes.map { partition in
            .with {
              $0.partitionIndex = partition
              $0.committedOffset = -1
              $0.metadata = ""
            }
          }
        }
      }
    }
    return .with {
      $0.topics = none(request.topics)
      $0.groups = request.groups.map { group in
        .with {
          $0.groupId = group.groupId
          $0.topics = none(group.topics)
        }
      }
    }
  }

  /// A fresh producer id. Waits for the disk once in a thousand.
  package func initProducerId(_ request: InitProducerIdRequest) -> InitProducerIdResponse {
    // As in Kafka: both of a former id and its epoch, or neither; and no empty name.
    if request.transactionalId == ""
      || (request.producerId == -1) != (request.producerEpoch == -1)
    {
      return .with { $0.errorCode = .invalidRequest }
    }
    if request.transactionalId != nil {
      return .with { $0.errorCode = .transactionalIdAuthorizationFailed }
    }
    do throws(LogError) {
      let id = try producerIds.next()
      return .with { $0.producerId = id }
    } catch {
      logger.error("no producer id can be given out", metadata: ["error": "\(error)"])
      // Retriable: the disk may have room again.
      return .with { $0.errorCode = .coordinatorNotAvailable }
    }
  }
}
