/// The table of `KafkaOnlySetting`: Kafka 3.9's documented broker settings that have neither a
/// meaning here nor a topic's setting (`TopicSetting`).
enum KafkaOnlyNames {
  static let rules: [KafkaOnlySetting] = identity + cluster + machine + clients + promises

  /// Names separated by spaces and lines.
  private static func ignored(_ reason: String, _ names: String) -> [KafkaOnlySetting] {
    names.split { $0.isWhitespace }.map {
      KafkaOnlySetting(name: String($0), reason: reason, accepted: .all)
    }
  }

  private static func refused(
    _ reason: String, but accepted: [String], _ names: String
  ) -> [KafkaOnlySetting] {
    names.split { $0.isWhitespace }.map {
      KafkaOnlySetting(name: String($0), reason: reason, accepted: .these(accepted))
    }
  }

  // MARK: What is passed over

  private static let identity =
    ignored(
      "the directory's meta.properties says the id",
      "broker.id broker.id.generation.enable node.id reserved.broker.max.id")
    + [
      KafkaOnlySetting(
        name: "process.roles", reason: "there is one server, and no controller quorum",
        accepted: .roles)
    ]

  private static let cluster =
    ignored(
      "there is one server, and no controller quorum",
      """
      broker.heartbeat.interval.ms broker.rack broker.session.timeout.ms
      controlled.shutdown.enable controlled.shutdown.max.retries
      controlled.shutdown.retry.backoff.ms controller.listener.names
      controller.quorum.append.linger.ms controller.quorum.bootstrap.servers
      controller.quorum.election.backoff.max.ms controller.quorum.election.timeout.ms
      controller.quorum.fetch.timeout.ms controller.quorum.request.timeout.ms
      controller.quorum.retry.backoff.ms controller.quorum.voters
      controller.quota.window.num controller.quota.window.size.seconds
      controller.socket.timeout.ms control.plane.listener.name early.start.listeners
      eligible.leader.replicas.enable initial.broker.registration.timeout.ms
      inter.broker.listener.name inter.broker.protocol.version metadata.log.dir
      metadata.log.max.record.bytes.between.snapshots metadata.log.max.snapshot.interval.ms
      metadata.log.segment.bytes metadata.log.segment.min.bytes metadata.log.segment.ms
      metadata.max.idle.interval.ms metadata.max.retention.bytes metadata.max.retention.ms
      server.max.startup.time.ms unstable.api.versions.enable unstable.feature.versions.enable
      """)
    + ignored(
      "there is no ZooKeeper",
      """
      password.encoder.cipher.algorithm password.encoder.iterations password.encoder.key.length
      password.encoder.keyfactory.algorithm password.encoder.old.secret password.encoder.secret
      zookeeper.clientCnxnSocket zookeeper.connect zookeeper.connection.timeout.ms
      zookeeper.max.in.flight.requests zookeeper.metadata.migration.enable
      zookeeper.metadata.migration.min.batch.size zookeeper.session.timeout.ms zookeeper.set.acl
      zookeeper.ssl.cipher.suites zookeeper.ssl.client.enable zookeeper.ssl.crl.enable
      zookeeper.ssl.enabled.protocols zookeeper.ssl.endpoint.identification.algorithm
      zookeeper.ssl.keystore.location zookeeper.ssl.keystore.password
      zookeeper.ssl.keystore.type zookeeper.ssl.ocsp.enable zookeeper.ssl.protocol
      zookeeper.ssl.truststore.location zookeeper.ssl.truststore.password
      zookeeper.ssl.truststore.type
      """)
    + ignored(
      "there is one replica",
      """
      alter.log.dirs.replication.quota.window.num
      alter.log.dirs.replication.quota.window.size.seconds auto.leader.rebalance.enable
      leader.imbalance.check.interval.seconds leader.imbalance.per.broker.percentage
      num.replica.alter.log.dirs.threads num.replica.fetchers replica.fetch.backoff.ms
      replica.fetch.max.bytes replica.fetch.min.bytes replica.fetch.response.max.bytes
      replica.fetch.wait.max.ms replica.high.watermark.checkpoint.interval.ms
      replica.lag.time.max.ms replica.selector.class replica.socket.receive.buffer.bytes
      replica.socket.timeout.ms replication.quota.window.num
      replication.quota.window.size.seconds
      """)

