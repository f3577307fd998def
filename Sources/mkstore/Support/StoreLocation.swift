import DiskIO
import LogStore

/// A store on the command line, by its own path or by that of a log in it.
struct StoreLocation: Sendable {
  /// Path of the store's directory.
  var path: String

  /// Path of a log in it.
  func path(of log: TopicPartition) -> String { path == "/" ? "/\(log)" : "\(path)/\(log)" }

  /// The store at `argument`, or the one around the log there.
  static func find(_ argument: String) throws(CommandFailure) -> StoreLocation {
    let path = PathText.trimmed(argument)
    let names = try list(path)
    let isLog = names.contains { SegmentName($0.name)?.kind == .log }
    guard isLog || isLogName(path) else { return StoreLocation(path: path) }
    return StoreLocation(path: try LogLocation(path).store)
  }

  private static func isLogName(_ path: String) -> Bool {
    if case .log = LogDirectoryName(PathText.lastComponent(path)) { return true }
    return false
  }

  /// The names in a directory; a failure that says so if there is none.
  static func list(_ path: String) throws(CommandFailure) -> [DirectoryEntry] {
    let disk = PosixDisk()
    let kind = try withDiskErrors { () throws(DiskError) in try disk.status(path)?.kind }
    guard let kind else { throw CommandFailure.failure("\(path) does not exist; check the path") }
    guard kind == .directory else {
      throw CommandFailure.failure("\(path) is not a directory; a store or log is a directory")
    }
    return try withDiskErrors { () throws(DiskError) in try disk.list(path) }
  }

  /// The logs in the store, by name. Links are followed; broken ones are reported.
  func logs() throws(CommandFailure) -> [TopicPartition] {
    let entries = try StoreLocation.list(path)
    let found = try withDiskErrors { () throws(DiskError) in
      try LogDirectories(in: path, entries, PosixDisk())
    }
    for note in found.notes { Messages.say("note: \(note)") }
    for (_, error) in found.broken { Messages.say("\(error)") }
    return found.logs.sorted { ($0.topic, $0.partition) < ($1.topic, $1.partition) }
  }
}
