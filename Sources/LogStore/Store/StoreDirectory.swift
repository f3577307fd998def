internal import DiskIO

/// The files in a store's directory besides the logs, and their creation.
enum StoreDirectory {
  /// Makes sure that `path` is a directory that may be opened as a store.
  ///
  /// - Returns: Whether there was no store yet.
  static func prepare(_ path: String, _ disk: any Disk, creates: Bool) throws(LogError) -> Bool {
    let found: FileStatus?
    var isNew = false
    do throws(DiskError) {
      found = try disk.status(path)
      switch found?.kind {
      case .directory:
        let isEmpty = try disk.list(path).allSatisfy { $0.name == "lost+found" }
        if isEmpty && !creates { throw DiskError.notFound(.open, path) }
        isNew = isEmpty
      case nil:
        guard creates else { throw DiskError.notFound(.open, path) }
        try makeDirectories(path, disk)
        isNew = true
      default: break
      }
    } catch  where error.isNotFound {
      throw .notFound(path: path)
    } catch {
      throw LogError(error)
    }
    if let found, found.kind != .directory {
      throw .disk(DiskError.notADirectory(.open, path))
    }
    return isNew
  }

  private static func makeDirectories(_ path: String, _ disk: any Disk) throws(DiskError) {
    let parent = PathText.parent(path)
    if try disk.status(parent) == nil { try makeDirectories(parent, disk) }
    // `new/..` exists once `new` does.
    if try disk.status(path)?.kind == .directory { return }
    try disk.makeDirectory(path)
    try disk.syncDirectory(parent)
  }

  /// Takes Kafka's lock.
  static func lock(_ path: String, _ disk: any Disk) throws(LogError) -> any DiskLock {
    do throws(DiskError) {
      return try disk.lock("\(path)/\(Store.lockName)")
    } catch  where error.isLocked {
      throw .locked(path: path, holder: error.holder)
    } catch {
      throw LogError(error)
    }
  }

  /// Writes the files that Kafka expects into a new log's directory.
  static func fillLog(
    _ directory: LogDirectory, in store: String, topicId: Uuid, _ settings: LogSettings
  ) throws(DiskError) {
    let disk = directory.disk
    try PartitionMetadata(topicId: topicId).write(disk, directory: directory.path)
    if settings.overrides != TopicConfig() || settings.policySession != nil {
      try TopicConfigFile.write(
        settings.overrides, policySession: settings.policySession, disk,
        directory: directory.path)
    }
    try LeaderEpochCheckpoint([.init(epoch: 0, startOffset: 0)])
      .write(disk, directory: directory.path)
    try disk.syncDirectory(store)
  }

  /// Removes what a failed creation left of an empty log, so that its name is free again.
  ///
  /// Needs no descriptor, since a lack of them may be why it failed. Not durable by itself: a power
  /// cut may bring back an empty log, whose creation was not acknowledged.
  static func takeBackLog(_ directory: LogDirectory) throws(DiskError) {
    let disk = directory.disk
    let written = [PartitionMetadata.name, TopicConfigFile.name, LeaderEpochCheckpoint.name]
    let segment = [SegmentName.Kind.log, .index, .timeindex].map { SegmentName(0, $0).fileName }
    for name in written + written.map({ "\($0).tmp" }) + segment
    where try disk.status(directory.path(name)) != nil {
      try disk.remove(directory.path(name))
    }
    try disk.removeDirectory(directory.path)
  }
}
