internal import DiskIO

/// Deletes a log's directory: it is renamed first, so that the log is gone at once and permanently,
/// then emptied.
///
/// Only the new name marks the deletion. It needs no new file and so no inode, which a file system
/// may lack when a deletion is to free some.
enum DeletedLog {
  /// First digits of the 32 in a name that this engine gave, so that it removes its own leftovers
  /// and leaves those of a broker: "mkstore" in hexadecimal. A broker writes a random UUID there,
  /// whose 13th digit is always 4; here it is 6.
  static let signature = "6d6b73746f7265"
  /// A file that earlier versions made in a directory before they renamed it.
  static let markerName = "mkstore.deleted"
  /// Longest file name.
  private static let nameBytesMax = 255
  /// Digits that distinguish a deleted log from others of its name.
  private static let digitCount = 32

  /// Kafka's name for a deleted log: the topic, truncated if the name would be too long, the
  /// partition, and 32 digits: the signature and random ones.
  static func name(
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

  /// Removes a log's directory from the store, durably.
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
