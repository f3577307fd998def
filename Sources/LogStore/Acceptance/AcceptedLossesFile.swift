internal import DiskIO

/// The file `mkstore.accepted` of a log: the losses that were accepted, oldest first.
///
/// Text with a CRC (docs/format.md#mkstoreaccepted), a line each: `<first offset> <end offset>
/// <position>-<end position> <ms since 1970> <file> <name in .bad or -> <reason>`. Kafka ignores
/// it. Emptying `.bad/` leaves it alone.
enum AcceptedLossesFile {
  /// Name of the file.
  static let name = "mkstore.accepted"

  /// The losses; empty if there is no file.
  ///
  /// - Throws: `.unreadable` if the CRC or a line is wrong.
  static func read(_ directory: LogDirectory) throws(CheckpointError) -> [AcceptedLoss] {
    let path = directory.path(name)
    guard let bytes = try SmallFile.read(directory.disk, path) else { return [] }
    let checked = CheckedText(bytes)
    guard checked.check == .right else {
      throw .unreadable(path: path, line: nil, what: "its CRC is wrong or missing")
    }
    let text = String(decoding: checked.text, as: UTF8.self)
    var losses: [AcceptedLoss] = []
    for (index, line) in text.split(separator: "\n").enumerated() {
      guard let loss = AcceptedLoss(line: line) else {
        throw .unreadable(path: path, line: index + 2, what: "it is not an accepted loss")
      }
      losses.append(loss)
    }
    return losses
  }

  /// The losses, for changing the list.
  ///
  /// - Throws: `.corrupt` with the file if it is wrong: replacing it would lose its content.
  static func known(in directory: LogDirectory) throws(LogError) -> [AcceptedLoss] {
    do throws(CheckpointError) {
      return try read(directory)
    } catch {
      if case .disk(let error) = error { throw LogError(error) }
      throw .corrupt(
        DamagedRange(
          file: directory.path(name), bytes: 0..<0, offsets: 0..<0,
          reason: "\(error); move the file away to begin a new list"))
    }
  }

  /// Replaces the file, durably; removes it if there is no loss.
  static func write(
    _ losses: [AcceptedLoss], _ directory: LogDirectory
  ) throws(DiskError) {
    if losses.isEmpty {
      try KeptBytes.remove(directory.path(name), directory.disk)
      return try directory.disk.syncDirectory(directory.path)
    }
    let text = losses.map { $0.line + "\n" }.joined()
    try SmallFile.writeAtomically(
      directory.disk, directory: directory.path, name: name, CheckedText.encode(Array(text.utf8)))
  }
}

extension AcceptedLoss {
  fileprivate var line: String {
    let reason = reason.split(separator: "\n").joined(separator: " ")
    return "\(offsets.lowerBound) \(offsets.upperBound) \(bytes.lowerBound)-\(bytes.upperBound) "
      + "\(acceptedMs) \(file) \(keptAs ?? "-") \(reason)"
  }

  fileprivate init?(line: Substring) {
    let fields = line.split(separator: " ", maxSplits: 6)
    guard fields.count == 7, let first = Int64(fields[0]), let end = Int64(fields[1]),
      first >= 0, first <= end, let ms = Int64(fields[3])
    else { return nil }
    let positions = fields[2].split(separator: "-", omittingEmptySubsequences: false)
    guard positions.count == 2, let start = Int(positions[0]), let stop = Int(positions[1]),
      start >= 0, start <= stop
    else { return nil }
    self.init(
      offsets: first..<end, file: String(fields[4]), bytes: start..<stop,
      keptAs: fields[5] == "-" ? nil : String(fields[5]), acceptedMs: ms,
      reason: String(fields[6]))
  }
}
