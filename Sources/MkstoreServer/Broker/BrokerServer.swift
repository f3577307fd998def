internal import DiskIO
public import LogStore
public import Logging
internal import MkstoreProtocol
internal import NIOCore
internal import NIOPosix
internal import Synchronization

/// Serves an opened store to Kafka clients.
///
/// `start` listens, `stop` lets every connection finish. The caller owns the store: close it after
/// `stop`. Any thread.
public final class BrokerServer: Sendable {
  package let broker: Broker
  private let group: MultiThreadedEventLoopGroup
  private let connections: [ObjectIdentifier: LoopConnections]
  private let registry: PrometheusRegistry?
  private let listeners = Locked<[any Channel]>([])

  /// Makes event loops; does not listen yet.
  ///
  /// - Parameter registry: Shown at `/metrics`; the one that swift-metrics was given.
  /// - Throws: `.unreadable` for one of the broker's own files in the store.
  public init(
    _ manager: Store, config: BrokerConfig = BrokerConfig(),
    registry: PrometheusRegistry? = nil, logger: Logger = Logger(label: "mkstore")
  ) throws(ServerError) {
    self.registry = registry
    broker = try Broker(manager, config: config, logger: logger)
    group =
      config.cores.isEmpty
      ? MultiThreadedEventLoopGroup(numberOfThreads: System.coreCount)
      : MultiThreadedEventLoopGroup(pinnedCPUIDs: config.cores)
    var connections: [ObjectIdentifier: LoopConnections] = [:]
    for loop in group.makeIterator() {
      connections[ObjectIdentifier(loop)] = LoopConnections(
        loop, sweepMs: config.sweepMs)
    }
    self.connections = connections
    let rateLimitedLog = broker.rateLimitedLog
    group.any().scheduleRepeatedTask(initialDelay: .seconds(10), delay: .seconds(10)) { _ in
      rateLimitedLog.tellDue()
    }
  }

  /// Listens.
  ///
  /// - Returns: The address, with the port that the system chose if it was 0.
  /// - Throws: `.cannotListen`.
  public func start() async throws(ServerError) -> Endpoint {
    let broker = broker
    let connections = connections
    let bootstrap = ServerBootstrap(group: group)
      .serverChannelInitializer { listener in
        listener.eventLoop.makeCompletedFuture {
          try listener.pipeline.syncOperations.addHandler(AcceptPause(broker.rateLimitedLog))
        }
      }
      .serverChannelOption(.backlog, value: 1024)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
      .childChannelOption(.socketOption(.so_keepalive), value: 1)
      .childChannelOption(.maxMessagesPerRead, value: 4)
      // After a header and one piece it is the next connection's turn.
      .childChannelOption(.writeSpin, value: 1)
      .childChannelInitializer { channel in
        guard broker.didOpen() else { return channel.close() }
        channel.closeFuture.whenComplete { _ in broker.didClose() }
        return channel.eventLoop.makeCompletedFuture {
          let loop = connections[ObjectIdentifier(channel.eventLoop)]!
          try channel.pipeline.syncOperations.addHandler(ConnectionHandler(broker, loop))
        }
      }
    let endpoint = try await bind(bootstrap, broker.config.listen)
    broker.didBind(endpoint)
    broker.reopener.start()
    broker.isServing.store(true, ordering: .releasing)
    return endpoint
  }

  /// Serves metrics and health over HTTP, if configured.
  ///
  /// - Returns: The address, with the port that the system chose if it was 0; nil: none.
  /// - Throws: `.cannotListen`.
  public func startAdmin() async throws(ServerError) -> Endpoint? {
    guard let endpoint = broker.config.adminListen else { return nil }
    let (broker, registry) = (broker, registry)
    // Takes long with many logs, and uses the disk: not on an event loop.
    let metrics = SharedPage(on: broker.admin) { broker.page("/metrics", registry) }
    let bootstrap = ServerBootstrap(group: group)
      .serverChannelInitializer { listener in
        listener.eventLoop.makeCompletedFuture {
          try listener.pipeline.syncOperations.addHandler(AcceptPause(broker.rateLimitedLog))
        }
      }
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelInitializer { channel in
        // Relaxed: only the number counts.
        let open = broker.adminConnectionCount.wrappingAdd(1, ordering: .relaxed).newValue
        channel.closeFuture.whenComplete { _ in
          broker.adminConnectionCount.wrappingSubtract(1, ordering: .relaxed)
        }
        guard open <= broker.config.adminConnectionsMax else { return channel.close() }
        return channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(
            AdminHandler { path, reply in
              if path == "/metrics" {
                metrics.ask(reply)
              } else {
                reply(broker.page(path, registry))
              }
            })
        }
      }
    return try await bind(bootstrap, endpoint)
  }

  private func bind(
    _ bootstrap: ServerBootstrap, _ endpoint: Endpoint
  ) async throws(ServerError) -> Endpoint {
    do {
      let channel = try await bootstrap.bind(host: endpoint.host, port: endpoint.port).get()
      listeners.withLock { $0.append(channel) }
      return Endpoint(host: endpoint.host, port: channel.localAddress?.port ?? endpoint.port)
    } catch {
      let code = (error as? IOError)?.errnoCode
      throw .cannotListen(
        endpoint, reason: code.map { DiskError(.open, "", code: $0).reason } ?? "\(error)")
    }
  }

  /// Accepts no more connections, lets the current ones finish their requests, and ends the loops.
  ///
  /// Connections that take longer than `drainMaxMs` are closed.
  public func stop() async {
    broker.isServing.store(false, ordering: .releasing)
    let open = listeners.withLock { listeners in
      defer { listeners = [] }
      return listeners
    }
    for listener in open {
      do {
        try await listener.close()
      } catch {
        broker.logger.warning("a listener did not close", metadata: ["error": "\(error)"])
      }
    }
    for loop in connections.values { loop.drain() }
    let deadline = ContinuousClock.now + .milliseconds(broker.config.drainMaxMs)
    // Relaxed: only the number counts.
    while broker.connectionCount.load(ordering: .relaxed) > 0, ContinuousClock.now < deadline {
      do {
        try await Task.sleep(for: .milliseconds(5))
      } catch {
        break
      }
    }
    broker.reopener.stop()
    broker.admin.stop()
    broker.preparer.stop()
    do {
      try await group.shutdownGracefully()
      broker.rateLimitedLog.tellRest()
    } catch {
      broker.logger.warning("the event loops did not end", metadata: ["error": "\(error)"])
    }
  }
}
