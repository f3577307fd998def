internal import DiskIO

/// A log's directory on its way out: renamed first, so that the log is gone at once and for good,
/// then emptied.
package enum DeletedLog {
  /// A file in a directory that this engine renamed, so that it removes its own left-overs and
  /// leaves those of a broker to the broker.
  package static let markerName = "mkstore.deleted"
  /// Longest file name.
  private static let nameBytesMax = 255

  /// Kafka's name for a deleted log: the topic, cut where the name would be too long, the
  /// partition, 32 digits that tell it from others of the name.
  package static func name(
    for topicPartition: TopicPartition, using generator: inout some RandomNumberGenerator
  ) -> String {
    let digits = [generator.next(), generator.next()].map { (word: UInt64) in
      let text = String(word, radix: 16)
      return String(repeating: "0", count: 16 - text.utf8.count) + text
    }
    let ending = "-\(topicPartition.partition).\(digits.joined())-delete"
    return String(topicPartition.topic.prefix(nameBytesMax - ending.utf8.count)) + ending
  }

  /// Takes a log's directory out of the store, durably.
  ///
  /// - Returns: The path it has now, for `remove`.
  static func rename(_ directory: LogDirectory, in store: String, to name: String)
    throws(DiskError) -> String
  {
    let disk = directory.disk
    if try disk.status(directory.path(markerName)) == nil {
      try disk.open(directory.path(markerName), .create).sync()
      try disk.syncDirectory(directory.path)
    }
    let path = "\(store)/\(name)"
    try disk.rename(directory.path, to: path)
    try disk.syncDirectory(store)
    return path
  }

  /// Whether a directory with a deleted log's name is one of ours, or an empty one.
  static func isOurs(_ path: String, _ disk: any Disk) throws(DiskError) -> Bool {
    let names = try disk.list(path).map(\.name)
    return names.isEmpty || names.contains(markerName)
  }

  /// Removes a deleted log's files, the marker last, and its directory. Whoever still has a file
  /// open may go on reading it.
  static func remove(_ path: String, in store: String, _ disk: any Disk) throws(DiskError) {
    for entry in try disk.list(path) where entry.name != markerName {
      if entry.kind == .directory {
        for kept in try disk.list("\(path)/\(entry.name)") {
          try disk.remove("\(path)/\(entry.name)/\(kept.name)")
        }
        try disk.removeDirectory("\(path)/\(entry.name)")
      } else {
        try disk.remove("\(path)/\(entry.name)")
      }
    }
    if try disk.status("\(path)/\(markerName)") != nil {
      // The names before the marker: else a power cut could leave files that nobody removes.
      try disk.syncDirectory(path)
      try disk.remove("\(path)/\(markerName)")
    }
    try disk.removeDirectory(path)
    try disk.syncDirectory(store)
  }
}