  private static let machine =
    ignored(
      "threads are set by cores, fetcher.threads and flusher.threads",
      """
      background.threads num.io.threads num.network.threads num.recovery.threads.per.data.dir
      """)
    + ignored(
      "the system sizes the buffers of connections",
      """
      socket.connection.setup.timeout.max.ms socket.connection.setup.timeout.ms
      socket.listen.backlog.size socket.receive.buffer.bytes socket.send.buffer.bytes
      """)
    + ignored(
      "waiting requests are bounded by queued.max.request.bytes, and wait for nothing else",
      """
      delete.records.purgatory.purge.interval.requests fetch.purgatory.purge.interval.requests
      producer.purgatory.purge.interval.requests queued.max.requests request.timeout.ms
      """)
    + ignored(
      "logs are not compacted",
      """
      log.cleaner.backoff.ms log.cleaner.dedupe.buffer.size log.cleaner.enable
      log.cleaner.io.buffer.load.factor log.cleaner.io.buffer.size
      log.cleaner.io.max.bytes.per.second log.cleaner.threads
      """)
    + ignored(
      "the store's durability and checkpoints decide when something is written",
      """
      log.dir.failure.timeout.ms log.flush.scheduler.interval.ms
      log.flush.start.offset.checkpoint.interval.ms log.initial.task.delay.ms
      producer.id.expiration.check.interval.ms
      """)
    + ignored(
      "metrics are served at admin.listen",
      """
      auto.include.jmx.reporter kafka.metrics.polling.interval.secs kafka.metrics.reporters
      metric.reporters metrics.num.samples metrics.recording.level metrics.sample.window.ms
      telemetry.max.bytes
      """)
    + ignored(
      "segments are kept on this disk",
      """
      remote.fetch.max.wait.ms remote.log.index.file.cache.total.size.bytes
      remote.log.manager.copier.thread.pool.size
      remote.log.manager.copy.max.bytes.per.second remote.log.manager.copy.quota.window.num
      remote.log.manager.copy.quota.window.size.seconds
      remote.log.manager.expiration.thread.pool.size
      remote.log.manager.fetch.max.bytes.per.second remote.log.manager.fetch.quota.window.num
      remote.log.manager.fetch.quota.window.size.seconds
      remote.log.manager.task.interval.ms remote.log.manager.task.retry.backoff.max.ms
      remote.log.manager.task.retry.backoff.ms remote.log.manager.task.retry.jitter
      remote.log.manager.thread.pool.size remote.log.metadata.custom.metadata.max.bytes
      remote.log.metadata.manager.class.name remote.log.metadata.manager.class.path
      remote.log.metadata.manager.impl.prefix remote.log.metadata.manager.listener.name
      remote.log.reader.max.pending.tasks remote.log.reader.threads
      remote.log.storage.manager.class.name remote.log.storage.manager.class.path
      remote.log.storage.manager.impl.prefix
      """)

  private static let clients =
    ignored(
      "there are no consumer groups yet",
      """
      group.consumer.assignors group.consumer.heartbeat.interval.ms
      group.consumer.max.heartbeat.interval.ms group.consumer.max.session.timeout.ms
      group.consumer.max.size group.consumer.migration.policy
      group.consumer.min.heartbeat.interval.ms group.consumer.min.session.timeout.ms
      group.consumer.session.timeout.ms group.coordinator.append.linger.ms
      group.coordinator.new.enable group.coordinator.rebalance.protocols
      group.coordinator.threads group.initial.rebalance.delay.ms group.max.session.timeout.ms
      group.max.size group.min.session.timeout.ms group.share.delivery.count.limit
      group.share.enable group.share.heartbeat.interval.ms group.share.max.groups
      group.share.max.heartbeat.interval.ms group.share.max.record.lock.duration.ms
      group.share.max.session.timeout.ms group.share.max.size
      group.share.min.heartbeat.interval.ms group.share.min.record.lock.duration.ms
      group.share.min.session.timeout.ms group.share.partition.max.record.locks
      group.share.record.lock.duration.ms group.share.session.timeout.ms
      offset.metadata.max.bytes offsets.commit.required.acks offsets.commit.timeout.ms
      offsets.load.buffer.size offsets.retention.check.interval.ms offsets.retention.minutes
      offsets.topic.compression.codec offsets.topic.num.partitions
      offsets.topic.replication.factor offsets.topic.segment.bytes
      """)
    + ignored(
      "there are no transactions yet",
      """
      transaction.abort.timed.out.transaction.cleanup.interval.ms transaction.max.timeout.ms
      transaction.partition.verification.enable
      transaction.remove.expired.transaction.cleanup.interval.ms
      transaction.state.log.load.buffer.size transaction.state.log.min.isr
      transaction.state.log.num.partitions transaction.state.log.replication.factor
      transaction.state.log.segment.bytes transactional.id.expiration.ms
      """)
    + ignored(
      "there are no fetch sessions, no quotas and no authentication",
      """
      connection.failed.authentication.delay.ms delegation.token.expiry.check.interval.ms
      delegation.token.expiry.time.ms delegation.token.max.lifetime.ms
      max.incremental.fetch.session.cache.slots max.request.partition.size.limit
      quota.window.num quota.window.size.seconds
      """)
    + ignored(
      "it says the protocols of listeners, of which one for clients is served",
      "listener.security.protocol.map")

  // MARK: What is refused

  private static let most = "\(Int32.max)"

  private static let promises =
    refused("there is one replica", but: ["1"], "default.replication.factor")
    + refused(
      "clients may delete topics", but: ["true"], "delete.topic.enable")
    + refused(
      "no class of yours is asked", but: [""],
      """
      alter.config.policy.class.name client.quota.callback.class create.topic.policy.class.name
      """)
    + refused(
      "connections are bounded altogether (max.connections), not by address or rate",
      but: [most, ""],
      """
      max.connection.creation.rate max.connections.per.ip max.connections.per.ip.overrides
      """)
    + refused(
      "segments are kept on this disk", but: ["false"], "remote.log.storage.system.enable")
    + refused(
      KafkaBrokerNames.missingSecurity, but: ["plaintext"], "security.inter.broker.protocol")
    + refused(KafkaBrokerNames.missingSecurity, but: ["0", ""], "connections.max.reauth.ms")
    + refused(
      KafkaBrokerNames.missingSecurity, but: [""],
      """
      allow.everyone.if.no.acl.found authorizer.class.name delegation.token.master.key
      delegation.token.secret.key principal.builder.class security.providers super.users
      """)
}
