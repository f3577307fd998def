internal import DiskIO

/// A log's directory on its way out: renamed first, so that the log is gone at once and for good,
/// then emptied.
///
/// The new name is all that says so: it needs no new file, and so no inode, where a file system has
/// none left and the deletion is to give some back.
package enum DeletedLog {
  /// How the 32 digits begin in a name that this engine gave, so that it removes its own left-overs
  /// and leaves those of a broker to the broker: "mkstore" in hexadecimal. A broker writes a random
  /// UUID there, whose 13th digit is always 4; the one here is 6.
  package static let signature = "6d6b73746f7265"
  /// A file that earlier versions made in a directory before they renamed it.
  package static let markerName = "mkstore.deleted"
  /// Longest file name.
  private static let nameBytesMax = 255
  /// Digits that tell a deleted log from others of its name.
  private static let digitCount = 32

  /// Kafka's name for a deleted log: the topic, cut where the name would be too long, the
  /// partition, and 32 digits: the signature and random ones.
  package static func name(
    for topicPartition: TopicPartition, using generator: inout some RandomNumberGenerator
  ) -> String {
    let random = [generator.next(), generator.next()].map { (word: UInt64) in
      let text = String(word, radix: 16)
      return String(repeating: "0", count: 16 - text.utf8.count) + text
    }
    let digits = signature + random.joined().suffix(digitCount - signature.utf8.count)
    let ending = "-\(topicPartition.partition).\(digits)-delete"
    return String(topicPartition.topic.prefix(nameBytesMax - ending.utf8.count)) + ending
  }

  /// Takes a log's directory out of the store, durably.
  ///
  /// - Returns: The path it has now, for `remove`.
  static func rename(_ directory: LogDirectory, in store: String, to name: String)
    throws(DiskError) -> String
  {
    let disk = directory.disk
    let path = "\(store)/\(name)"
    try disk.rename(directory.path, to: path)
    try disk.syncDirectory(store)
    return path
  }

  /// Whether a directory with a deleted log's name is one of ours, or an empty one.
  static func isOurs(_ path: String, _ disk: any Disk) throws(DiskError) -> Bool {
    let digits = path.split(separator: ".").last ?? ""
    if digits.hasPrefix(signature) { return true }
    let names = try disk.list(path).map(\.name)
    return names.isEmpty || names.contains(markerName)
  }
}
