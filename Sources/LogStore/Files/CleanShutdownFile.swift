package import DiskIO

/// The mark that a store was closed in order (`.kafka_cleanshutdown` in its directory).
///
/// Its presence counts, whatever it holds. It is written last at a clean stop and removed, durably,
/// before any log is changed, so that a crash while they are counts as unclean too.
package enum CleanShutdownFile {
  /// The file's name.
  package static let name = ".kafka_cleanshutdown"
  /// What Kafka writes where a broker has no epoch, as there is none here.
  package static let content = Array(#"{"version":0,"brokerEpoch":-1}"#.utf8)

  /// Sets a store's mark, durably. Everything else must have been synced before.
  package static func write(_ disk: any Disk, directory: String) throws(DiskError) {
    try SmallFile.writeAtomically(disk, directory: directory, name: name, content)
  }

  /// Takes a store's mark away, durably; nothing happens where there is none.
  package static func remove(_ disk: any Disk, directory: String) throws(DiskError) {
    let path = "\(directory)/\(name)"
    guard try disk.status(path) != nil else { return }
    try disk.remove(path)
    try disk.syncDirectory(directory)
  }
}
