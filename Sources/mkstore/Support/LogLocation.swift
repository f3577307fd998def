import DiskIO
import LogStore

/// A log on the command line: the store's directory and the log's name in it.
struct LogLocation: Sendable {
  /// Path of the store: the directory that contains the log's.
  var store: String
  /// The log.
  var topicPartition: TopicPartition
  /// Path of the log's directory.
  var path: String { store == "/" ? "/\(topicPartition)" : "\(store)/\(topicPartition)" }

  /// Reads a path like `data/orders-0`.
  ///
  /// - Throws: A usage failure if the last part is not a log's name.
  init(_ argument: String) throws(CommandFailure) {
    var path = PathText.trimmed(argument)
    let last = PathText.lastComponent(path)
    // The shell's current directory: the name is the directory's real one.
    if last == "." || last == "..", let real = StandardStreams.realPath(path) { path = real }
    do throws(TopicPartitionError) {
      topicPartition = try TopicPartition(directoryName: PathText.lastComponent(path))
    } catch {
      throw CommandFailure.usage(
        "'\(argument)' is not a log: \(error); its name is <topic>-<partition>, such as orders-0")
    }
    store = PathText.parent(path)
  }

  /// Placeholder for a log without a name, as in the dump of a single file.
  static let placeholder: TopicPartition = {
    do throws(TopicPartitionError) {
      return try TopicPartition(topic: "file", partition: 0)
    } catch {
      preconditionFailure("'file-0' is not a log's name: \(error)")
    }
  }()

  /// Opens the log for reading, without a lock and without changing anything.
  func openReadOnly() throws(CommandFailure) -> Log {
    do throws(LogError) {
      return try Log.openReadOnlyBlocking(path, logger: QuietLogger.make())
    } catch {
      if case .notFound = error.kind { throw try notFound() }
      throw CommandFailure(error)
    }
  }

  /// Reports what is in place of the log.
  func notFound() throws(CommandFailure) -> CommandFailure {
    let disk = PosixDisk()
    let status = try withDiskErrors { () throws(DiskError) in try disk.status(path) }
    if status?.kind == .file {
      return .failure("\(path) is a file; name the log's directory, or use mkstore dump for a file")
    }
    return .failure(
      "\(path) does not exist; check the path, or make the log with mkstore append --create")
  }
}
