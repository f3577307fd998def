package import DiskIO

/// Which names make a directory a store, or a log.
package enum StoreNames {
  /// Whether a directory with these names is a log's.
  package static func isLog(_ entries: [DirectoryEntry]) -> Bool {
    entries.contains {
      SegmentName($0.name) != nil || $0.name == PartitionMetadata.name
        || $0.name == DurableMark.fileName
    }
  }

  /// Whether a directory with these names is a store: it has a store's files, or a directory that
  /// is a log's by its name and content. A name alone, such as `dbus-1`, is not enough.
  package static func isStore(
    _ entries: [DirectoryEntry], at path: String, _ disk: any Disk
  ) throws(DiskError) -> Bool {
    if entries.contains(where: { SideFileVerifier.storeFiles.contains($0.name) }) { return true }
    for entry in entries where LogDirectoryName(entry.name).isLog {
      guard try disk.status("\(path)/\(entry.name)")?.kind == .directory else { continue }
      if isLog(try disk.list("\(path)/\(entry.name)")) { return true }
    }
    return false
  }
}
