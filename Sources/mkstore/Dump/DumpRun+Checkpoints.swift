import DiskIO
import LogStore

/// Dumping the small files of a store and of a log.
extension DumpRun {
  /// Text files unchanged, line by line.
  mutating func dumpLines(
    _ path: String, _ type: String, _ disk: PosixDisk
  ) throws(CommandFailure) {
    let bytes = try content(path, disk)
    if format == .text { out.line("\(path): \(bytes.count) bytes") }
    for line in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: true) {
      let text = String(decoding: line, as: UTF8.self)
      if format == .json {
        var object = JSONObject(type: type)
        object.add("file", path)
        object.add("line", text)
        out.line(object)
      } else {
        out.line(type == "history" ? HistoryText.line(text) : text)
      }
    }
  }

  /// The engine's record of what is durable.
  mutating func dumpMark(_ path: String, _ disk: PosixDisk) throws(CommandFailure) {
    let directory = LogDirectory(disk: disk, path: PathText.parent(path))
    let contents = try withDiskErrors { () throws(DiskError) in try DurableMark.read(directory) }
    for (slot, record) in [("durable", contents.durable), ("latest", contents.latest)] {
      guard let record else { continue }
      if format == .json {
        var object = JSONObject(type: "mark")
        object.add("file", path)
        object.add("slot", slot)
        object.add("sequence", record.sequence)
        object.add("recoveryPoint", record.recoveryPoint)
        object.add("segmentBaseOffset", record.segmentBaseOffset)
        object.add("position", record.position)
        object.add("clean", record.isClean)
        object.add("inode", record.birth?.inode)
        object.add("birthTimeNs", record.birth?.timeNs)
        object.add("copied", contents.isCopy)
        out.line(object)
      } else {
        out.line(
          "\(slot): recovery point \(record.recoveryPoint), segment \(record.segmentBaseOffset) "
            + "position \(record.position), \(record.isClean ? "clean stop" : "in use"), "
            + "write \(record.sequence)\(contents.isCopy ? ", copied from another file" : "")")
      }
    }
  }
}
