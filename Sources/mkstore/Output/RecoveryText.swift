import LogStore

/// What opening a log found and did, for people.
enum RecoveryText {
  /// One line for each event.
  static func lines(_ report: RecoveryReport) -> [String] {
    var lines: [String] = []
    for cut in report.cuts {
      let kept = cut.keptAs.map { ", kept as \($0)" } ?? ", not kept"
      lines.append(
        "cut \(cut.bytes) bytes of an unfinished write from \(cut.file) at position "
          + "\(cut.position)\(kept): \(cut.reason)")
    }
    lines += report.damage.map { "damaged: \($0); everything around it is served" }
    lines += report.rebuiltIndexes.map { "rebuilt \($0)" }
    lines += report.removedFiles.map { "removed \($0)" }
    return lines
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
    object.add("removedFiles", report.removedFiles)
    object.add("notes", report.notes)
    return object
  }

  private static func cut(_ cut: RecoveryReport.Cut) -> JSONObject {
    var object = JSONObject()
    object.add("file", cut.file)
    object.add("position", cut.position)
    object.add("bytes", cut.bytes)
    object.add("keptAs", cut.keptAs)
    object.add("reason", cut.reason)
    return object
  }
}
