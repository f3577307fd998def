import LogStore

/// What opening a log found and did, for people.
enum RecoveryText {
  /// One line for each change, and for each remaining damage.
  static func lines(_ report: RecoveryReport) -> [String] {
    actions(report, .done) + damage(report)
  }

  /// Whether a change was made or is only planned.
  enum Tense {
    case done, planned

    /// A change's first words; they include those for a done change, so that searches find both.
    func verb(_ done: String) -> String { self == .done ? done : "would be \(done):" }

    /// A file that is rebuilt from the log.
    func rebuilt(_ file: String) -> String { "\(verb("rebuilt")) \(file)" }
  }

  /// One line for each change.
  static func actions(_ report: RecoveryReport, _ tense: Tense) -> [String] {
    var lines: [String] = []
    for cut in report.cuts {
      let kept = cut.keptAs.map { ", kept as \($0)" } ?? notKept(cut, tense)
      let what =
        cut.isWholeFile
        ? "\(tense.verb("set aside")) \(cut.file), \(cut.bytes) bytes"
        : "\(tense.verb("cut")) \(cut.bytes) bytes of an unfinished write from "
          + "\(cut.file) at position \(cut.position)"
      lines.append("\(what)\(kept): \(cut.reason)")
    }
    lines += report.rebuiltIndexes.map { tense.rebuilt($0) }
    lines += report.removedFiles.map { "\(tense.verb("removed")) \($0.path): \($0.reason)" }
    return lines
  }

  /// For bytes that are not kept yet, or were not.
  private static func notKept(_ cut: RecoveryReport.Cut, _ tense: Tense) -> String {
    let folder = "\(PathText.parent(cut.file))/\(KeptBytes.directoryName)"
    return tense == .done
      ? ", not kept: all zeros, or no space left" : ", kept in \(folder) unless all zeros"
  }

  /// One line for each remaining damage.
  static func damage(_ report: RecoveryReport) -> [String] {
    report.damage.map { "damaged: \($0) (not repairable; the rest stays readable)" }
      + report.sideFileDamage.filter { !$0.isMendedByOpen }.map { "damaged: \($0)" }
  }

  /// The same as one object.
  static func object(_ log: String, path: String, _ report: RecoveryReport) -> JSONObject {
    var object = JSONObject(type: "recovery")
    object.add("log", log)
    object.add("path", path)
    object.add("cleanStop", report.wasClean)
    object.add("logStartOffset", report.logStartOffset)
    object.add("logEndOffset", report.logEndOffset)
    object.add("segments", report.segmentCount)
    object.add("bytesScanned", report.bytesScanned)
    object.add("rows", report.rows)
    object.add("cuts", report.cuts.map(cut))
    object.add("damage", report.damage.map { DamageText.part($0) })
    object.add("rebuiltIndexes", report.rebuiltIndexes)
    object.add("removedFiles", report.removedFiles.map(\.path))
    object.add("wrongFiles", report.sideFileDamage.map { "\($0)" })
    object.add("unreadableFiles", report.unreadableFiles)
    object.add("notes", report.notes)
    return object
  }

  private static func cut(_ cut: RecoveryReport.Cut) -> JSONObject {
    var object = JSONObject()
    object.add("file", cut.file)
    object.add("position", cut.position)
    object.add("bytes", cut.bytes)
    object.add("keptAs", cut.keptAs)
    object.add("wholeFile", cut.isWholeFile)
    object.add("reason", cut.reason)
    return object
  }
}
