import DiskIO
import LogStore

/// What `verify` found, as text and as objects.
enum VerificationText {
  /// Damage, one line each, and the sum as the last line; notes go to standard error.
  static func print(_ report: VerificationReport, to out: inout OutputBuffer) {
    for note in report.notes { Messages.say("note: \(note)") }
    for tail in report.tornTails {
      out.line("unfinished write: \(tail) (no damage; the next open for writing cuts it off)")
    }
    for range in report.damage { out.line("damaged: \(range)") }
    for damage in report.sideFileDamage {
      out.line("\(damage.isMendedByOpen ? "to be repaired" : "damaged"): \(damage)")
    }
    for error in report.unreadable { out.line("unreadable: \(error)") }
    out.line(report.summary)
  }

  /// The same as objects, the sum last.
  static func print(objectsOf report: VerificationReport, to out: inout OutputBuffer) {
    for note in report.notes { out.line(object("note", note.file, text: note.text)) }
    for tail in report.tornTails {
      var object = JSONObject(type: "unfinishedWrite")
      object.add("file", tail.file)
      object.add("position", tail.bytes.lowerBound)
      object.add("bytes", tail.bytes.count)
      object.add("firstOffset", tail.offset)
      object.add("reason", tail.reason)
      out.line(object)
    }
    for range in report.damage { out.line(DamageText.object(range)) }
    for damage in report.sideFileDamage {
      var object = object("sideFileDamage", damage.file, text: damage.reason)
      object.add("mendedByOpen", damage.isMendedByOpen)
      object.add("remedy", damage.remedy)
      out.line(object)
    }
    for error in report.unreadable { out.line(object("unreadable", error.path, text: "\(error)")) }
    for log in report.logs { out.line(object(of: log)) }
    out.line(sum(report))
  }

  private static func object(_ type: String, _ file: String, text: String) -> JSONObject {
    var object = JSONObject(type: type)
    object.add("file", file)
    object.add("reason", text)
    return object
  }

  private static func object(of log: VerificationReport.Log) -> JSONObject {
    var object = JSONObject(type: "log")
    object.add("path", log.path)
    object.add("startOffset", log.startOffset)
    object.add("endOffset", log.endOffset)
    object.add("records", log.recordCount)
    object.add("batches", log.batchCount)
    object.add("segments", log.segmentCount)
    object.add("bytes", log.byteCount)
    object.add("missingOffsets", log.missingOffsetCount)
    return object
  }

  private static func sum(_ report: VerificationReport) -> JSONObject {
    var object = JSONObject(type: "verified")
    object.add("ok", !report.hasDamage)
    object.add("records", report.recordCount)
    object.add("batches", report.batchCount)
    object.add("segments", report.segmentCount)
    object.add("bytes", report.byteCount)
    object.add("damagedRanges", report.damage.count)
    object.add("wrongSideFiles", report.sideFileDamage.count)
    object.add("unreadableFiles", report.unreadable.count)
    object.add("unfinishedBytes", report.tornTails.reduce(0) { $0 + $1.bytes.count })
    object.add("summary", report.summary)
    return object
  }
}
