internal import DiskIO
internal import MkstoreBytes

/// The file `mkstore.lost` of a log: offsets that an opening found lost, as it reported them, and
/// bytes at or after the recovery point that it found damaged. It is needed because the evidence
/// changes with the opening and with later appends.
///
/// So the same loss is reported before and after, and damage is never taken for an unfinished
/// write. A line each, `<first offset> <end offset> <position> <file> <reason>`, for damaged bytes
/// with `<position>-<end position>`; then the segment ends of `KnownEnd`, and last `crc32c
/// <hexadecimal>` of the lines before. Kafka ignores the file. A loss is reported up to the first
/// valid batch at one of its offsets. The next opening for writing replaces a wrong file.
package enum KnownLosses {
  /// Name of the file.
  package static let fileName = "mkstore.lost"
  private static let notesMax = 1000

  /// The file's content.
  package struct Content: Sendable, Equatable {
    /// Offsets that are lost, without damaged bytes.
    package var losses: [DamagedRange] = []
    /// Bytes that were found damaged.
    package var fenced: [DamagedRange] = []
    /// Ends of segments that the next one's name does not give.
    var ends: [KnownEnd] = []

    /// Whether an invalid batch there was recorded as damage.
    func isFenced(_ file: String, at position: Int) -> Bool {
      fenced.contains { $0.file == file && $0.bytes.lowerBound == position }
    }
  }

  /// The recorded losses; a wrong file is reported and ignored.
  static func read(
    _ directory: LogDirectory, _ entries: [DirectoryEntry], _ names: inout LogFrame.NameFindings
  ) throws(DiskError) -> Content {
    let path = directory.path(fileName)
    func report(_ what: String, remedy: String?) {
      names.sideFileDamage.append(
        SideFileDamage(
          file: path, reason: "\(what); losses that earlier openings noted in it are not known",
          remedy: remedy))
    }
    do throws(CheckpointError) {
      if let bytes = try SmallFile.read(directory.disk, path) {
        if let notes = decode(bytes, directory) { return notes }
        report("its CRC or one of its lines is wrong", remedy: nil)
      } else if entries.contains(where: { $0.name == fileName && $0.kind == .directory }) {
        report("is a directory", remedy: SideFileRemedy.noFile)
      }
    } catch {
      if case .disk(let error) = error { throw error }
      report("is too large", remedy: nil)
    }
    return Content()
  }

  /// Removes recorded losses from the file, durably.
  static func forget(
    in directory: LogDirectory, where isForgotten: (DamagedRange) -> Bool
  ) throws(DiskError) {
    let bytes: [UInt8]?
    do throws(CheckpointError) {
      bytes = try SmallFile.read(directory.disk, directory.path(fileName))
    } catch {
      // A wrong file is ignored; the next opening replaces it.
      if case .disk(let error) = error { throw error }
      return
    }
    guard let bytes, let notes = decode(bytes, directory) else { return }
    var left = notes
    left.losses.removeAll(where: isForgotten)
    left.fenced.removeAll(where: isForgotten)
    if left == notes { return }
    try SmallFile.writeAtomically(
      directory.disk, directory: directory.path, name: fileName, encode(left))
  }

  /// Whether the file is wrong and the next opening replaces it.
  static func isWrong(_ damage: [SideFileDamage], in directory: LogDirectory) -> Bool {
    damage.contains { $0.file == directory.path(fileName) && $0.isMendedByOpen }
  }

  static func encode(_ content: Content) -> [UInt8] {
    var text = ""
    for note in (content.losses + content.fenced).suffix(notesMax) {
      guard let offsets = note.offsets else { continue }
      let reason = note.reason.split(separator: "\n").joined(separator: " ")
      text += "\(offsets.lowerBound) \(offsets.upperBound) \(note.bytes.lowerBound)"
      if !note.bytes.isEmpty { text += "-\(note.bytes.upperBound)" }
      text += " \(PathText.lastComponent(note.file)) \(reason)\n"
    }
    for end in content.ends.suffix(notesMax) { text += "\(end.line)\n" }
    let bytes = Array(text.utf8)
    let crc = String(CRC32C.checksum(bytes.span), radix: 16)
    return bytes + Array("crc32c \(crc)\n".utf8)
  }

  private static func decode(_ bytes: [UInt8], _ directory: LogDirectory) -> Content? {
    let text = String(decoding: bytes, as: UTF8.self)
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    guard lines.popLast() == "", let last = lines.popLast() else { return nil }
    let content = lines.map { $0 + "\n" }.joined()
    let crc = String(CRC32C.checksum(Array(content.utf8).span), radix: 16)
    guard last == "crc32c \(crc)" else { return nil }
    var notes = Content()
    for line in lines {
      if let end = KnownEnd(line) {
        notes.ends.append(end)
      } else if let note = decode(line, directory) {
        if note.bytes.isEmpty { notes.losses.append(note) } else { notes.fenced.append(note) }
      } else {
        return nil
      }
    }
    return notes
  }

  private static func decode(_ line: Substring, _ directory: LogDirectory) -> DamagedRange? {
    let fields = line.split(separator: " ", maxSplits: 4)
    guard fields.count == 5, let first = Int64(fields[0]), let end = Int64(fields[1]) else {
      return nil
    }
    let positions = fields[2].split(separator: "-", omittingEmptySubsequences: false)
    guard positions.count <= 2, let start = positions.first.flatMap({ Int($0) }), start >= 0,
      let stop = positions.last.flatMap({ Int($0) }), stop >= start, first <= end,
      first < end || start < stop
    else { return nil }
    return DamagedRange(
      file: directory.path(String(fields[3])), bytes: start..<stop, offsets: first..<end,
      reason: String(fields[4]))
  }
}
