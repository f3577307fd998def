/// The result of `Store.truncateLog` or `undoTruncation`.
///
/// ```swift
/// let result = try store.truncateLogBlocking(name, from: 1_000)
/// print("removed offsets \(result.offsets), kept in \(result.keptFiles)")
/// try await result.log.append([NewRecord(value: "2 apples")])
/// ```
public struct TruncatedLog: Sendable {
  /// The log to use from now on.
  public let log: Log
  /// Offsets of the records that were removed or restored; empty if nothing was to be done.
  public let offsets: Range<Int64>
  /// Paths of the files in `.bad/` that hold the removed records, whole segments; empty after an
  /// undo.
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
