import DiskIO
import LogStore

/// Opens a store for writing and one log of it.
enum AppendTarget {
  /// The store and the log.
  ///
  /// - Parameter creates: Whether a missing store or log is made.
  static func open(
    _ location: LogLocation, config: LogConfig, creates: Bool
  ) throws(CommandFailure) -> (Store, Log) {
    try checkExists(location, creates: creates)
    var storeConfig = StoreConfig()
    storeConfig.log = config
    storeConfig.createsStore = creates
    storeConfig.mapsIndexes = true
    let manager = try openStore(location.store, storeConfig)
    do throws(CommandFailure) {
      return (manager, try log(location, in: manager, creates: creates))
    } catch {
      do throws(LogError) {
        try manager.closeBlocking()
      } catch let second {
        Messages.say("\(second)")
      }
      throw error
    }
  }

  /// Opens a store for writing and reports what recovery did.
  static func openStore(_ path: String, _ config: StoreConfig) throws(CommandFailure) -> Store {
    let manager = try withLogErrors { () throws(LogError) in
      try Store.openBlocking(path, config: config, logger: QuietLogger.make())
    }
    for (topicPartition, report) in manager.report.eventful {
      for line in RecoveryText.lines(report) { Messages.say("\(topicPartition): \(line)") }
    }
    return manager
  }

  /// A missing log is reported before anything in the store is changed.
  private static func checkExists(
    _ location: LogLocation, creates: Bool
  ) throws(CommandFailure) {
    let status = try withDiskErrors { () throws(DiskError) in
      try PosixDisk().status(location.path)
    }
    switch status?.kind {
    case .directory: return
    case nil where creates: try StoreGuess(PosixDisk(), location.store).refuseForeign()
    case nil:
      throw CommandFailure.failure(
        "\(location.path) does not exist; use --create to make it, or check the path")
    default:
      throw CommandFailure.failure("\(location.path) is not a directory; a log is a directory")
    }
  }

  private static func log(
    _ location: LogLocation, in manager: Store, creates: Bool
  ) throws(CommandFailure) -> Log {
    if let log = manager.log(location.topicPartition) { return log }
    let name = "\(location.topicPartition)"
    for (directory, error) in manager.report.failed
    where PathText.lastComponent(directory) == name {
      throw CommandFailure(error)
    }
    return try withLogErrors { () throws(LogError) in
      try manager.createLogBlocking(location.topicPartition)
    }
  }
}
