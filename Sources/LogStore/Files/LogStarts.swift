internal import DiskIO

/// The log starts in a store's directory: those of Kafka's checkpoint or, if that is corrupted,
/// those that this engine had written to it.
struct LogStarts: Sendable {
  /// The start of each log that has a line.
  private(set) var offsets: [TopicPartition: Int64] = [:]
  /// What is wrong with the files; the next opening for writing replaces both.
  private(set) var faults: [CheckpointError] = []

  /// Whether Kafka's file is not one that this engine wrote: a broker had the directory since.
  private(set) var isBrokers = false

  /// No starts.
  init() {}

  /// Reads both files.
  ///
  /// - Throws: If one of them may not be opened. Invalid content, or content that the disk cannot
  ///   read, is a fault.
  init(_ disk: any Disk, directory: String) throws(DiskError) {
    let own = try take { () throws(CheckpointError) in
      try LogStartCheckpoint.read(disk, directory: directory)
    }
    let path = "\(directory)/\(OffsetCheckpoint.Name.logStart.rawValue)"
    let faultCount = faults.count
    let found = try take { () throws(CheckpointError) in
      try SmallFile.readWithBirth(disk, path)
    }
    let isLost = faults.count > faultCount
    guard var content = found?.bytes ?? (isLost ? own?.content : nil) else { return }
    isBrokers = found.map { !Self.isOurs($0.birth, $0.bytes, own) } ?? false
    // A broker replaces the file and never changes it in place.
    if let own, let birth = own.birth, birth == found?.birth, own.content != content {
      content = own.content
      faults.append(
        .unreadable(
          path: path, line: nil,
          what: "is not as it was written; the log starts are taken from "
            + LogStartCheckpoint.name))
    }
    offsets =
      try take { () throws(CheckpointError) -> [TopicPartition: Int64]? in
        try OffsetCheckpoint(content, path: path).offsets
      } ?? [:]
  }

  /// Whether a file is one that this engine wrote.
  private static func isOurs(
    _ birth: FileBirth?, _ content: [UInt8], _ own: LogStartCheckpoint?
  ) -> Bool {
    guard let own else { return false }
    guard let birth, own.birth != nil else { return content == own.content }
    return birth == own.birth || birth == own.previousBirth
  }

  /// Turns an unreadable file into a fault.
  private mutating func take<Content>(
    _ read: () throws(CheckpointError) -> Content?
  ) throws(DiskError) -> Content? {
    do throws(CheckpointError) {
      return try read()
    } catch {
      guard case .disk(let refused) = error else {
        faults.append(error)
        return nil
      }
      // Content that the disk cannot read is lost.
      guard refused.isUnreadableSector else { throw refused }
      faults.append(.unreadable(path: refused.path, line: nil, what: "\(refused)"))
      return nil
    }
  }
}
