internal import DiskIO

/// What this engine wrote to Kafka's checkpoint of log starts, and to which file
/// (`mkstore.checkpoint` in the store's directory).
///
/// Text with a CRC (docs/format.md#mkstorecheckpoint), since Kafka's file has none. If Kafka's file
/// is the one named here, the content here is used instead. Read strictly.
struct LogStartCheckpoint: Sendable, Equatable {
  /// The file's name.
  static let name = "mkstore.checkpoint"
  /// Largest file that is read: Kafka's and the lines before it.
  static let bytesMax = SmallFile.bytesMax + 4096

  /// The file that was written; nil if its file system does not report birth times.
  var birth: FileBirth?
  /// The file that it replaced, which is still there if the replacement did not happen. nil: as
  /// above, or there was none.
  var previousBirth: FileBirth?
  /// What was written to it.
  var content: [UInt8]

  /// Memberwise.
  init(birth: FileBirth?, previousBirth: FileBirth? = nil, content: [UInt8]) {
    self.birth = birth
    self.previousBirth = previousBirth
    self.content = content
  }

  /// Reads a store's file; nil if there is none.
  static func read(
    _ disk: any Disk, directory: String
  ) throws(CheckpointError) -> LogStartCheckpoint? {
    let path = "\(directory)/\(name)"
    guard let bytes = try SmallFile.read(disk, path, limit: bytesMax) else { return nil }
    return try LogStartCheckpoint(bytes, path: path)
  }

  /// Reads a file's content; `path` is for messages.
  init(_ bytes: [UInt8], path: String) throws(CheckpointError) {
    let text = CheckedText(bytes).text
    let isOldForm = text.starts(with: Self.oldVersion.utf8)
    let headerLines = isOldForm ? 3 : 5
    let lines = text.split(
      separator: UInt8(ascii: "\n"), maxSplits: headerLines, omittingEmptySubsequences: false)
    func number<Number: FixedWidthInteger>(_ index: Int, _ key: String) -> Number? {
      guard index < headerLines, lines.indices.contains(index) else { return nil }
      return Number(String(decoding: lines[index].dropFirst(key.utf8.count), as: UTF8.self))
    }
    func birth(_ index: Int, _ inodeKey: String, _ timeKey: String) -> FileBirth? {
      guard let inode: UInt64 = number(index, inodeKey),
        let timeNs: Int64 = number(index + 1, timeKey)
      else { return nil }
      return FileBirth(inode: inode, timeNs: timeNs)
    }
    self.birth = birth(1, Self.inodeKey, Self.timeKey)
    previousBirth = birth(3, Self.previousInodeKey, Self.previousTimeKey)
    content = lines.count > headerLines ? Array(lines[headerLines]) : []
    let encoded = isOldForm ? oldEncoded : encoded
    guard lines.count > headerLines, bytes == encoded else {
      throw .unreadable(path: path, line: nil, what: "the CRC or another part of it is wrong")
    }
  }

  /// Replaces this file, and then Kafka's checkpoint of log starts, durably. A crash between the
  /// two leaves the file that is named here as the previous one.
  static func write(
    _ starts: OffsetCheckpoint, _ disk: any Disk, directory: String
  ) throws(DiskError) {
    let (kafkas, content) = (OffsetCheckpoint.Name.logStart.rawValue, starts.encoded)
    let file = try SmallFile.createReplacement(disk, directory: directory, name: kafkas)
    let written = LogStartCheckpoint(
      birth: try file.birth(),
      previousBirth: try disk.openIfPresent("\(directory)/\(kafkas)")?.birth(), content: content)
    try SmallFile.writeAtomically(disk, directory: directory, name: name, written.encoded)
    try SmallFile.finishReplacement(file, disk, directory: directory, name: kafkas, content)
  }

  /// The file's content.
  var encoded: [UInt8] {
    let header =
      "version: 2\n" + Self.lines(birth, Self.inodeKey, Self.timeKey)
      + Self.lines(previousBirth, Self.previousInodeKey, Self.previousTimeKey)
    return CheckedText.encode(Array(header.utf8) + content)
  }

  /// The content in the older form, without the previous file.
  private var oldEncoded: [UInt8] {
    let header = Self.oldVersion + Self.lines(birth, Self.inodeKey, Self.timeKey)
    return CheckedText.encode(Array(header.utf8) + content)
  }

  private static func lines(
    _ birth: FileBirth?, _ inodeKey: String, _ timeKey: String
  ) -> String {
    let inode = birth.map { "\($0.inode)" } ?? unknown
    let timeNs = birth.map { "\($0.timeNs)" } ?? unknown
    return "\(inodeKey)\(inode)\n\(timeKey)\(timeNs)\n"
  }

  private static let oldVersion = "version: 1\n"
  private static let inodeKey = "inode: "
  private static let timeKey = "birth_time_ns: "
  private static let previousInodeKey = "previous_inode: "
  private static let previousTimeKey = "previous_birth_time_ns: "
  private static let unknown = "unknown"
}
