internal import DiskIO

/// The file `mkstore.history` of a log: one line for each opening that changed or found something,
/// oldest first, so that an operator can see what happened and when. Bounded; the oldest lines are
/// removed first.
package enum RecoveryHistory {
  /// Name of the file.
  package static let fileName = "mkstore.history"

  /// Adds what an opening did, and removes the oldest lines beyond `linesMax`, in one atomic write;
  /// writes nothing if neither is needed. A failure is returned as a note, since the log itself is
  /// fine.
  static func add(
    _ report: RecoveryReport, to directory: LogDirectory, nowMs: Int64, linesMax: Int
  ) -> String? {
    do throws(CheckpointError) {
      let found = try read(directory)
      let news = report.isEventful ? text(of: report) : []
      guard !news.isEmpty || found.lines.count > linesMax else { return nil }
      var lines = found.lines
      if !found.isSound { lines.append("\(nowMs) \(wrongChecksum)") }
      lines += news.map { "\(nowMs) \($0)" }
      try write(newest(linesMax, of: lines), to: directory)
      return nil
    } catch {
      return "the recovery history could not be written: \(error)"
    }
  }

  /// The last lines, few enough that the file can be read again.
  static func newest(
    _ linesMax: Int, of lines: [String],
    bytesMax: Int = SmallFile.bytesMax - CheckedText.encode([]).count
  ) -> [UInt8] {
    var bytesLeft = bytesMax
    let count = lines.suffix(linesMax).reversed().prefix { line in
      bytesLeft -= line.utf8.count + 1
      return bytesLeft >= 0
    }.count
    return lines.suffix(count).flatMap { Array($0.utf8) + [UInt8(ascii: "\n")] }
  }

  private static func write(
    _ text: [UInt8], to directory: LogDirectory
  ) throws(CheckpointError) {
    do throws(DiskError) {
      try SmallFile.writeAtomically(
        directory.disk, directory: directory.path, name: fileName, CheckedText.encode(text))
    } catch {
      throw .disk(error)
    }
  }

  /// What a log's history file holds.
  package struct Content: Sendable, Equatable {
    /// Oldest first: "<ms since 1970> <what happened>".
    package var lines: [String] = []
    /// False if the CRC is wrong: some line may have changed since it was written.
    package var isSound = true
  }

  /// The text about a file whose CRC is wrong.
  package static let wrongChecksum = "the lines before may be damaged: their CRC is wrong"

  /// The finding for a file whose CRC is wrong. The next line written mentions it, so nothing else
  /// needs to be done.
  static func wrongFile(_ directory: LogDirectory) -> SideFileDamage {
    SideFileDamage(
      file: directory.path(fileName),
      reason: "the CRC in its first line is wrong; the lines are kept", remedy: nil)
  }

  /// Reads a log's history; empty if it has none.
  package static func read(_ directory: LogDirectory) throws(CheckpointError) -> Content {
    guard let bytes = try SmallFile.read(directory.disk, directory.path(fileName)) else {
      return Content()
    }
    let checked = CheckedText(bytes)
    return Content(
      lines: String(decoding: checked.text, as: UTF8.self).split(separator: "\n").map(String.init),
      isSound: checked.check != .wrong)
  }

  private static func text(of report: RecoveryReport) -> [String] {
    var lines: [String] = []
    for cut in report.cuts {
      let kept = cut.keptAs.map { ", kept as \($0)" } ?? ", not kept"
      lines.append(
        "cut \(cut.bytes) bytes of \(cut.file) at position \(cut.position)\(kept): \(cut.reason)")
    }
    for range in report.damage { lines.append("damaged \(range)") }
    for index in report.rebuiltIndexes { lines.append("rebuilt \(index)") }
    for file in report.removedFiles { lines.append("removed \(file.path): \(file.reason)") }
    for file in report.droppedKeptFiles {
      lines.append("removed \(file.path), \(file.bytes) bytes: beyond the bound of .bad/")
    }
    return lines.map { $0.split(separator: "\n").joined(separator: " ") }
  }
}
