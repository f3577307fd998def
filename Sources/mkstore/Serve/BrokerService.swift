import DiskIO
import Glibc
import LogStore
import Logging
import MkstoreServer
import ServiceLifecycle
import UnixSignals

/// A broker as a service: listens, waits for the signal to stop, and stops cleanly.
struct BrokerService: Service {
  private let manager: Store
  private let config: BrokerConfig
  private let registry: PrometheusRegistry
  private let logger: Logger
  private let startedAt: ContinuousClock.Instant

  init(
    _ manager: Store, config: BrokerConfig, registry: PrometheusRegistry, logger: Logger,
    startedAt: ContinuousClock.Instant
  ) {
    self.manager = manager
    self.config = config
    self.registry = registry
    self.logger = logger
    self.startedAt = startedAt
  }

  /// Runs until SIGTERM or SIGINT and closes the store.
  func serve() async -> Result<Void, CommandFailure> {
    let group = ServiceGroup(
      configuration: ServiceGroupConfiguration(
        services: [self], gracefulShutdownSignals: Self.stopSignals, logger: quietLogger))
    var failure: CommandFailure?
    do {
      try await group.run()
    } catch {
      failure = .failure("\(error)")
    }
    do throws(LogError) {
      try manager.closeBlocking()
    } catch {
      failure = failure ?? CommandFailure(error)
    }
    if let failure { return .failure(failure) }
    Messages.say("stopped; everything is durable")
    return .success(())
  }

  /// Closing the terminal ends the server as in Kafka, unless nohup prevents it.
  private static var stopSignals: [UnixSignal] {
    ProcessLimits.isIgnored(signal: SIGHUP)
      ? [.sigterm, .sigint] : [.sigterm, .sigint, .sighup]
  }

  private var quietLogger: Logger {
    var logger = Logger(label: "mkstore.lifecycle")
    logger.logLevel = .error
    return logger
  }

  func run() async throws {
    let server = try BrokerServer(
      manager, config: config, registry: registry, logger: logger)
    let admin = try await server.startAdmin()
    let endpoint = try await server.start()
    let advertised = config.advertised ?? endpoint
    Messages.say("serving Kafka clients on \(endpoint), advertised as \(advertised)")
    if let admin { Messages.say("metrics and health on http://\(admin)/metrics") }
    let passed = (ContinuousClock.now - startedAt) / Duration.milliseconds(1)
    Messages.say("ready after \(Int(passed)) ms")
    do {
      try await gracefulShutdown()
    } catch {
      // Cancellation has the same effect as a signal.
      logger.debug("cancelled")
    }
    Messages.say("stopping: finishing what is under way; a second signal stops at once")
    let hurry = Task {
      for await _ in await UnixSignalsSequence(trapping: .sigterm, .sigint) {
        Messages.say("stopped at once; the next start recovers")
        ProcessEnd.exitAtOnce(.failure)
      }
    }
    await server.stop()
    hurry.cancel()
  }
}
