internal import LogStore
internal import Logging
internal import MkstoreProtocol

/// Information about the broker, coordinators and producer ids.
struct ClusterAnswers: RequestAnswers {
  package let broker: Broker

  package init(_ broker: Broker) { self.broker = broker }

  /// The server's API versions.
  package func apiVersions(_ request: ApiVersionsRequest, version: Int16) -> ApiVersionsResponse {
    // Kafka refuses clients that do not identify themselves.
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
    let endpoint = broker.advertised
    return .with {
      $0.endpointType = request.endpointType
      if request.endpointType != DescribeClusterRequest.brokers {
        $0.errorCode = .unsupportedEndpointType
        $0.errorMessage = "only brokers are described here"
        return
      }
      $0.clusterId = broker.clusterId
      $0.controllerId = nodeId
      if request.includeClusterAuthorizedOperations {
        $0.clusterAuthorizedOperations = AuthorizedOperations.cluster
      }
      $0.brokers = [
        .with {
          $0.brokerId = nodeId
          $0.host = endpoint.host
          $0.port = Int32(endpoint.port)
        }
      ]
    }
  }

  /// There are no groups yet: clients ask again later. There are no transactions:
  /// TRANSACTIONAL_ID_AUTHORIZATION_FAILED is the only error that every client treats as final, so
  /// that `initTransactions` fails at once and does not wait for its limit.
  package func findCoordinator(_ request: FindCoordinatorRequest) -> FindCoordinatorResponse {
    let (code, message) =
      switch request.keyType {
      case FindCoordinatorRequest.group:
        (ErrorCode.coordinatorNotAvailable, "mkstore has no consumer groups yet")
      case FindCoordinatorRequest.transaction:
        (ErrorCode.transactionalIdAuthorizationFailed, "mkstore has no transactions")
      default: (ErrorCode.invalidRequest, "unknown coordinator type \(request.keyType)")
      }
    return .with {
      $0.errorCode = code
      $0.errorMessage = message
      $0.nodeId = -1
      $0.port = -1
      $0.coordinators = request.coordinatorKeys.map { key in
        .with {
          $0.key = key
          $0.nodeId = -1
          $0.port = -1
          $0.errorCode = code
          $0.errorMessage = message
        }
      }
    }
  }

  /// A new producer id. Waits for the disk once in a thousand calls.
  package func initProducerId(_ request: InitProducerIdRequest) -> InitProducerIdResponse {
    // As in Kafka: a previous id and its epoch are both given, or neither; and no empty name.
    if request.transactionalId == ""
      || (request.producerId == -1) != (request.producerEpoch == -1)
    {
      return refused(.invalidRequest)
    }
    if request.transactionalId != nil { return refused(.transactionalIdAuthorizationFailed) }
    do throws(LogError) {
      let id = try broker.producerIds.next()
      return .with { $0.producerId = id }
    } catch {
      rateLimitedLog.log(
        .error, cause: "producer ids", "no producer id can be given out",
        metadata: ["error": "\(error)"])
      // Retriable: the disk may have room again.
      return refused(.coordinatorNotAvailable)
    }
  }

  private func refused(_ code: ErrorCode) -> InitProducerIdResponse {
    .with {
      $0.errorCode = code
      // Without a producer id there is no epoch, as in Kafka.
      $0.producerEpoch = -1
    }
  }
}
