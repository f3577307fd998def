internal import CoreMetrics
internal import DiskIO
package import LogStore
package import Logging
package import MkstoreProtocol
package import Synchronization

/// One broker: a store, and the answer to each request.
///
/// Knows requests and logs, no sockets. Immediate answers run on the calling event loop; what may
/// wait for a disk is passed to `admin` or to the store's fetcher threads. Any thread.
package final class Broker: Sendable {
  package let config: BrokerConfig
  package let manager: Store
  package let topics: Topics
  package let producerIds: ProducerIds
  let metrics = BrokerMetrics()
  package let logger: Logger
  /// For lines that clients, or a lasting state of the disk, can cause again and again.
  package let rateLimitedLog: RateLimitedLog
  /// One thread on which topics change, in the order of the requests.
  package let admin = FetcherPool(cores: [nil])
  /// One thread for what appends need before they write: marks and new segments. Separate from the
  /// fetchers, so that a write that waits for the disk delays no read.
  let preparer = FetcherPool(cores: [nil])
  /// Opens failed logs again.
  let reopener: LogReopener
  /// The store's cluster id, from `meta.properties`.
  package let clusterId: String
  /// The store's node id, from `meta.properties`.
  package let nodeId: Int32
  /// Bytes of unfinished requests over all connections.
  package let bufferedBytes = Atomic<Int>(0)
  /// Connections there are.
  package let connectionCount = Atomic<Int>(0)
  /// Connections to the port for metrics and health.
  package let adminConnectionCount = Atomic<Int>(0)
  /// Whether clients are accepted: between `start` and `stop`. Stored by those, with release.
  let isServing = Atomic<Bool>(false)
  private let address: Locked<Endpoint>

  /// Starts with an opened store.
  package init(_ manager: Store, config: BrokerConfig, logger: Logger) throws(ServerError) {
    self.config = config
    self.manager = manager
    self.logger = logger
    rateLimitedLog = RateLimitedLog(logger, now: manager.config.monotonicNs)
    let topics = Topics(manager)
    self.topics = topics
    reopener = LogReopener(
      manager, pausesMs: config.reopenPausesMs, now: manager.config.monotonicNs, logger: logger
    ) { [admin] reopened in
      // Topics change on one thread.
      admin.submit { topics.refresh(reopened.topic) }
    }
    for topic in topics.all {
      guard let gaps = topic.gaps else { continue }
      logger.warning("topic '\(topic.name)': \(gaps)")
    }
    producerIds = ProducerIds(manager, logger: logger)
    do throws(LogError) {
      _ = try producerIds.mendFile()
    } catch {
      // Tried again when an id is requested.
      logger.warning("the file of producer ids was not replaced", metadata: ["error": "\(error)"])
    }
    address = Locked(config.advertised ?? config.listen)
    do throws(CheckpointError) {
      let identity = try MetaProperties.read(manager.context.disk, directory: manager.path)
      clusterId = identity?.clusterId ?? "mkstore"
      nodeId = identity?.nodeId ?? 0
    } catch {
      throw .unreadable(path: "\(manager.path)/\(MetaProperties.name)", reason: "\(error)")
    }
  }

  /// The address that clients are given to connect to.
  package var advertised: Endpoint { address.withLock { $0 } }

  /// Sets the actual listening address, for clients if no other one is configured.
  func didBind(_ endpoint: Endpoint) {
    if config.advertised == nil { address.withLock { $0 = endpoint } }
  }

  /// The log of a topic's partition, if there is one.
  package func log(_ topic: String, _ partition: Int32) -> Log? {
    topics.named(topic)?.logs[partition]
  }

  /// The error for a partition that has no log.
  package func missing(_ topic: String, _ partition: Int32) -> ErrorCode {
    topics.named(topic)?.offline.contains(partition) == true
      ? .kafkaStorageError : .unknownTopicOrPartition
  }

  /// Answers a request that needs neither records nor an event loop. May wait for a disk unless
  /// `isAnsweredAtOnce`.
  package func answer(_ request: Request) -> ResponseBody {
    let version = request.header.apiVersion
    let (cluster, topics, offsets) = (ClusterAnswers(self), TopicAnswers(self), OffsetAnswers(self))
    let (describe, alter) = (DescribeAnswers(self), AlterConfigsAnswers(self))
    return switch request.body {
    case .metadata(let body): .metadata(MetadataAnswers(self).metadata(body, version: version))
    case .listOffsets(let body): .listOffsets(offsets.listOffsets(body, version: version))
    case .findCoordinator(let body): .findCoordinator(cluster.findCoordinator(body))
    case .apiVersions(let body): .apiVersions(cluster.apiVersions(body, version: version))
    case .createTopics(let body): .createTopics(topics.createTopics(body))
    case .deleteTopics(let body): .deleteTopics(topics.deleteTopics(body, version: version))
    case .deleteRecords(let body): .deleteRecords(DeleteRecordsAnswers(self).deleteRecords(body))
    case .createPartitions(let body): .createPartitions(topics.createPartitions(body))
    case .initProducerId(let body): .initProducerId(cluster.initProducerId(body))
    case .offsetForLeaderEpoch(let body):
      .offsetForLeaderEpoch(offsets.offsetForLeaderEpoch(body))
    case .describeConfigs(let body): .describeConfigs(describe.describeConfigs(body))
    case .alterConfigs(let body): .alterConfigs(alter.alterConfigs(body))
    case .incrementalAlterConfigs(let body):
      .incrementalAlterConfigs(alter.incrementalAlterConfigs(body))
    case .describeLogDirs(let body): .describeLogDirs(describe.describeLogDirs(body))
    case .describeCluster(let body): .describeCluster(cluster.describeCluster(body))
    case .produce, .fetch:
      preconditionFailure("\(request.header.apiName) is answered by its connection")
    }
  }

  /// The threads that answer what may wait for a disk.
  package func threads(for api: ApiKey?) -> FetcherPool {
    switch api {
    case .listOffsets, .describeLogDirs: manager.fetchers
    default: admin
    }
  }

  /// Most topics or coordinators that an event loop describes for one request; other threads
  /// describe more.
  static let namesAtOnceMax = 32
  /// The same of topics and brokers with all their settings.
  static let resourcesAtOnceMax = 8

  /// Whether `answer` gives the answer without waiting for a disk.
  func isAnsweredAtOnce(_ request: Request) -> Bool {
    switch request.body {
    case .apiVersions, .describeCluster: true
    case .findCoordinator(let body): body.coordinatorKeys.count <= Self.namesAtOnceMax
    case .describeConfigs(let body): body.resources.count <= Self.resourcesAtOnceMax
    case .offsetForLeaderEpoch(let body):
      body.topics.reduce(0) { $0 + $1.partitions.count } <= OffsetAnswers.partitionsAtOnceMax
    case .metadata(let body):
      MetadataAnswers(self).isAtHand(body, version: request.header.apiVersion)
    case .listOffsets(let body): OffsetAnswers(self).isAtHand(body)
    default: false
    }
  }
}

extension Broker {
  /// Counts a new connection; false if there are too many.
  func didOpen() -> Bool {
    // Relaxed, here and below: only the number counts.
    let count = connectionCount.wrappingAdd(1, ordering: .relaxed).newValue
    metrics.connections.record(count)
    if count <= config.connectionsMax { return true }
    metrics.refusedConnections.increment()
    didClose()
    rateLimitedLog.log(
      .warning, cause: "too many connections",
      "connections are refused: there are \(config.connectionsMax) already")
    return false
  }

  /// Counts a closed connection.
  func didClose() {
    metrics.connections.record(connectionCount.wrappingSubtract(1, ordering: .relaxed).newValue)
  }
}
