import DiskIO
import LogStore

/// One run of `info`.
struct InfoRun: ~Copyable {
  let isJSON: Bool
  var out = OutputBuffer()

  init(isJSON: Bool) { self.isJSON = isJSON }

  /// Prints the facts about `path`.
  mutating func run(_ argument: String) throws(CommandFailure) {
    let path = PathText.trimmed(argument)
    let disk = PosixDisk()
    let status = try withDiskErrors { () throws(DiskError) in try disk.status(path) }
    switch status?.kind {
    case nil: throw CommandFailure.failure("\(path) does not exist; check the path")
    case .directory: try runDirectory(path, disk)
    default: try printFile(path)
    }
    try out.flush()
  }

  private mutating func runDirectory(_ path: String, _ disk: PosixDisk) throws(CommandFailure) {
    let names = try StoreLocation.list(path)
    let store = try StoreLocation.find(path)
    let isLog = store.path != path || names.contains { SegmentName($0.name)?.kind == .log }
    if isLog {
      try printLog(LogFacts(LogLocation(path), disk))
    } else {
      try printStore(path, names, disk)
    }
  }

  /// A single file: the counts of a quick verification.
  private mutating func printFile(_ path: String) throws(CommandFailure) {
    var options = VerificationOptions()
    options.depth = .quick
    let report = try withDiskErrors { () throws(DiskError) in
      try LogVerifier(PosixDisk(), options).verify([path])
    }
    guard let log = report.logs.first else {
      throw CommandFailure.failure(
        "\(path) is not a .log file; info is for logs, stores and .log files, dump for other files")
    }
    if isJSON {
      var object = JSONObject(type: "segment")
      object.add("file", path)
      object.add("baseOffset", log.startOffset)
      object.add("endOffset", log.endOffset)
      object.add("records", log.recordCount)
      object.add("batches", log.batchCount)
      object.add("bytes", log.byteCount)
      object.add("damagedRanges", report.damage.count)
      out.line(object)
    } else {
      out.line("file       \(path)")
      out.line("offsets    \(log.startOffset) to \(log.endOffset) (exclusive)")
      out.line("records    \(log.recordCount) in \(log.batchCount) batches")
      out.line("size       \(ByteCountArgument.text(log.byteCount))")
      for range in report.damage { out.line("damaged    \(range)") }
      for tail in report.tornTails { out.line("unfinished \(tail)") }
    }
  }

  // MARK: Store

  private mutating func printStore(
    _ path: String, _ names: [DirectoryEntry], _ disk: PosixDisk
  ) throws(CommandFailure) {
    let logs = try StoreLocation(path: path).logs()
    let isStore = names.contains { $0.name == MetaProperties.name }
    guard isStore || !logs.isEmpty else {
      throw CommandFailure.failure(
        "\(path) is neither a log nor a store: it holds no <topic>-<partition> directory")
    }
    let isClean = names.contains { $0.name == CleanShutdownFile.name }
    var facts: [LogFacts] = []
    for log in logs {
      do throws(CommandFailure) {
        facts.append(try LogFacts(LogLocation("\(path)/\(log)"), disk))
      } catch {
        Messages.say("\(path)/\(log): \(error.message ?? "cannot be read")")
      }
    }
    let bytes = facts.reduce(0) { $0 + $1.byteCount }
    var kept = KeptSum()
    for case .success(let data) in facts.map(\.kept) { kept.add(data) }
    if isJSON {
      var object = JSONObject(type: "store")
      object.add("path", path)
      object.add("cleanStop", isClean)
      object.add("logs", logs.count)
      object.add("bytes", bytes)
      kept.add(to: &object)
      out.line(object)
      for log in facts { out.line(log.object(withSegments: false)) }
      return
    }
    out.line("store      \(path)")
    out.line("logs       \(logs.count), \(ByteCountArgument.text(bytes))")
    out.line("last stop  \(isClean ? "clean" : "not clean, or the store is in use")")
    out.line("kept       \(kept.text)")
    out.line("histories  \(ByteCountArgument.text(kept.historyBytes))")
    for log in facts { out.line("  \(log.line)") }
  }

  // MARK: Log

  private mutating func printLog(_ facts: LogFacts) {
    if isJSON {
      out.line(facts.object(withSegments: true))
      for line in facts.history.lines {
        let (milliseconds, event) = HistoryText.parts(line)
        var object = JSONObject(type: "history")
        object.add("log", "\(facts.location.topicPartition)")
        object.addTime("time", milliseconds: milliseconds)
        object.add("event", event)
        out.line(object)
      }
    } else {
      for line in facts.lines { out.line(line) }
    }
  }
}
