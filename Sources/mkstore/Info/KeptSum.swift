import LogStore

/// The kept data of one log, or of several: `.bad/` and the histories.
struct KeptSum: Sendable {
  private(set) var fileCount = 0
  private(set) var byteCount = 0
  /// When the oldest file was kept, milliseconds since 1970 UTC; nil if there is none.
  private(set) var oldestMs: Int64?
  private(set) var historyBytes = 0

  /// Adds the kept data of a log.
  mutating func add(_ data: KeptData) {
    fileCount += data.kept.files.count
    byteCount += data.kept.byteCount
    historyBytes += data.historyBytes ?? 0
    if let kept = data.kept.files.first?.keptMs { oldestMs = min(oldestMs ?? kept, kept) }
  }

  /// For people: files, bytes, age.
  var text: String {
    guard let oldestMs else { return "nothing" }
    return
      "\(Counted.text(fileCount, "file")), \(ByteCountArgument.text(byteCount)), the oldest of "
      + "\(RFC3339.text(oldestMs)): taken out of the log by recovery (.bad/)"
  }

  /// For JSON.
  func add(to object: inout JSONObject) {
    object.add("keptFiles", fileCount)
    object.add("keptBytes", byteCount)
    object.addTime("oldestKept", milliseconds: oldestMs)
    object.add("historyBytes", historyBytes)
  }
}
