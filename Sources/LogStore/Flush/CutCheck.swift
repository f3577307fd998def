internal import DiskIO
internal import RecordFormat

/// Detects that another process truncated the segment that is appended to.
enum CutCheck {
  /// The usual allocation unit of file systems.
  private static let blockBytes = 4096

  /// Throws if bytes of the active segment that were written since, or just before, the last flush
  /// are missing: later appends then follow a hole. Runs at each flush, so that an append pays
  /// nothing. A cut within a file system's block leaves no hole, and only reads detect it.
  ///
  /// - Parameter flushed: Position up to which the segment was flushed before.
  static func run(
    _ active: ActiveSegment, since flushed: Int, _ rules: OwnLogRules
  ) throws(DiskError) {
    // The block that was appended to exists: a hole ends before it at the latest.
    let start = max(0, min(flushed, active.position) / blockBytes * blockBytes - 1)
    guard active.position > 0, let hole = active.log.firstHole(from: start),
      hole < active.position
    else { return }
    // Some file systems report written zeros as a hole. The batches decide.
    var scanner = SegmentScanner(
      active.log, endPosition: active.position, expectedOffset: active.baseOffset,
      offsetLimit: active.nextOffset, options: SegmentScanner.Options(rules: rules))
    while true {
      switch try scanner.next() {
      case .batch: continue
      case .end(let position):
        if position < active.position { throw .cutUnderWriter(active.log.path) }
        return
      case .invalid(let fault, let position):
        guard fault.isUnreadable || active.segment.damage(at: position) != nil else {
          throw .cutUnderWriter(active.log.path)
        }
        _ = try scanner.resume()
      }
    }
  }
}
