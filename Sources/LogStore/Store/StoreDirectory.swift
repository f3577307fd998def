internal import DiskIO

/// What stands in a store's directory beside the logs, and how it comes to be.
enum StoreDirectory {
  /// Makes sure that `path` is a directory that may be opened as a store.
  static func prepare(_ path: String, _ disk: any Disk, creates: Bool) throws(LogError) {
    do throws(DiskError) {
      switch try disk.status(path)?.kind {
      case .directory:
        let isEmpty = try disk.list(path).allSatisfy { $0.name == "lost+found" }
        if isEmpty && !creates { throw DiskError(.open, path, code: 2) }  // ENOENT
      case nil:
        guard creates else { throw DiskError(.open, path, code: 2) }
        try makeDirectories(path, disk)
      default:
        throw DiskError(.open, path, code: 20)  // ENOTDIR
      }
    } catch  where error.isNotFound {
      throw .notFound(path: path)
    } catch {
      throw LogError(error)
    }
  }

  private static func makeDirectories(_ path: String, _ disk: any Disk) throws(DiskError) {
    let parent = self.parent(of: path)
    if try disk.status(parent) == nil { try makeDirectories(parent, disk) }
    try disk.makeDirectory(path)
    try disk.syncDirectory(parent)
  }

  /// The directory that holds `path`.
  static func parent(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  /// Takes Kafka's lock.
  static func lock(_ path: String, _ disk: any Disk) throws(LogError) -> any DiskLock {
    do throws(DiskError) {
      return try disk.lock("\(path)/\(LogManager.lockName)")
    } catch  where error.isLocked {
      throw .locked(path: path, holder: error.holder)
    } catch {
      throw LogError(error)
    }
  }

  /// Makes a new log's directory with what Kafka expects in it.
  static func createLog(
    _ directory: LogDirectory, in store: String, topicId: Uuid, _ overrides: TopicConfig
  )
    throws(DiskError)
  {
    let disk = directory.disk
    try disk.makeDirectory(directory.path)
    try PartitionMetadata(topicId: topicId).write(disk, directory: directory.path)
    if overrides != TopicConfig() {
      try SmallFile.writeAtomically(
        disk, directory: directory.path, name: TopicConfig.fileName, overrides.encoded)
    }
    try LeaderEpochCheckpoint([.init(epoch: 0, startOffset: 0)])
      .write(disk, directory: directory.path)
    try disk.syncDirectory(store)
  }
}
