import DiskIO
import Glibc
import LogStore
import Logging
import Metrics
import MkstoreServer
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
    let registry = PrometheusRegistry()
    MetricsSystem.bootstrap(registry)
    speakThroughWriter()
    let stopwatch = ContinuousClock.now
    let logger = Logger(label: "mkstore")
    try StoreGuess(PosixDisk(), settings.data).refuseForeign()
    let openFilesMax = ProcessLimits.raiseOpenFiles()
    try refuseTooFew(openFilesMax)
    let manager = try open(logger)
    sayOpened(manager)
    for note in settings.notes { Messages.say("note: \(note)") }
    let broker = bounded(settings.broker, manager, openFilesMax)
    let outcome = Locked<Result<Void, CommandFailure>?>(nil)
    let service = BrokerService(
      manager, config: broker, registry: registry, logger: logger, startedAt: stopwatch)
    // The command is synchronous, as all are; the main thread waits here and does nothing else.
    Task.detached {
      let result = await service.serve()
      outcome.withLock { $0 = result }
      outcome.broadcast()
    }
    _ = outcome.wait { $0 != nil }
    try outcome.withLock { $0 }?.get()
  }

  /// From here on no thread waits for the reader of standard error.
  private func speakThroughWriter() {
    let dropped = Counter(label: "mkstore_dropped_log_lines_total")
    let writer = MessageWriter { dropped.increment(by: $0) }
    Messages.hand(to: writer)
    let level = settings.logLevel
    LoggingSystem.bootstrap { label in
      var handler = StreamLogHandler(label: label, stream: MessageStream(writer: writer))
      handler.logLevel = level
      return handler
    }
  }

  /// Each event loop takes three descriptors, and the store, its listeners and a topic some more;
  /// without them the loops cannot start.
  private func refuseTooFew(_ openFilesMax: Int) throws(CommandFailure) {
    let loops = settings.broker.cores.isEmpty ? Processors.count : settings.broker.cores.count
    let needed = 32 + 4 * loops
    guard openFilesMax < needed else { return }
    throw .failure(
      "at most \(openFilesMax) open files are allowed (ulimit -n); serving needs \(needed) or more")
  }

  private func open(_ logger: Logger) throws(CommandFailure) -> Store {
    do throws(LogError) {
      return try Store.openBlocking(settings.data, config: settings.store, logger: logger)
    } catch  where error.code == .notFound && !settings.store.createsStore {
      throw .failure(
        "\(settings.data) is missing or empty, and must.exist refuses to make a new store there; "
          + "is its volume mounted?")
    } catch {
      throw CommandFailure(error)
    }
  }

  /// Reserves descriptors for files: each log that is written to takes two, a new topic some more.
  private func bounded(
    _ config: BrokerConfig, _ manager: Store, _ openFilesMax: Int
  ) -> BrokerConfig {
    let files = 32 + 2 * manager.logs.count + openFilesMax / 4
    let left = max(4, openFilesMax - files)
    guard left < config.connectionsMax else { return config }
    var config = config
    Messages.say(
      "note: at most \(left) connections instead of max.connections \(config.connectionsMax), "
        + "since ulimit -n is \(openFilesMax) and \(manager.logs.count) logs need files")
    config.connectionsMax = left
    return config
  }

  /// Notes shown at the start; another program's directory may give one for each log.
  private static let notesMax = 100

  private func sayNotes(_ notes: [String]) {
    for note in notes.prefix(Self.notesMax) { Messages.say(note) }
    let left = notes.count - Self.notesMax
    if left > 0 {
      Messages.say("and \(left) more notes, which 'mkstore verify \(settings.data)' lists")
    }
  }

  private func sayOpened(_ manager: Store) {
    let report = manager.report
    Messages.say("data directory \(manager.path), durability \(settings.store.log.durability)")
    Messages.say(
      "opened \(report.logs.count) logs in \(report.openMs) ms after "
        + (report.wasClean ? "a clean stop" : "an unclean stop or for the first time"))
    for (log, recovery) in report.eventful {
      for line in RecoveryText.lines(recovery) { Messages.say("\(log): \(line)") }
    }
    Messages.say(RetentionNotice.ofNewTopics(settings.store.log))
    let unconfirmed = RetentionNotice.unconfirmed(
      manager.topicsWithUnconfirmedRetention, store: settings.data)
    if let unconfirmed { Messages.say("note: \(unconfirmed)") }
    for (directory, error) in report.failed { Messages.say("\(directory) is not served: \(error)") }
    sayNotes(
      report.notes
        + report.logs.flatMap { log, recovery in recovery.notes.map { "\(log): \($0)" } })
  }
}
