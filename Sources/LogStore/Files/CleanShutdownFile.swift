package import DiskIO

/// The mark that a store was closed in order (`.kafka_cleanshutdown` in its directory).
///
/// Its presence counts. It is written last at a clean stop and removed, durably, before anything is
/// loaded, so that a crash while loading counts as unclean too.
package struct CleanShutdownFile: Sendable, Equatable {
  /// The file's name.
  package static let name = ".kafka_cleanshutdown"
  /// Longest content that is looked at.
  package static let bytesMax = 4096
  /// What Kafka writes where there is no broker epoch.
  package static let noBrokerEpoch: Int64 = -1

  /// Broker epoch at the stop; -1 for none (also in the empty files of older versions).
  package var brokerEpoch: Int64

  /// Memberwise.
  package init(brokerEpoch: Int64 = noBrokerEpoch) {
    self.brokerEpoch = brokerEpoch
  }

  /// Reads a store's mark; nil where there is none. Content that makes no sense still is a mark.
  package static func read(
    _ disk: any Disk, directory: String
  ) throws(DiskError) -> CleanShutdownFile? {
    do throws(CheckpointError) {
      let path = "\(directory)/\(name)"
      guard let bytes = try SmallFile.read(disk, path, limit: bytesMax) else { return nil }
      return CleanShutdownFile(bytes)
    } catch {
      switch error {
      case .disk(let error): throw error
      case .unreadable: return CleanShutdownFile()
      }
    }
  }

  /// Reads a file's content, `{"version":0,"brokerEpoch":N}` or nothing.
  package init(_ bytes: [UInt8]) {
    let text = String(decoding: bytes, as: UTF8.self).filter { !$0.isWhitespace }
    let key = "\"brokerEpoch\":"
    guard text.hasPrefix("{"), let start = Self.end(of: key, in: text) else {
      self.init()
      return
    }
    let digits = text[start...].prefix { $0 == "-" || ("0"..."9").contains($0) }
    self.init(brokerEpoch: Int64(digits) ?? Self.noBrokerEpoch)
  }

  /// Sets a store's mark, durably. Everything else must have been synced before.
  package func write(_ disk: any Disk, directory: String) throws(DiskError) {
    try SmallFile.writeAtomically(disk, directory: directory, name: Self.name, encoded)
  }

  /// Takes a store's mark away, durably; nothing happens where there is none.
  package static func remove(_ disk: any Disk, directory: String) throws(DiskError) {
    let path = "\(directory)/\(name)"
    guard try disk.status(path) != nil else { return }
    try disk.remove(path)
    try disk.syncDirectory(directory)
  }

  /// The file's content.
  package var encoded: [UInt8] {
    Array("{\"version\":0,\"brokerEpoch\":\(brokerEpoch)}".utf8)
  }

  /// Where `key` ends in `text` (no Foundation, no regular expression for one key).
  private static func end(of key: String, in text: String) -> String.Index? {
    var start = text.startIndex
    while start < text.endIndex {
      if text[start...].hasPrefix(key) { return text.index(start, offsetBy: key.count) }
      start = text.index(after: start)
    }
    return nil
  }
}
