internal import DiskIO

extension Truncation {
  private static let bytesMax = 16 << 20

  /// Reads the file of an unfinished truncation, or of the last that is done; nil if there is none.
  static func read(
    _ name: String, in directory: LogDirectory
  ) throws(CheckpointError) -> Truncation? {
    let path = directory.path(name)
    guard let bytes = try SmallFile.read(directory.disk, path, limit: bytesMax) else { return nil }
    guard let truncation = Truncation(bytes) else {
      throw .unreadable(path: path, line: nil, what: "the CRC or another part of it is wrong")
    }
    return truncation
  }

  /// Commits it: from here on every opening completes it. Durable.
  func begin(in directory: LogDirectory) throws(DiskError) {
    try SmallFile.writeAtomically(
      directory.disk, directory: directory.path, name: Self.pendingName, encoded)
  }

  /// The file's content.
  var encoded: [UInt8] {
    func list(_ entries: [LeaderEpochCheckpoint.Entry]) -> String {
      entries.map { " \($0.epoch)@\($0.startOffset)" }.joined()
    }
    var text = """
      version: 1
      direction: \(direction.rawValue)
      offsets: \(shortEnd) \(longEnd)
      last_segment: \(lastBase) \(isReplaced ? "replaced" : "kept")
      epochs:\(list(epochs))
      epochs_before:\(list(epochsBefore))
      mark_flags: \(markFlags)

      """
    for file in files {
      text += "file: \(file.name.fileName) \(file.byteCount) \(file.keptAs)\n"
    }
    return CheckedText.encode(Array(text.utf8))
  }

  /// Reads a file's content; nil if it is not what `encoded` writes.
  init?(_ bytes: [UInt8]) {
    let checked = CheckedText(bytes)
    guard checked.check == .right else { return nil }
    var values: [Substring: [Substring]] = [:]
    var files: [File] = []
    for line in String(decoding: checked.text, as: UTF8.self).split(separator: "\n") {
      guard let colon = line.firstIndex(of: ":") else { return nil }
      let fields = line[line.index(after: colon)...].split(separator: " ")
      if line[..<colon] == "file" {
        guard let file = File(fields) else { return nil }
        files.append(file)
      } else {
        values[line[..<colon]] = fields
      }
    }
    func field(_ key: Substring, _ index: Int) -> Substring {
      let fields = values[key] ?? []
      return index < fields.count ? fields[index] : ""
    }
    func entries(_ key: Substring) -> [LeaderEpochCheckpoint.Entry] {
      (values[key] ?? []).map { text in
        let parts = text.split(separator: "@")
        return .init(
          epoch: parts.first.flatMap { Int32($0) } ?? -1,
          startOffset: parts.last.flatMap { Int64($0) } ?? -1)
      }
    }
    guard let direction = Direction(rawValue: String(field("direction", 0))),
      let short = Int64(field("offsets", 0)), let long = Int64(field("offsets", 1)),
      let last = Int64(field("last_segment", 0)), last >= 0, last <= short, short <= long
    else { return nil }
    self.init(
      direction: direction, shortEnd: short, longEnd: long, lastBase: last,
      isReplaced: field("last_segment", 1) == "replaced", epochs: entries("epochs"),
      epochsBefore: entries("epochs_before"), markFlags: UInt32(field("mark_flags", 0)) ?? 0,
      files: files)
    guard encoded == bytes else { return nil }
  }
}

extension Truncation.File {
  fileprivate init?(_ fields: [Substring]) {
    guard fields.count == 3, let name = SegmentName(String(fields[0])), name.stage == nil,
      let byteCount = Int(fields[1]), byteCount >= 0, !fields[2].contains("/")
    else { return nil }
    self.init(name: name, byteCount: byteCount, keptAs: String(fields[2]))
  }
}
