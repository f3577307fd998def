import DiskIO
import LogStore

/// One run of `recover --drop-kept`: removes what openings kept of a store's logs, or of one log.
struct KeptDrop {
  private let result: KeptDataRemoval
  private let isDryRun: Bool

  /// - Parameters:
  ///   - argument: The store or the log, as the command line names it.
  ///   - store: The store there.
  init(
    _ argument: String, _ store: StoreLocation, isDryRun: Bool
  ) throws(CommandFailure) {
    self.isDryRun = isDryRun
    let isStore = PathText.trimmed(argument) == store.path
    let only = isStore ? nil : try LogLocation(argument).topicPartition
    result = try withLogErrors { () throws(LogError) in
      try KeptDataRemoval(store: store.path, only: only, isDryRun: isDryRun, disk: PosixDisk())
    }
  }

  /// Reports what was removed, or would be; fails if something could not be removed.
  func tell(asJSON: Bool) throws(CommandFailure) {
    var out = OutputBuffer()
    for log in result.logs {
      if asJSON {
        out.line(object(log))
      } else {
        for line in lines(log) { out.line(line) }
      }
    }
    if asJSON { out.line(sum) } else { out.line(sumLine) }
    try out.flush()
    for failure in failures { Messages.say(failure) }
    try CommandFailure.refuse(damage: false, incomplete: !failures.isEmpty)
  }

  private var failures: [String] { result.failures + result.logs.flatMap(\.removal.failures) }
  private var files: [KeptFile] { result.logs.flatMap(\.removal.files) }
  private var byteCount: Int { Self.bytes(files) }
  private var histories: [Int] { result.logs.compactMap(\.removal.historyBytes) }
  private var verb: String { isDryRun ? "would be removed" : "removed" }

  private static func bytes(_ files: [KeptFile]) -> Int { files.reduce(0) { $0 + $1.bytes } }

  // MARK: For people

  private func lines(_ log: KeptDataRemoval.Log) -> [String] {
    var lines = log.removal.files.map {
      "\(log.name): \(verb) \($0.path), \($0.bytes) bytes, kept since \(RFC3339.text($0.keptMs))"
    }
    if let bytes = log.removal.historyBytes {
      lines.append("\(log.name): \(verb) \(log.path)/\(RecoveryHistory.fileName), \(bytes) bytes")
    }
    return lines
  }

  private var sumLine: String {
    let histories = histories
    return Counted.text(result.logCount, "log")
      + " looked at\(isDryRun ? ", nothing changed" : ""): "
      + "\(Counted.text(files.count, "kept file")) with \(byteCount) bytes and "
      + "\(Counted.text(histories.count, "history")) with \(histories.reduce(0, +)) bytes \(verb)"
  }

  // MARK: For programs

  private func object(_ log: KeptDataRemoval.Log) -> JSONObject {
    var object = JSONObject(type: "keptDropped")
    object.add("log", "\(log.name)")
    object.add("path", log.path)
    object.add(
      "files",
      log.removal.files.map { file in
        var part = JSONObject()
        part.add("file", file.path)
        part.add("bytes", file.bytes)
        part.addTime("kept", milliseconds: file.keptMs)
        return part
      })
    object.add("keptBytes", Self.bytes(log.removal.files))
    object.add("historyBytes", log.removal.historyBytes)
    object.add("failures", log.removal.failures)
    object.add("dryRun", isDryRun)
    return object
  }

  private var sum: JSONObject {
    var object = JSONObject(type: "dropped")
    object.add("logs", result.logCount)
    object.add("keptFiles", files.count)
    object.add("keptBytes", byteCount)
    object.add("histories", histories.count)
    object.add("historyBytes", histories.reduce(0, +))
    object.add("failed", failures.count)
    object.add("dryRun", isDryRun)
    return object
  }
}
