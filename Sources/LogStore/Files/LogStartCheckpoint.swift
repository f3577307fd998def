package import DiskIO

/// What this engine wrote to Kafka's checkpoint of log starts, and to which file
/// (`mkstore.checkpoint` in the store's directory).
///
/// Text with a CRC (docs/format.md#mkstorecheckpoint), since Kafka's file has none: where that is
/// the very file that is named here, only this one is believed. Read strictly.
package struct LogStartCheckpoint: Sendable, Equatable {
  /// The file's name.
  package static let name = "mkstore.checkpoint"
  /// Largest file that is read: Kafka's and the lines before it.
  package static let bytesMax = SmallFile.bytesMax + 4096

  /// The file that was written; nil where its file system does not tell when a file was made.
  package var birth: FileBirth?
  /// What was written to it.
  package var content: [UInt8]

  /// Memberwise.
  package init(birth: FileBirth?, content: [UInt8]) {
    self.birth = birth
    self.content = content
  }

  /// Reads a store's file; nil where there is none.
  package static func read(
    _ disk: any Disk, directory: String
  ) throws(CheckpointError) -> LogStartCheckpoint? {
    let path = "\(directory)/\(name)"
    guard let bytes = try SmallFile.read(disk, path, limit: bytesMax) else { return nil }
    return try LogStartCheckpoint(bytes, path: path)
  }

  /// Reads a file's content; `path` is for messages.
  package init(_ bytes: [UInt8], path: String) throws(CheckpointError) {
    let (text, headerLines) = (CheckedText(bytes).text, 3)
    let lines = text.split(
      separator: UInt8(ascii: "\n"), maxSplits: headerLines, omittingEmptySubsequences: false)
    func number<Number: FixedWidthInteger>(_ index: Int, _ key: String) -> Number? {
      guard lines.indices.contains(index) else { return nil }
      return Number(String(decoding: lines[index].dropFirst(key.utf8.count), as: UTF8.self))
    }
    let (inode, timeNs): (UInt64?, Int64?) = (number(1, Self.inodeKey), number(2, Self.timeKey))
    if let inode, let timeNs { birth = FileBirth(inode: inode, timeNs: timeNs) }
    content = lines.count > headerLines ? Array(lines[headerLines]) : []
    guard lines.count > headerLines, bytes == encoded else {
      throw .unreadable(path: path, line: nil, what: "the CRC or another part of it is wrong")
    }
  }

  /// Replaces Kafka's checkpoint of log starts, and then this file, durably.
  package static func write(
    _ starts: OffsetCheckpoint, _ disk: any Disk, directory: String
  ) throws(DiskError) {
    let (kafkas, content) = (OffsetCheckpoint.Name.logStart.rawValue, starts.encoded)
    let file = try SmallFile.createReplacement(disk, directory: directory, name: kafkas)
    let written = LogStartCheckpoint(birth: try file.birth(), content: content)
    try SmallFile.finishReplacement(file, disk, directory: directory, name: kafkas, content)
    try SmallFile.writeAtomically(disk, directory: directory, name: name, written.encoded)
  }

  /// The file's content.
  package var encoded: [UInt8] {
    let inode = birth.map { "\($0.inode)" } ?? Self.unknown
    let timeNs = birth.map { "\($0.timeNs)" } ?? Self.unknown
    let header = "version: 1\n\(Self.inodeKey)\(inode)\n\(Self.timeKey)\(timeNs)\n"
    return CheckedText.encode(Array(header.utf8) + content)
  }

  private static let inodeKey = "inode: "
  private static let timeKey = "birth_time_ns: "
  private static let unknown = "unknown"
}
