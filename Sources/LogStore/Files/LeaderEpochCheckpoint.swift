package import DiskIO

/// Which leader epoch each part of a log was written in (`leader-epoch-checkpoint` in its
/// directory).
package struct LeaderEpochCheckpoint: Sendable, Equatable {
  /// The file's name.
  package static let name = "leader-epoch-checkpoint"

  /// The first offset of an epoch.
  package struct Entry: Sendable, Hashable {
    /// Leader epoch, not negative.
    package var epoch: Int32
    /// Offset of the first record written in it.
    package var startOffset: Int64

    /// Memberwise.
    package init(epoch: Int32, startOffset: Int64) {
      self.epoch = epoch
      self.startOffset = startOffset
    }
  }

  /// Epochs and offsets both rise strictly.
  package var entries: [Entry]

  /// Memberwise.
  package init(_ entries: [Entry] = []) {
    self.entries = entries
  }

  /// Reads a log's checkpoint; nil if there is none.
  package static func read(
    _ disk: any Disk, directory: String
  ) throws(CheckpointError) -> LeaderEpochCheckpoint? {
    let path = "\(directory)/\(name)"
    guard let bytes = try SmallFile.read(disk, path) else { return nil }
    return try LeaderEpochCheckpoint(bytes, path: path)
  }

  /// Reads a file's content; `path` is for messages. Entries that do not rise are refused.
  package init(_ bytes: [UInt8], path: String) throws(CheckpointError) {
    entries = try Checkpoint.decode(bytes, path: path, entry: Self.entry)
    for (index, (last, next)) in zip(entries, entries.dropFirst()).enumerated()
    where last.epoch >= next.epoch || last.startOffset >= next.startOffset {
      throw .unreadable(
        path: path, line: index + 4,
        what: "epoch \(next.epoch) at \(next.startOffset) does not rise above "
          + "epoch \(last.epoch) at \(last.startOffset)")
    }
  }

  /// Removes the epochs that ended before `offset`, and makes the one of `offset` begin there, as
  /// Kafka's `truncateFromStart` does.
  package mutating func cut(before offset: Int64) {
    guard let first = entries.lastIndex(where: { $0.startOffset <= offset }) else { return }
    entries.removeFirst(first)
    entries[0].startOffset = offset
  }

  /// Replaces a log's checkpoint, durably.
  package func write(_ disk: any Disk, directory: String) throws(DiskError) {
    try SmallFile.writeAtomically(disk, directory: directory, name: Self.name, encoded)
  }

  /// The file's content.
  package var encoded: [UInt8] {
    Checkpoint.encode(entries.map { "\($0.epoch) \($0.startOffset)" })
  }

  /// The last epoch; 0 if there is none.
  package var latest: Int32 { entries.last?.epoch ?? 0 }

  /// The epoch that `offset` was written in; nil below the first entry.
  package func epoch(at offset: Int64) -> Int32? {
    entries.last { $0.startOffset <= offset }?.epoch
  }

  private static func entry(_ fields: [Substring]) throws(Checkpoint.LineError) -> Entry {
    guard fields.count == 2, let epoch = Int32(fields[0]), let offset = Int64(fields[1]),
      epoch >= 0, offset >= 0
    else { throw Checkpoint.LineError("expected 'epoch startOffset'") }
    return Entry(epoch: epoch, startOffset: offset)
  }
}
