internal import DiskIO

/// The file `mkstore.history` of a log: one line for each opening that changed or found something,
/// oldest first, so that an operator can ask what happened and when. Bounded; the oldest lines go
/// first.
package enum RecoveryHistory {
  /// Name of the file.
  package static let fileName = "mkstore.history"
  /// Lines kept.
  package static let linesMax = 200

  /// Adds what an opening did; a failure to write is returned as a note, since the log itself is
  /// fine.
  static func add(_ report: RecoveryReport, to directory: LogDirectory, nowMs: Int64) -> String? {
    do throws(CheckpointError) {
      let found = try read(directory)
      var lines = found.lines
      if !found.isSound { lines.append("\(nowMs) \(wrongChecksum)") }
      lines += text(of: report).map { "\(nowMs) \($0)" }
      let kept = lines.suffix(linesMax).joined(separator: "\n") + "\n"
      do throws(DiskError) {
        try SmallFile.writeAtomically(
          directory.disk, directory: directory.path, name: fileName,
          CheckedText.encode(Array(kept.utf8)))
      } catch {
        throw .disk(error)
      }
      return nil
    } catch {
      return "the recovery history could not be written: \(error)"
    }
  }

  /// What a log's history file holds.
  package struct Content: Sendable, Equatable {
    /// Oldest first: "<ms since 1970> <what happened>".
    package var lines: [String] = []
    /// False where the CRC is wrong: some line may not be as it was written.
    package var isSound = true
  }

  /// What is said of a file whose CRC is wrong.
  package static let wrongChecksum = "the lines before may be damaged: their CRC is wrong"

  /// Reads a log's history; empty where it has none.
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
    for file in report.removedFiles { lines.append("removed \(file)") }
    return lines.map { $0.split(separator: "\n").joined(separator: " ") }
  }
}
