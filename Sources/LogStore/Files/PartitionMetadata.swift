package import DiskIO

/// The identity of a log's topic (`partition.metadata` in its directory).
package struct PartitionMetadata: Sendable, Equatable {
  /// The file's name.
  package static let name = "partition.metadata"

  /// Never `Uuid.zero`.
  package var topicId: Uuid

  /// Memberwise.
  package init(topicId: Uuid) {
    self.topicId = topicId
  }

  /// Reads a log's file; nil if there is none.
  package static func read(
    _ disk: any Disk, directory: String
  ) throws(CheckpointError) -> PartitionMetadata? {
    let path = "\(directory)/\(name)"
    guard let bytes = try SmallFile.read(disk, path) else { return nil }
    return try PartitionMetadata(bytes, path: path)
  }

  /// Reads a file's content; `path` is for messages.
  package init(_ bytes: [UInt8], path: String) throws(CheckpointError) {
    var lines = try TextLines(bytes, path: path)
    let version = try Self.value(of: "version", &lines)
    guard version == "0" else { throw lines.error("version '\(version)', expected 0") }
    let text = try Self.value(of: "topic_id", &lines)
    guard let id = Uuid(text), id != .zero else { throw lines.error("'\(text)' is not a topic id") }
    if let more = try lines.next() { throw lines.error("unexpected '\(more.prefix(80))'") }
    topicId = id
  }

  /// Writes a log's file, durably.
  package func write(_ disk: any Disk, directory: String) throws(DiskError) {
    try SmallFile.writeAtomically(disk, directory: directory, name: Self.name, encoded)
  }

  /// The file's content, without a final newline, as Kafka writes it.
  package var encoded: [UInt8] {
    Array("version: 0\ntopic_id: \(topicId)".utf8)
  }

  private static func value(
    of key: String, _ lines: inout TextLines
  ) throws(CheckpointError) -> Substring {
    guard let line = try lines.next(), line.hasPrefix("\(key): ") else {
      throw lines.error("expected '\(key): …'")
    }
    return line.dropFirst(key.count + 2)
  }
}
