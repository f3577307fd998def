/// What `Store.truncateLog` or `undoTruncation` did.
public struct TruncatedLog: Sendable {
  /// The log to use from now on.
  public let log: Log
  /// Offsets of the records that went, or came back; empty where nothing was to be done.
  public let offsets: Range<Int64>
  /// Paths of the files in `.bad/` that hold what went, whole segments; empty after an undoing.
  public let keptFiles: [String]

  init(_ log: Log, _ done: Truncation? = nil) {
    self.log = log
    offsets = done?.offsets ?? log.logEndOffset..<log.logEndOffset
    let kept = done.map { $0.direction == .remove ? $0.files : [] } ?? []
    keptFiles = kept.map {
      log.environment.directory.path("\(KeptBytes.directoryName)/\($0.keptAs)")
    }
  }
}
