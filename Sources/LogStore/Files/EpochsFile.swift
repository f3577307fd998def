internal import DiskIO

/// The leader epochs of a log that only this engine has written (`mkstore.epochs` in the log's
/// directory), from the first truncation on.
///
/// Text with a CRC (docs/format.md#mkstoreepochs), since Kafka's `leader-epoch-checkpoint` has
/// none. Batches are checked against it, and Kafka's file is rebuilt from it. Read strictly:
/// content that is not byte for byte what `encode` writes is unreadable. A log that never left
/// epoch 0 has no such file.
enum EpochsFile {
  /// Name of the file.
  static let name = "mkstore.epochs"

  /// The epochs; nil if there is no file.
  static func read(
    _ directory: LogDirectory
  ) throws(CheckpointError) -> LeaderEpochCheckpoint? {
    let path = directory.path(name)
    guard let bytes = try SmallFile.read(directory.disk, path) else { return nil }
    guard let epochs = decode(bytes) else {
      throw .unreadable(path: path, line: nil, what: "the CRC or another part of it is wrong")
    }
    return epochs
  }

  /// Replaces the file, durably.
  static func write(
    _ epochs: LeaderEpochCheckpoint, _ directory: LogDirectory
  ) throws(DiskError) {
    try SmallFile.writeAtomically(
      directory.disk, directory: directory.path, name: name, encode(epochs))
  }

  /// The file's content.
  static func encode(_ epochs: LeaderEpochCheckpoint) -> [UInt8] {
    let lines = epochs.entries.map { "\($0.epoch) \($0.startOffset)\n" }
    return CheckedText.encode(Array("version: 1\n\(lines.joined())".utf8))
  }

  /// Reads the file's content; nil if it is not what `encode` writes.
  static func decode(_ bytes: [UInt8]) -> LeaderEpochCheckpoint? {
    let lines = String(decoding: CheckedText(bytes).text, as: UTF8.self).split(separator: "\n")
    var entries: [LeaderEpochCheckpoint.Entry] = []
    for line in lines.dropFirst() {
      let fields = line.split(separator: " ")
      guard fields.count == 2, let epoch = Int32(fields[0]), let offset = Int64(fields[1]) else {
        return nil
      }
      entries.append(.init(epoch: epoch, startOffset: offset))
    }
    let epochs = LeaderEpochCheckpoint(entries)
    return entries.isEmpty || encode(epochs) != bytes ? nil : epochs
  }
}
