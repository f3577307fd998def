import DiskIO
import Glibc
import KafkaServer
import LogStore
import Logging
import Metrics
import ServiceLifecycle
import UnixSignals

/// One run of `mkstore serve`, from opening the store to its clean end.
struct ServeRun {
  private let settings: ServeSettings

  init(_ settings: ServeSettings) {
    self.settings = settings
  }

  /// Serves until a signal comes.
  func run() throws(CommandFailure) {
    let level = settings.logLevel
    LoggingSystem.bootstrap { label in
      var handler = StreamLogHandler.standardError(label: label)
      handler.logLevel = level
      return handler
    }
    let registry = PrometheusRegistry()
    MetricsSystem.bootstrap(registry)
    let stopwatch = ContinuousClock.now
    let logger = Logger(label: "mkstore")
    let manager = try withLogErrors { () throws(LogError) in
      try LogManager.open(settings.data, config: settings.store, logger: logger)
    }
    sayOpened(manager)
    let outcome = Locked<Result<Void, CommandFailure>?>(nil)
    let service = BrokerService(
      manager, config: settings.broker, registry: registry, logger: logger, startedAt: stopwatch)
    // The command is synchronous, as all are; the main thread waits here and does nothing else.
    Task.detached {
      let result = await service.serve()
      outcome.withLock { $0 = result }
      outcome.broadcast()
    }
    _ = outcome.wait { $0 != nil }
    try outcome.withLock { $0 }?.get()
  }

  private func sayOpened(_ manager: LogManager) {
    let report = manager.report
    Messages.say("data directory \(manager.path), durability \(settings.store.log.durability)")
    Messages.say(
      "opened \(report.logs.count) logs in \(report.openMs) ms after "
        + (report.wasClean ? "a clean stop" : "an unclean stop or for the first time"))
    for (log, recovery) in report.eventful {
      for line in RecoveryText.lines(recovery) { Messages.say("\(log): \(line)") }
    }
    for (directory, error) in report.failed { Messages.say("\(directory) is not served: \(error)") }
    for note in report.notes { Messages.say(note) }
  }
}
