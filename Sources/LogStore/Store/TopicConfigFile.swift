package import DiskIO

/// The file `mkstore.topic` in a log's directory: its topic's settings
/// (docs/format.md#mkstoretopic).
package enum TopicConfigFile {
  /// Name of the file.
  package static let name = "mkstore.topic"
  /// Largest file that is read.
  package static let bytesMax = 64 << 10

  /// The content of a file.
  package struct Content: Sendable, Equatable {
    package var config: TopicConfig
    /// The policy session (`StoreSession`) in which these settings were set; nil in a file from
    /// before there was retention, or written by hand.
    var policySession: UInt64?
    /// The file's bytes if it has no CRC yet.
    package var unchecked: [UInt8]?
  }

  /// Reads a log's file; nil if it has none.
  ///
  /// - Throws: `.disk`; `.unreadable` if a setting, or all of them, cannot be trusted.
  package static func read(
    _ disk: any Disk, directory: String
  ) throws(CheckpointError) -> Content? {
    let path = "\(directory)/\(name)"
    if let bytes = try SmallFile.read(disk, path, limit: bytesMax) {
      return try decode(bytes, path: path)
    }
    let isThere: Bool
    do throws(DiskError) {
      isThere = try disk.status(path) != nil
    } catch {
      throw .disk(error)
    }
    if isThere { throw .unreadable(path: path, line: nil, what: "is not a regular file") }
    return nil
  }

  /// Reads a file's content; `path` is for messages.
  package static func decode(_ bytes: [UInt8], path: String) throws(CheckpointError) -> Content {
    let checked = CheckedText(bytes)
    if checked.check == .wrong {
      throw .unreadable(path: path, line: nil, what: "the CRC in its first line is wrong")
    }
    let properties = try JavaProperties(checked.text, path: path)
    let session = policySession(checked.text)
    guard !properties.pairs.isEmpty || session != nil else {
      throw .unreadable(path: path, line: nil, what: "holds no setting")
    }
    var values: [String: String] = [:]
    for pair in properties.pairs { values[pair.key] = pair.value }
    do throws(LogError) {
      return Content(
        config: try TopicConfig(values), policySession: session,
        unchecked: checked.check == .missing ? bytes : nil)
    } catch {
      throw .unreadable(path: path, line: nil, what: "\(error)")
    }
  }

  /// Replaces a log's file, durably.
  package static func write(
    _ config: TopicConfig, policySession: UInt64? = nil, _ disk: any Disk, directory: String
  ) throws(DiskError) {
    let line = policySession.map { "\(sessionKey)\(StoreSession.text($0))\n" } ?? ""
    try write(text: Array(line.utf8) + text(config), disk, directory: directory)
  }

  /// A comment in properties files, so that older engines ignore it.
  private static let sessionKey = "#policy_session: "

  private static func policySession(_ text: [UInt8]) -> UInt64? {
    for line in text.split(separator: UInt8(ascii: "\n"))
    where line.starts(with: sessionKey.utf8) {
      return StoreSession.id(String(decoding: line.dropFirst(sessionKey.utf8.count), as: UTF8.self))
    }
    return nil
  }

  /// Adds a CRC to a file that has none, durably; its text and comments stay.
  package static func write(
    text: [UInt8], _ disk: any Disk, directory: String
  ) throws(DiskError) {
    try SmallFile.writeAtomically(
      disk, directory: directory, name: name, CheckedText.encode(text))
  }

  /// The settings by rising name.
  private static func text(_ config: TopicConfig) -> [UInt8] {
    var properties = JavaProperties()
    for (name, value) in config.values.sorted(by: { $0.key < $1.key }) {
      properties[name] = value
    }
    return properties.encoded
  }
}
