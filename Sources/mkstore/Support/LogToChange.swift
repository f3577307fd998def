import DiskIO
import LogStore

/// Opens a store for writing, and one log of it, for commands that change a log's offsets.
enum LogToChange {
  /// The store and the log, which must be there.
  ///
  /// - Parameter adjust: Changes how the store is opened.
  static func open(
    _ location: LogLocation, _ adjust: (inout StoreConfig) -> Void = { _ in }
  ) throws(CommandFailure) -> (LogManager, Log) {
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
    try withLogErrors { () throws(LogError) in try manager.close() }
    throw failed.map { CommandFailure($0.error) }
      ?? .failure("\(location.path) is no log: it holds none of a log's files")
  }

  /// Closes the store, whatever `body` does.
  static func closing<Result>(
    _ manager: LogManager, _ body: () throws(CommandFailure) -> Result
  ) throws(CommandFailure) -> Result {
    let result: Result
    do throws(CommandFailure) {
      result = try body()
    } catch {
      do throws(LogError) { try manager.close() } catch let second { Messages.say("\(second)") }
      throw error
    }
    try withLogErrors { () throws(LogError) in try manager.close() }
    return result
  }
}
