internal import DiskIO
internal import MkstoreBytes

/// The file `mkstore.unsynced` of a log: batches that were acknowledged by the journal and that the
/// log's own files, one of which failed, may not hold. Groups as a journal's. The next opening of
/// the log puts them into its files and removes it.
enum KeptEntries {
  /// Name of the file.
  static let fileName = "mkstore.unsynced"

  /// The groups of entries, each in one of its own; those whose batches are damaged are left out.
  static func encode(
    _ located: [JournalContents.Located], _ disk: any Disk
  ) throws(DiskError) -> [UInt8] {
    var bytes: [UInt8] = []
    for (index, one) in located.enumerated() {
      guard let batches = try one.batches(disk) else { continue }
      var entry = one.entry
      entry.payloadStart = JournalLayout.groupHeaderBytes + entry.encodedBytes
      let byteCount = JournalLayout.blocks(entry.payloadStart + batches.count)
      let head = JournalGroupHead(
        ringId: .zero, sequence: UInt64(index), durableBelow: 0, liveFrom: 0, byteCount: byteCount,
        entries: [entry])
      var group = [UInt8](repeating: 0, count: byteCount)
      var span = group.mutableSpan
      head.encode(into: &span)
      span.copy(batches.span, at: entry.payloadStart)
      bytes += group
    }
    return bytes
  }

  /// Adds groups to a log's file, durably.
  static func add(_ groups: [UInt8], to directory: LogDirectory) throws(DiskError) {
    if groups.isEmpty { return }
    var bytes: [UInt8] = []
    if let file = try directory.disk.openIfPresent(directory.path(fileName)) {
      bytes = [UInt8](repeating: 0, count: try file.size())
      var span = bytes.mutableSpan
      let count = try file.read(into: &span, at: 0)
      bytes.removeLast(bytes.count - count)
    }
    try SmallFile.writeAtomically(
      directory.disk, directory: directory.path, name: fileName, bytes + groups)
  }

  /// The entries of a log's file.
  static func read(_ directory: LogDirectory) throws(DiskError) -> [JournalContents.Located] {
    guard let file = try directory.disk.openIfPresent(directory.path(fileName)) else { return [] }
    let name = PathText.lastComponent(directory.path)
    return try JournalContents(keptIn: file, of: name).entries[name] ?? []
  }

  /// Removes a log's file, once its batches are in the log.
  static func remove(_ directory: LogDirectory) throws(DiskError) {
    let path = directory.path(fileName)
    guard try directory.disk.status(path) != nil else { return }
    try directory.disk.remove(path)
    try directory.disk.syncDirectory(directory.path)
  }
}
