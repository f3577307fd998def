package import DiskIO

/// The marker of a store's clean stop (`.kafka_cleanshutdown` in its directory).
///
/// Only its presence counts, not its content. It is written last at a clean stop and removed,
/// durably, before any log is changed, so that a crash during the changes counts as unclean too.
package enum CleanShutdownFile {
  /// The file's name.
  package static let name = ".kafka_cleanshutdown"
  /// What Kafka writes if a broker has no epoch, as here.
  package static let content = Array(#"{"version":0,"brokerEpoch":-1}"#.utf8)

  /// Sets a store's marker, durably. Everything else must have been synced before.
  package static func write(_ disk: any Disk, directory: String) throws(DiskError) {
    try SmallFile.writeAtomically(disk, directory: directory, name: name, content)
  }

  /// Removes a store's marker, durably; does nothing if there is none.
  package static func remove(_ disk: any Disk, directory: String) throws(DiskError) {
    let path = "\(directory)/\(name)"
    guard try disk.status(path) != nil else { return }
    try disk.remove(path)
    try disk.syncDirectory(directory)
  }
}
