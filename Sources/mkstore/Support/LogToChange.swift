import DiskIO
import LogStore

/// Opens a store for writing, and one log of it, for commands that change a log's offsets.
enum LogToChange {
  /// The store and the log, which must exist.
  ///
  /// - Parameter adjust: Changes how the store is opened.
  static func open(
    _ location: LogLocation, _ adjust: (inout StoreConfig) -> Void = { _ in }
  ) throws(CommandFailure) -> (Store, Log) {
    let status = try withDiskErrors { () throws(DiskError) in
      try PosixDisk().status(location.path)
    }
    guard status?.kind == .directory else { throw try location.notFound() }
    try StoreGuess(PosixDisk(), location.store).refuseForeign()
    var config = StoreConfig()
    config.mapsIndexes = true
    adjust(&config)
    let manager = try AppendTarget.openStore(location.store, config)
    if let log = manager.log(location.topicPartition) { return (manager, log) }
    let name = "\(location.topicPartition)"
    let failed = manager.report.failed.first { PathText.lastComponent($0.directory) == name }
    try withLogErrors { () throws(LogError) in try manager.closeBlocking() }
    throw failed.map { CommandFailure($0.error) }
      ?? .failure("\(location.path) is not a log: it holds none of a log's files")
  }

  /// The result of a command's work: what it did, durably, and why the store could not be closed
  /// after it; nil if it was.
  struct Done<Result> {
    var result: Result
    var closingFailure: CommandFailure?

    /// Fails if closing failed; the message says what is done nevertheless.
    ///
    /// - Parameters:
    ///   - summary: What was done, a clause.
    ///   - store: Path of the store.
    func requireClosed(_ summary: String, store: String) throws(CommandFailure) {
      guard let failure = closingFailure else { return }
      throw LogToChange.unfinished(
        failure,
        "\(summary). That is done, durably, and need not be repeated; but closing the store",
        store: store)
    }
  }

  /// Closes the store, whatever `body` does.
  static func closing<Result>(
    _ manager: Store, _ body: () throws(CommandFailure) -> Result
  ) throws(CommandFailure) -> Done<Result> {
    let result: Result
    do throws(CommandFailure) {
      result = try body()
    } catch {
      do throws(LogError) { try manager.closeBlocking() } catch let second {
        Messages.say("\(second)")
      }
      throw error
    }
    do throws(LogError) {
      try manager.closeBlocking()
      return Done(result: result)
    } catch {
      return Done(result: result, closingFailure: CommandFailure(error))
    }
  }

  /// A failure after something durable was done, and what to do then.
  ///
  /// - Parameter done: What was done, and what could not be: the text continues with "failed".
  static func unfinished(
    _ failure: CommandFailure, _ done: String, store: String
  ) -> CommandFailure {
    let first = failure.status == .diskFull ? "Make room, then" : "Once the cause is fixed,"
    return CommandFailure(
      failure.status,
      "\(done) failed: \(failure.message ?? "for a reason that was said"). \(first) "
        + "'mkstore recover \(store)' completes it, as whatever opens the store next for writing "
        + "does")
  }
}
